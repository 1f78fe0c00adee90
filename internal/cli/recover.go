//go:build !windows

package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/cli/terminal"
	"github.com/sallyport/sallyport/internal/ops/backup"
)

type recoverCmd struct {
	config.Storage `embed:""`
	Revocations    string `type:"path" placeholder:"FILE" help:"Log of revocations of the lost database, from backup --revocations: tokens that it does not revoke stay valid."`
}

// Run works on the database itself: a restored one must not be served before its tokens are dead.
func (c *recoverCmd) Run(con *terminal.Console) error {
	log, err := openLog(c.Revocations)
	if err != nil {
		return err
	}
	return recoverAll(con, c.Storage, log)
}

// openLog reads a log of revocations, if one is named.
func openLog(path string) (*backup.Log, error) {
	if path == "" {
		return nil, nil
	}
	return backup.OpenLog(path)
}

// recoverAll makes a restored database safe to serve, and says how. log may be nil.
func recoverAll(con *terminal.Console, s config.Storage, revoked *backup.Log) error {
	cfg := config.Defaults()
	cfg.Storage, cfg.LogLevel, cfg.Listen = s, "warn", "recover"
	log, err := newLogger(con.Err, cfg)
	if err != nil {
		return err
	}
	a, err := app.New(con.Ctx, app.Options{Config: cfg, Version: con.Version, Logger: log, Recovering: true})
	if err != nil {
		return err
	}
	said, err := recoverWith(con, a, revoked)
	if err = errors.Join(err, a.Close()); err == nil {
		con.Print("%s\n", said)
	}
	return err
}

// recoverWith returns what to tell.
func recoverWith(con *terminal.Console, a *app.App, revoked *backup.Log) (said string, err error) {
	if revoked != nil {
		said = fmt.Sprintf("%d entries of the log of revocations were applied: everything revoked until %s UTC stays revoked, and other tokens are valid. Users have to log in again.",
			revoked.Entries, time.UnixMilli(revoked.Taken).UTC().Format(time.DateTime))
		return said, a.RecoverWith(con.Ctx, revoked)
	}
	jwt, err := a.Recover(con.Ctx)
	if jwt == "" {
		return "Every token of this instance is revoked. No machine identity administers it: log in as a user who does.", err
	}
	return "Every token of this instance is revoked. The administrator's new token, which is shown only once:\n" + jwt, err
}
