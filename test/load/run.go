package main

import (
	"context"
	"errors"
)

type runCmd struct {
	load    `embed:""`
	Callers int     `default:"16" help:"How many operations may be under way at the same time, at most 1024."`
	Rate    float64 `default:"0" help:"Operations started per second, even if the server is slow (an open loop), at most 100000; latencies count from the intended start. 0: each caller begins when its last one has ended (a closed loop)."`
}

// Run loads a server once.
func (c *runCmd) Run(ctx context.Context, con console) error {
	return c.measure(ctx, con, []point{{c.Callers, c.Rate}})
}

type sweepCmd struct {
	load    `embed:""`
	Rates   []float64 `help:"Rates of open loops, one after the other, such as 1000,2000,4000."`
	Callers []int     `help:"Numbers of callers of closed loops, such as 1,4,16,64; with --rates one number, how many operations may be under way at the same time (64)."`
}

// openCallers is how many operations of an open loop in a sweep may be under way at the same time, unless it is said.
const openCallers = 64

// Run loads a server with one point after the other.
func (c *sweepCmd) Run(ctx context.Context, con console) error {
	points, err := c.points()
	if err != nil {
		return err
	}
	return c.measure(ctx, con, points)
}

func (c *sweepCmd) points() (points []point, err error) {
	if len(c.Rates) == 0 {
		for _, n := range c.Callers {
			points = append(points, point{callers: n})
		}
		return points, nil
	}
	callers := openCallers
	switch len(c.Callers) {
	case 0:
	case 1:
		callers = c.Callers[0]
	default:
		return nil, errors.New("a sweep goes over --rates or over --callers, not over both")
	}
	for _, rate := range c.Rates {
		if rate == 0 {
			return nil, errors.New("a rate of 0 is none; leave --rates out for closed loops")
		}
		points = append(points, point{callers, rate})
	}
	return points, nil
}
