package main

import (
	"math"
	"time"
)

// draws are numbers that look random and depend on the seed alone (SplitMix64: Steele, Lea and Flood, 2014).
type draws struct{ state uint64 }

// unit returns a number from 0 up to but not 1.
func (d *draws) unit() float64 {
	d.state += 0x9e3779b97f4a7c15
	z := d.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}

// below returns a time from 0 up to a limit, each as likely.
func (d *draws) below(limit time.Duration) time.Duration {
	return time.Duration(d.unit() * float64(limit))
}

// around returns a time as it passes between independent events: mean on average (the exponential distribution).
func (d *draws) around(mean time.Duration) time.Duration {
	return time.Duration(-math.Log(1-d.unit()) * float64(mean))
}
