package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// The numbers of folders that reading is compared at, each of inFolder secrets.
const (
	manyFolders = 10_000
	someFolders = 10
)

// manyFor is how long one turn of reads in many folders is.
const manyFor = time.Second

// manySecrets compares reading from 1,000,000 secrets in 10,000 folders with reading from 1,000 in 10. Each request is
// for a folder drawn at random: what was read before helps little.
func (st *store) manySecrets() ([]line, error) {
	some, err := st.filled(someFolders)
	if err != nil {
		return nil, err
	}
	many, err := st.filled(manyFolders)
	if err != nil {
		return nil, errors.Join(err, some.stop())
	}
	table, err := st.compareShops(some, many)
	return table, errors.Join(err, some.stop(), many.stop(), os.RemoveAll(many.dir)) // a large one need not lie beside the next
}

func (st *store) compareShops(some, many *shop) ([]line, error) {
	var table []line
	for _, r := range []struct {
		what, name string
		odd        int
		secrets    int // in an answer
	}{
		{"get one of 1,000,000 secrets in 10,000 folders", "SECRET_7", 0, 1},
		{"- of a folder that grew with the others", "SECRET_7", 1, 1},
		{fmt.Sprintf("list one of 10,000 folders of %d secrets", inFolder), "", 0, inFolder},
		{"- of a folder that grew with the others", "", 1, inFolder},
	} {
		few, lots := some.drawn(someFolders, r.odd, r.name), many.drawn(manyFolders, r.odd, r.name)
		small := func() (float64, error) { return some.wait(few, r.secrets) }
		large := func() (float64, error) { return many.wait(lots, r.secrets) }
		if _, err := oneTurn(0, small, large); err != nil { // the first requests find cold caches
			return nil, err
		}
		c, err := compare(small, large)
		if err != nil {
			return nil, err
		}
		what := r.what
		if r.odd == 0 {
			what = st.name + ": " + r.what + " (floor: of 1,000 in 10)"
		}
		table = append(table, line{what: what, unit: "ms", floor: c.floor, ours: c.ours, times: 1.5})
	}
	return table, nil
}

// drawn returns requests for a secret in folders drawn at random, or without a name for the lists of such folders. They are
// even folders, or odd ones: see fill.
func (at *shop) drawn(folders, odd int, name string) [][]byte {
	draw := rand.New(rand.NewPCG(1, 2)) // the same ones in each run
	requests := make([][]byte, 4096)
	for i := range requests {
		requests[i] = at.get(secretsV4, folderPath(2*draw.IntN(folders/2)+odd), name)
	}
	return requests
}

// wait returns how many milliseconds one caller waits for an answer, which has to have so many secrets.
func (at *shop) wait(requests [][]byte, secrets int) (float64, error) {
	c, err := dial(at.addr)
	if err != nil {
		return 0, err
	}
	defer c.conn.Close()
	begin, n, from := time.Now(), 0, rand.IntN(len(requests))
	for ; time.Since(begin) < manyFor; n++ {
		answer, err := c.do(requests[(from+n)%len(requests)])
		if err != nil {
			return 0, err
		}
		if found := bytes.Count(answer, []byte(`"secretValue":"postgres://`)); found != secrets {
			return 0, fmt.Errorf("an answer has the values of %d secrets, not of %d: %.300s", found, secrets, answer)
		}
	}
	return float64(time.Since(begin).Microseconds()) / 1000 / float64(n), nil
}
