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

// budgets are those of the reads with an engine.
type budgets struct{ get, unchanged, list float64 }

func (st *store) readBudgets() budgets {
	if st.pg != nil {
		return budgets{} // shown beside the same floor, which asks no other process
	}
	return budgets{get: 0.5, unchanged: 0.5, list: 2000}
}

// readSecrets compares reads with a bare net/http handler that sends the same bytes.
func (st *store) readSecrets(at *shop) ([]line, error) {
	one, all, least := at.get(secretsV4, "/", "SECRET_7"), at.get(secretsV4, "/", ""), st.readBudgets()
	oneAgain, errOne := again(at.process, one)
	allAgain, errAll := again(at.process, all)
	if err := errors.Join(errOne, errAll); err != nil {
		return nil, err
	}
	var table []line
	for _, r := range []struct {
		what        string
		request     []byte
		least, rate float64
	}{
		{"GET /api/v4/secrets/{name}: a role with conditions", one, least.get, 0},
		{"GET /api/v3/secrets/raw/{name}: the same", at.get(secretsV3, "/", "SECRET_7"), least.get, 0},
		{"GET /api/v4/secrets/{name} that has not changed: 304", oneAgain, least.unchanged, 0},
		{fmt.Sprintf("GET /api/v4/secrets: a folder of %d", inFolder), all, 0, least.list},
		{fmt.Sprintf("GET /api/v4/secrets: a folder of %d that has not changed: 304", inFolder), allAgain, 0, 0},
	} {
		lines, err := st.read(at.instance, st.name+": "+r.what, r.request, r.least)
		if err != nil {
			return nil, err
		}
		lines[0].rate = r.rate
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
