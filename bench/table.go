package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// line is one row of the table: a cost or a rate, what the same costs at the floor, and what it may be.
type line struct {
	what  string
	unit  string
	floor float64 // 0: there is none
	ours  float64
	least float64 // budget: ours is at least this part of the floor; 0: no such budget
	rate  float64 // budget: ours is at least this, in the line's unit; 0: no such budget
	most  float64 // budget: ours is at most this, in the line's unit; 0: no such budget
	times float64 // budget: ours is at most so many times the floor; 0: no such budget
}

// slack is by how much of itself a budget may be missed before the run fails: other programs share the machine.
const slack = 0.1

func (l line) ratio() float64 { return l.ours / l.floor }

// within reports whether the budget holds when it is loosened by a part of itself.
func (l line) within(loose float64) bool {
	return (l.least == 0 || l.ratio() >= l.least*(1-loose)) &&
		(l.rate == 0 || l.ours >= l.rate*(1-loose)) &&
		(l.most == 0 || l.ours <= l.most*(1+loose)) &&
		(l.times == 0 || l.ratio() <= l.times*(1+loose))
}

// failed reports whether the line makes the whole run fail.
func (l line) failed() bool { return !l.within(slack) }

// budget names what the line must reach.
func (l line) budget() string {
	var all []string
	for _, b := range []struct {
		bound        float64
		before, unit string
	}{{l.least, "ratio >= ", ""}, {l.times, "ratio <= ", ""}, {l.rate, ">= ", " " + l.unit}, {l.most, "<= ", " " + l.unit}} {
		if b.bound != 0 {
			all = append(all, b.before+figure(b.bound)+b.unit)
		}
	}
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, ", ")
}

func (l line) verdict() string {
	switch {
	case l.budget() == "-":
		return ""
	case l.within(0):
		return "ok"
	case l.within(slack):
		return "near"
	}
	return "MISSED"
}

// show prints the table as Markdown, so that it can be copied into a document.
func show(w io.Writer, table []line) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(t, "| what\t| unit\t| floor\t| ours\t| ratio\t| budget\t|\t|")
	fmt.Fprintln(t, "|---\t|---\t|--:\t|--:\t|--:\t|---\t|---\t|")
	for _, l := range table {
		floor, ratio := "-", "-"
		if l.floor != 0 {
			floor, ratio = figure(l.floor), strconv.FormatFloat(l.ratio(), 'f', 2, 64)
		}
		fmt.Fprintf(t, "| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t|\n", l.what, l.unit, floor, figure(l.ours), ratio, l.budget(), l.verdict())
	}
	return t.Flush()
}

// figure writes a number with about three digits that mean something.
func figure(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
