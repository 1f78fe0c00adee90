package main

import (
	"errors"
	"time"
)

// readFor is how long one turn of a read is. Events of the audit log are written every 100 ms, so in turns that are not
// much longer a part of our work would fall into the floor's.
const readFor = 2 * time.Second

// reads compares requests that change nothing with a bare net/http handler that sends the same bytes.
func reads(b *bench) ([]line, error) {
	s, err := b.setUp()
	if err != nil {
		return nil, err
	}
	routes := []struct {
		line
		request []byte
	}{
		{line{what: "GET /identities/details: a check, nothing else", least: 0.92}, request("GET", "/api/v1/identities/details", s.token, "")},
		{line{what: "GET /auth/token-auth/identities/{id}: check, permission, record", least: 0.6},
			request("GET", "/api/v1/auth/token-auth/identities/"+s.identity, s.token, "")},
		{line{what: "POST /oauth/introspect: check two tokens", least: 0.85}, requestOf("POST", "/api/v1/oauth/introspect", s.token,
			"application/x-www-form-urlencoded", "token="+s.token)},
	}
	var table []line
	for _, r := range routes {
		lines, err := b.read(s, r.line, r.request)
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
		table = append(table, lines...)
	}
	return table, s.stop()
}

// read gives two lines: how many requests a second are answered, and what one costs the processor. l has what is
// measured and the budget; a line that was not asked for is left out.
func (b *bench) read(s *instance, l line, request []byte) ([]line, error) {
	if !b.wants(l.what) {
		return nil, nil
	}
	floor, err := b.floorOf(s.process, request)
	if err != nil {
		return nil, err
	}
	var costs [2]cost
	for i, p := range []*process{floor, s.process} { // the first requests find cold caches
		if _, err := costs[i].rate(p, request, readFor/8); err != nil {
			return nil, errors.Join(err, floor.stop())
		}
		costs[i] = cost{}
	}
	c, err := compare(
		func() (float64, error) { return costs[0].rate(floor, request, readFor) },
		func() (float64, error) { return costs[1].rate(s.process, request, readFor) })
	l.unit, l.floor, l.ours = "requests/s", c.floor, c.ours
	return []line{l, {what: "- processor time of the server for one", unit: "µs", floor: costs[0].each(), ours: costs[1].each()}},
		errors.Join(err, floor.stop())
}

// cost is the processor time that a program needed for requests.
type cost struct {
	used     time.Duration
	requests float64
}

// rate is rate, and adds up what it cost p. What p does for these requests after the last answer counts too, as time of
// this turn: see settle.
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
	took := time.Since(begin)
	n := perSecond * took.Seconds()
	answered, err := p.cpu()
	if err != nil {
		return 0, err
	}
	time.Sleep(settle)
	after, err := p.cpu()
	c.requests += n
	c.used += after - before
	return n / (took + after - answered).Seconds(), err
}

// settle is how long a turn waits for what the program does later: events of the audit log are written within 100 ms. The
// processor time that it takes then belongs to the turn that caused it.
const settle = 150 * time.Millisecond

// each returns the processor time of one request in microseconds.
func (c *cost) each() float64 { return float64(c.used.Nanoseconds()) / 1000 / c.requests }
