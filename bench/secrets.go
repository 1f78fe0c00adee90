package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
)

// inFolder is how many secrets a folder has that is listed.
const inFolder = 100

// secretReads measures reading secrets, as an identity whose role in the project has conditions.
func secretReads(b *bench) ([]line, error) {
	return b.onBoth(func(st *store) ([]line, error) { return st.inShop(st.readSecrets) })
}

// secrets measures changing secrets as such an identity, and reading few of them beside reading some of many.
func secrets(b *bench) ([]line, error) {
	return b.onBoth(func(st *store) ([]line, error) {
		table, err := st.inShop(st.changeSecrets)
		if err != nil {
			return nil, err
		}
		scale, err := st.manySecrets()
		return append(table, scale...), err
	})
}

// inShop measures with a server that has a folder of secrets.
func (st *store) inShop(measure func(*shop) ([]line, error)) ([]line, error) {
	s, err := st.setUp()
	if err != nil {
		return nil, err
	}
	at, err := s.open()
	if err == nil {
		err = at.stock(inFolder)
	}
	var table []line
	if err == nil {
		table, err = measure(at)
	}
	return table, errors.Join(err, s.stop())
}

// readSecrets compares reads with a bare net/http handler that sends the same bytes.
func (st *store) readSecrets(at *shop) ([]line, error) {
	one, all := at.get(secretsV4, "/", "SECRET_7"), at.get(secretsV4, "/", "")
	oneAgain, errOne := again(at.process, one)
	allAgain, errAll := again(at.process, all)
	if err := errors.Join(errOne, errAll); err != nil {
		return nil, err
	}
	var table []line
	for _, r := range []struct {
		line
		request []byte
	}{
		{line{what: "GET /api/v4/secrets/{name}: a role with conditions", least: 0.7}, one},
		{line{what: "GET /api/v3/secrets/raw/{name}: the same", least: 0.7}, at.get(secretsV3, "/", "SECRET_7")},
		{line{what: "GET /api/v4/secrets/{name} that has not changed: 304", least: 0.5}, oneAgain},
		{line{what: fmt.Sprintf("GET /api/v4/secrets: a folder of %d", inFolder), least: 0.35, rate: 2000}, all},
		{line{what: fmt.Sprintf("GET /api/v4/secrets: a folder of %d that has not changed: 304", inFolder), least: 0.6}, allAgain},
	} {
		r.what = st.name + ": " + r.what
		if st.pg != nil {
			r.least, r.rate = 0, 0 // shown beside the same floor, which asks no other process
		}
		lines, err := st.read(at.instance, r.line, r.request)
		if err != nil {
			return nil, err
		}
		table = append(table, lines...)
	}
	return table, nil
}

// again returns a request that asks for what it was answered before only if that has changed.
func again(p *process, first []byte) ([]byte, error) {
	answer, err := fetch(p.addr, first)
	if err != nil {
		return nil, err
	}
	head := bytes.TrimSuffix(first, []byte("\r\n"))
	request := fmt.Appendf(bytes.Clone(head), "If-None-Match: %s\r\n\r\n", answer.Header.Get("Etag"))
	answer, err = fetch(p.addr, request)
	if err == nil && answer.Status != http.StatusNotModified {
		err = fmt.Errorf("%.60s answered %d to the tag of its own answer", request, answer.Status)
	}
	return request, err
}
