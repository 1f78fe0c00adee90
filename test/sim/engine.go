package main

import (
	"container/heap"
	"time"
)

// engine runs events in the order of their times; those of one time in the order in which they were planned. It has no clock
// but its own, so a run depends on its inputs alone.
type engine struct {
	now    time.Duration
	events events
	count  int
}

type event struct {
	at    time.Duration
	order int
	do    func()
}

type events []event

func (e events) Len() int { return len(e) }

func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].order < e[j].order
}

func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

func (e *events) Push(x any) { *e = append(*e, x.(event)) }

func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = event{}
	*e = (*e)[:len(*e)-1]
	return last
}

// after plans an event.
func (e *engine) after(wait time.Duration, do func()) {
	e.count++
	heap.Push(&e.events, event{e.now + wait, e.count, do})
}

// run runs all events up to a time.
func (e *engine) run(until time.Duration) {
	for len(e.events) > 0 && e.events[0].at <= until {
		next := heap.Pop(&e.events).(event)
		e.now = next.at
		next.do()
	}
	e.now = until
}

// station is something that serves several at a time, and has others wait in a line: processors, a disk, a lock.
type station struct {
	*engine
	free    int
	servers int
	line    []func()
	busy    time.Duration // summed over its servers
	longest int           // line
}

func (e *engine) station(servers int) *station {
	return &station{engine: e, free: servers, servers: servers}
}

// take has do run when there is a free server; done must be called once it is free again.
func (s *station) take(do func()) {
	if s.free == 0 {
		s.line = append(s.line, do)
		s.longest = max(s.longest, len(s.line))
		return
	}
	s.free--
	do()
}

func (s *station) done() {
	s.free++
	if len(s.line) > 0 {
		next := s.line[0]
		s.line = s.line[1:]
		s.free--
		next()
	}
}

// work serves for some time, then goes on with do.
func (s *station) work(time time.Duration, do func()) {
	s.take(func() {
		s.busy += time
		s.after(time, func() {
			s.done()
			do()
		})
	})
}

// load returns which part of its time it was busy.
func (s *station) load(over time.Duration) float64 {
	return float64(s.busy) / float64(over) / float64(s.servers)
}
