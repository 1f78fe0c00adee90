package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// growth is one row of the table: what an operation costs with so many rows in the database.
type growth struct {
	subject string
	what    string
	unit    string
	most    float64 // budget at every size, in the unit; 0: none
	at      map[int64]float64
}

// growths are the rows in the order in which they were first put.
type growths struct{ rows []*growth }

// put adds a figure to the row of the same subject and name.
func (g *growths) put(row growth, n int64, value float64) {
	i := slices.IndexFunc(g.rows, func(r *growth) bool { return r.subject == row.subject && r.what == row.what })
	if i < 0 {
		i, row.at = len(g.rows), map[int64]float64{}
		g.rows = append(g.rows, &row)
	}
	g.rows[i].at[n] = value
}

// failed reports whether the budget is missed by more than a tenth somewhere.
func (g *growth) failed() bool {
	for _, value := range g.at {
		if g.most != 0 && value > g.most*(1+slack) {
			return true
		}
	}
	return false
}

// cell is the figure at a size; "-" where none was taken.
func (g *growth) cell(n int64) string {
	value, ok := g.at[n]
	switch {
	case !ok:
		return "-"
	case g.most != 0 && value > g.most:
		return figure(value) + " MISSED"
	}
	return figure(value)
}

// growth is by how much the figure is larger at the largest size than at the smallest.
func (g *growth) growth() string {
	var measured []float64
	for _, n := range scaleSizes {
		if value, ok := g.at[n]; ok {
			measured = append(measured, value)
		}
	}
	if len(measured) < 2 || measured[0] == 0 {
		return "-"
	}
	return "×" + figure(measured[len(measured)-1]/measured[0])
}

func (g *growth) unitAndBudget() string {
	if g.most == 0 {
		return g.unit
	}
	return g.unit + ", <= " + figure(g.most)
}

// show prints the table as Markdown. A row without figures begins each subject.
func (g *growths) show(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	columns := len(scaleSizes)
	fmt.Fprint(t, "| what\t| unit")
	for _, n := range scaleSizes {
		fmt.Fprintf(t, "\t| %s", thousands(n))
	}
	fmt.Fprintf(t, "\t| growth\t|\n|---\t|---%s\t|--:\t|\n", strings.Repeat("\t|--:", columns))
	subject := ""
	for _, row := range g.rows {
		if row.subject != subject {
			subject = row.subject
			fmt.Fprintf(t, "| **%s**\t|%s\t|\t|\n", subject, strings.Repeat("\t|", columns))
		}
		fmt.Fprintf(t, "| %s\t| %s", row.what, row.unitAndBudget())
		for _, n := range scaleSizes {
			fmt.Fprintf(t, "\t| %s", row.cell(n))
		}
		fmt.Fprintf(t, "\t| %s\t|\n", row.growth())
	}
	return t.Flush()
}

// thousands writes a number with commas.
func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
