//go:build !windows

package cli

import (
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
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
	if err != nil && !isSetUp(err) {
		return err
	}
	link, linkErr := c.link(con, r)
	if linkErr != nil {
		return linkErr
	}
	if err != nil {
		_, err := fmt.Fprintf(con.Out, "\nSallyport serves on %s with the data in %s.\n%sThe admin token was shown at the first start. To start again from nothing, stop the server and delete that folder.\n\n",
			baseURL, c.DataDir, link)
		return err
	}
	page, err := template.New("walkthrough").Parse(walkthrough)
	if err != nil {
		return err
	}
	return page.Execute(con.Out, map[string]string{"URL": baseURL, "Token": setup.Identity.Credentials.Token,
		"Org": setup.Organization.ID, "DataDir": c.DataDir, "Link": link})
}

// link returns the lines that lead to the console, signed in. The host is localhost, because browsers allow more there than on
// an address. Without a console, or where no user administers the instance any more, there are none.
func (c *devCmd) link(con *terminal.Console, r *running) (string, error) {
	if !c.Console {
		return "", nil
	}
	code, email, err := r.app.SignInCode(con.Ctx)
	if err != nil || code == "" {
		return "", err
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(r.url, "http://"))
	return fmt.Sprintf("\nOpen the console, signed in as %s. The link works once, within 10 minutes:\n\n  http://localhost:%s/link/%s\n\n", email, port, code), err
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
