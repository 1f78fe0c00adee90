package main

import (
	"errors"
	"time"
)

// A round of a read has so many turns of so long.
const (
	readTurns = 5
	readFor   = 200 * time.Millisecond
)

// reads compares requests that change nothing with a bare net/http handler that sends the same bytes.
func reads(b *bench) ([]line, error) {
	s, err := b.setUp()
	if err != nil {
		return nil, err
	}
	routes := []struct {
		what    string
		request []byte
		least   float64
	}{
		{"GET /identities/details: a check, nothing else", request("GET", "/api/v1/identities/details", s.token, ""), 0.75},
		{"GET /auth/token-auth/identities/{id}: check, permission, record",
			request("GET", "/api/v1/auth/token-auth/identities/"+s.identity, s.token, ""), 0.6},
		{"POST /oauth/introspect: check two tokens", requestOf("POST", "/api/v1/oauth/introspect", s.token,
			"application/x-www-form-urlencoded", "token="+s.token), 0.6},
	}
	var table []line
	for _, r := range routes {
		lines, err := b.read(s, r.what, r.request, r.least)
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
		table = append(table, lines...)
	}
	return table, s.stop()
}

// read gives two lines: how many requests a second are answered, and what one costs the processor.
func (b *bench) read(s *instance, what string, request []byte, least float64) ([]line, error) {
	floor, err := b.floorOf(s.process, request)
	if err != nil {
		return nil, err
	}
	var costs [2]cost
	for i, p := range []*process{floor, s.process} { // the first requests find cold caches
		if _, err := costs[i].rate(p, request, readFor); err != nil {
			return nil, errors.Join(err, floor.stop())
		}
		costs[i] = cost{}
	}
	c, err := compare(readTurns,
		func() (float64, error) { return costs[0].rate(floor, request, readFor) },
		func() (float64, error) { return costs[1].rate(s.process, request, readFor) })
	return []line{
		{what: what, unit: "requests/s", floor: c.floor, ours: c.ours, least: least},
		{what: "- processor time of the server for one", unit: "µs", floor: costs[0].each(), ours: costs[1].each()},
	}, errors.Join(err, floor.stop())
}

// cost is the processor time that a program needed for requests.
type cost struct {
	used     time.Duration
	requests float64
}

// rate is rate, and adds up what it cost p.
func (c *cost) rate(p *process, request []byte, d time.Duration) (float64, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	begin := time.Now()
	perSecond, err := rate(p.addr, request, d)
	if err != nil {
		return 0, err
	}
	c.requests += perSecond * time.Since(begin).Seconds()
	after, err := p.cpu()
	c.used += after - before
	return perSecond, err
}

// each returns the processor time of one request in microseconds.
func (c *cost) each() float64 { return float64(c.used.Nanoseconds()) / 1000 / c.requests }
