package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/sallyport/sallyport/test/load/drive"
	"github.com/sallyport/sallyport/test/load/result"
	"github.com/sallyport/sallyport/test/load/target"
)

// point is one thing to measure.
type point struct {
	callers int
	rate    float64 // 0 for a closed loop
}

// measure sets a server up, measures the points, writes the results, and takes everything away again.
func (l *load) measure(ctx context.Context, con console, points []point) error {
	o, err := l.options(con, points)
	if err != nil {
		return err
	}
	site, err := target.SetUp(ctx, o)
	if err != nil {
		return err
	}
	r := &result.Result{Schema: result.Schema, At: time.Now().UTC(), Server: site.Version(ctx), Settings: l.settings(o)}
	for _, p := range points {
		var measured result.Point
		if measured, err = l.point(ctx, con, site, p); err != nil {
			break
		}
		r.Points = append(r.Points, measured)
		if err = errors.Join(measured.Show(con.out), verdict(&measured)); err != nil {
			break
		}
	}
	if err == nil {
		err = something(r)
	}
	if l.JSON != "" && len(r.Points) > 0 {
		err = errors.Join(err, result.Write(l.JSON, r))
	}
	return errors.Join(err, site.TearDown(ctx))
}

// point measures one point.
func (l *load) point(ctx context.Context, con console, site *target.Site, p point) (result.Point, error) {
	if err := site.Fill(ctx, l.stock(site.Mix, p)); err != nil {
		return result.Point{}, err
	}
	before := gauges(ctx, site)
	tally := drive.NewTally()
	stop := newBar(con.err).follow(fmt.Sprintf("%s %s", site.Mix, p), l.WarmUp+l.Duration, tally.Sent)
	m := drive.Plan{Callers: p.callers, Rate: p.rate, WarmUp: l.WarmUp, Duration: l.Duration, MaxErrors: l.MaxErrors,
		Work: site.Work, Now: time.Now, Pause: drive.Until}.Run(ctx, tally)
	stop()
	if ctx.Err() != nil {
		m.Err = errInterrupted
	}
	measured, err := result.NewPoint(p.callers, p.rate, m)
	after := gauges(context.WithoutCancel(ctx), site)
	for i, at := range site.URLs {
		measured.Replicas = append(measured.Replicas, result.Replica{URL: at,
			MemoryBefore: gauge(before[i], target.ResidentMemory), MemoryAfter: gauge(after[i], target.ResidentMemory),
			RevokedBefore: gauge(before[i], target.RevokedTokens), RevokedAfter: gauge(after[i], target.RevokedTokens)})
	}
	return measured, err
}

var errInterrupted = errors.New("interrupted")

func (p point) String() string {
	if p.rate > 0 {
		return fmt.Sprintf("at %g/s", p.rate)
	}
	return fmt.Sprintf("with %d callers", p.callers)
}

// verdict returns why a point is a failure, nil if it is none. That the stock is used up is none.
func verdict(p *result.Point) error {
	var errs []error
	if p.StaleAccepts > 0 {
		errs = append(errs, fmt.Errorf("%d stale accepts: the server accepted tokens after it had answered that they are revoked", p.StaleAccepts))
	}
	if p.EndedEarly != "" && p.EndedEarly != drive.ErrExhausted.Error() {
		errs = append(errs, fmt.Errorf("the run ended early: %s", p.EndedEarly))
	}
	return errors.Join(errs...)
}

// something returns an error if not one point has a figure. One that has none may be a server that took too long for it.
func something(r *result.Result) error {
	if slices.ContainsFunc(r.Points, func(p result.Point) bool { return len(p.Kinds) > 0 }) {
		return nil
	}
	return errors.New("nothing was measured; give the run a longer --duration or a larger --stock")
}

// What a closed loop is thought to do a second at most, on one machine: so many tokens it is given to revoke, unless it is said.
const (
	closedRevokes    = 3000
	closedOperations = 40_000
)

// stock returns how many tokens a point needs beforehand.
func (l *load) stock(mix target.Mix, p point) int {
	each := mix.PerOperation()
	switch {
	case each == 0:
		return 0
	case l.Stock > 0:
		return l.Stock
	}
	perSecond := p.rate * each
	if p.rate == 0 {
		perSecond = min(closedRevokes, closedOperations*each)
	}
	return int(min(math.Ceil(perSecond*(l.WarmUp+l.Duration).Seconds())+1, maxStock))
}

func gauges(ctx context.Context, site *target.Site) []target.Gauges {
	all := make([]target.Gauges, len(site.URLs))
	for i := range all {
		all[i] = site.Gauges(ctx, i)
	}
	return all
}

func gauge(g target.Gauges, name string) *float64 {
	if v, ok := g[name]; ok {
		return &v
	}
	return nil
}
