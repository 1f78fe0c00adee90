package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/config"
)

type recoverCmd struct {
	config.Storage `embed:""`
}

// Run works on the database itself: a restored one must not be served before its tokens are dead.
func (c *recoverCmd) Run(con *console) error {
	cfg := config.Server{Storage: c.Storage, Lease: 2 * time.Second,
		LogLevel: "warn", LogFormat: "text", Listen: "recover"}
	log, err := newLogger(con.err, cfg)
	if err != nil {
		return err
	}
	a, err := app.New(con.ctx, app.Options{Config: cfg, Version: con.version, Logger: log, Recovering: true})
	if err != nil {
		return err
	}
	jwt, err := a.Recover(con.ctx)
	switch {
	case err != nil:
	case jwt == "":
		_, err = fmt.Fprintln(con.out, "Every token of this instance is dead. No machine identity administers it: log in as a user who does.")
	default:
		_, err = fmt.Fprintf(con.out, "Every token of this instance is dead. The administrator's new one, shown this once:\n%s\n", jwt)
	}
	return errors.Join(err, a.Close())
}
