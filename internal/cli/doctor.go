//go:build !windows

package cli

import (
	"fmt"
	"time"

	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/cli/terminal"
	"github.com/sallyport/sallyport/internal/ops/doctor"
)

type doctorCmd struct {
	config.Storage `embed:""`
	Repair         bool `help:"Complete rows that an older version left incomplete, then look. Stop a server on SQLite before."`
}

// Run prints a line a check. It changes nothing unless it is told to; the error says that something is wrong.
func (c *doctorCmd) Run(con *terminal.Console) error {
	schema, err := sqldb.SchemaVersion()
	if err != nil {
		return err
	}
	o := doctor.Options{Storage: c.Storage, URL: databaseURL(c.Storage), Schema: schema, Now: time.Now}
	if c.Repair {
		if err := c.repair(con, o); err != nil {
			return err
		}
	}
	wrong := 0
	for _, f := range doctor.Examine(con.Ctx, o) {
		state := "ok   "
		if f.Do != "" {
			wrong++
			state = "WRONG"
		}
		con.Print("%s %-15s %s\n", state, f.Check, f.Says)
		if f.Do != "" {
			con.Print("      %-15s -> %s\n", "", f.Do)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of these need you", wrong)
	}
	return nil
}

func (c *doctorCmd) repair(con *terminal.Console, o doctor.Options) error {
	log, err := warnings(con.Err)
	if err != nil {
		return err
	}
	n, err := doctor.Repair(con.Ctx, o, log)
	if err == nil {
		con.Print("repaired: %d rows changed\n", n)
	}
	return err
}
