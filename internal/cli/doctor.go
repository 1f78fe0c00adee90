package cli

import (
	"fmt"
	"time"

	"github.com/sallyport/sallyport/internal/config"
	"github.com/sallyport/sallyport/internal/doctor"
	"github.com/sallyport/sallyport/internal/sqldb"
)

type doctorCmd struct {
	config.Storage `embed:""`
}

// Run prints a line a check. It changes nothing; the error says that something is wrong.
func (c *doctorCmd) Run(con *console) error {
	schema, err := sqldb.SchemaVersion()
	if err != nil {
		return err
	}
	wrong := 0
	for _, f := range doctor.Examine(con.ctx, doctor.Options{Storage: c.Storage, URL: databaseURL(c.Storage), Schema: schema, Now: time.Now}) {
		state := "ok   "
		if f.Do != "" {
			wrong++
			state = "WRONG"
		}
		con.print("%s %-15s %s\n", state, f.Check, f.Says)
		if f.Do != "" {
			con.print("      %-15s -> %s\n", "", f.Do)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of these need you", wrong)
	}
	return nil
}
