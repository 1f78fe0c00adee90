package main

import (
	"fmt"
	"time"
)

// Settings are what a run simulates. Times of processors are those of one processor.
type Settings struct {
	Seed     uint64        `help:"Draws of the run." default:"1"`
	Replicas int           `help:"How many, over all regions." default:"3"`
	Regions  int           `help:"1 to 5: Washington, Dallas, London, Sydney, Sao Paulo. The database is in the first." default:"1"`
	Distance float64       `help:"Factor for the round trips between regions." default:"1"`
	Span     time.Duration `help:"Simulated time that is measured, after one lease to warm up." default:"10s"`
	Lease    time.Duration `help:"As --lease of the server." default:"2s"`

	Revokes  float64       `help:"A second, over all replicas." default:"100"`
	Callers  int           `help:"Instead of --revokes: so many callers at the first replica, each revoking without a pause."`
	Checks   float64       `help:"A second, over all replicas." default:"10000000"`
	Lifetime time.Duration `help:"How long a revocation is remembered: what was left of the token's life, and an hour (feed.ClockSlack)." default:"2h"`

	Protocol Protocol `embed:""`
	Engine   string   `help:"What keeps the log: postgres, synchronous (a standby in the same region confirms each commit), distributed (SQL over three regions)." enum:"postgres,synchronous,distributed" default:"postgres"`

	Cores  int   `help:"Of the database." default:"16"`
	Shared bool  `help:"The replicas and their callers share the processors of the database, as in the bench."`
	Costs  Costs `embed:""`

	Dead int     `help:"So many replicas die in the middle of the run."`
	Cut  bool    `help:"The last region is cut off in the middle of the run."`
	Slow float64 `help:"One replica is slower by this factor." default:"1"`
	Bug  string  `help:"A bug to plant, which the checks of the run must find: ack-before-wait, late-lease." hidden:""`
}

// Protocol says how replicas talk; all false is how they do.
type Protocol struct {
	Append bool `help:"A group appends its entries with one statement at its end. So it holds the lock on the log's head for that statement and the commit."`
	Single bool `help:"A beat, and a report, is one statement and its own transaction: one round trip, and not three."`
	Direct bool `help:"A replica that has applied a change tells only the replica that waits for it."`
	Relays bool `help:"One replica of a region follows the log; the others of the region follow it, and write through the one of the first region."`
}

// Costs are what things take on the machine of docs/performance.md.
type Costs struct {
	Statement time.Duration `help:"Database processor, for a statement of one row." default:"60us"`
	Row       time.Duration `help:"Database processor, for each further row that it reads." default:"500ns"`
	Flush     time.Duration `help:"Disk, for a commit; those that wait share the next." default:"220us"`
	Deliver   time.Duration `help:"Database processor, to bring one notification to one listener." default:"40us"`
	Local     time.Duration `help:"Round trip between a replica and a database next to it, including the client's work." default:"30us"`
	Request   time.Duration `help:"Processor of a replica and its caller, for one revoke over HTTP." default:"300us"`
	Apply     time.Duration `help:"Processor of a replica, for an entry that it applies." default:"800ns"`
	Check     time.Duration `help:"Processor of a replica, for one check over HTTP." default:"27.6us"`
	Entry     int           `help:"Bytes of an entry on the wire." default:"110"`
	Memory    int           `help:"Bytes of a live revocation in a replica." default:"108"`
	Writes    int           `help:"Statements of a revoke in its transaction." default:"5"`
}

// trips are the round trips between regions in milliseconds: Washington, Dallas, London, Sydney, Sao Paulo. Within a region it
// is half a millisecond. The source is in docs/scaling.md.
var trips = [5][5]float64{
	{0.5, 32, 76, 214, 118},
	{32, 0.5, 113, 185, 145},
	{76, 113, 0.5, 261, 187},
	{214, 185, 261, 0.5, 327},
	{118, 145, 187, 327, 0.5},
}

func (s *Settings) check() error {
	if s.Regions < 1 || s.Regions > len(trips) || s.Replicas < s.Regions || s.Cores < 1 {
		return fmt.Errorf("there are 1 to %d regions, at least one replica in each, and a core for the database", len(trips))
	}
	return nil
}

// trip returns the round trip between two regions.
func (s *Settings) trip(a, b int) time.Duration {
	if s.Shared {
		return s.Costs.Local
	}
	return time.Duration(trips[a][b]*s.Distance*float64(time.Millisecond)) + s.Costs.Local
}

// commit returns how long a commit takes beside its flush: nothing, a standby in the region, or the nearest of two other regions.
func (s *Settings) commit() time.Duration {
	switch s.Engine {
	case "synchronous":
		return s.trip(0, 0) + s.Costs.Flush
	case "distributed":
		return min(s.trip(0, 1%s.Regions), s.trip(0, 2%s.Regions)) + s.Costs.Flush
	}
	return 0
}
