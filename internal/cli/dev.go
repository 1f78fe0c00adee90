//go:build !windows

package cli

import (
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"text/template"

	"github.com/alecthomas/kong"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/cli/remote"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

//go:embed walkthrough.txt
var walkthrough string

type devCmd struct {
	config.Server `embed:""`
}

// Run serves on a loopback address. At first start it sets the instance up and prints how to try it.
func (c *devCmd) Run(con *terminal.Console, call *kong.Context) error {
	if err := checkLoopback(c.Listen); err != nil {
		return err
	}
	if c.TLSCert != "" {
		return errors.New("dev serves this machine without TLS; use serve with --tls-cert")
	}
	c.Drain = 0 // no proxy is there to notice
	return serve(con, call, c.Server, func(r *running) error { return c.welcome(con, r) })
}

// welcome sets the instance up, unless that was done, and says how to go on. It asks the server rather than looks for
// files, so that a first start that was cut short is made up for. Nobody gets to know the password.
func (c *devCmd) welcome(con *terminal.Console, r *running) error {
	baseURL := r.url
	setup, err := bootstrap(con.Ctx, remote.Caller{BaseURL: baseURL}, "admin@localhost.local", id.Secret(16), "Dev", "")
	if isSetUp(err) {
		_, err := fmt.Fprintf(con.Out, "\nSallyport serves on %s with the data in %s.\nThe admin token was shown at the first start. To start again from nothing, stop the server and delete that folder.\n\n",
			baseURL, c.DataDir)
		return err
	}
	if err != nil {
		return err
	}
	page, err := template.New("walkthrough").Parse(walkthrough)
	if err != nil {
		return err
	}
	return page.Execute(con.Out, map[string]string{"URL": baseURL, "Token": setup.Identity.Credentials.Token,
		"Org": setup.Organization.ID, "DataDir": c.DataDir})
}

func checkLoopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("dev serves an address of this machine with a port, and not %q", listen)
	}
	if addr, err := netip.ParseAddr(host); host == "localhost" || err == nil && addr.IsLoopback() {
		return nil
	}
	return fmt.Errorf("dev serves only this machine, and %q is not a loopback address; use serve to serve others", host)
}
