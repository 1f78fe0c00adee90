package cli

import (
	_ "embed"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"text/template"

	"github.com/sallyport/sallyport/internal/config"
	"github.com/sallyport/sallyport/internal/id"
)

//go:embed walkthrough.txt
var walkthrough string

type devCmd struct {
	config.Server `embed:""`
}

// Run serves on a loopback address. At first start it sets the instance up and prints how to try it.
func (c *devCmd) Run(con *console) error {
	if err := checkLoopback(c.Listen); err != nil {
		return err
	}
	_, err := os.Stat(filepath.Join(c.DataDir, "sallyport.db"))
	first := os.IsNotExist(err)
	return serve(con, c.Server, func(baseURL string) error {
		if !first {
			_, err := fmt.Fprintf(con.out, "Sallyport serves on %s with the data in %s. The admin token was shown at first start.\n", baseURL, c.DataDir)
			return err
		}
		return c.welcome(con, baseURL)
	})
}

func (c *devCmd) welcome(con *console, baseURL string) error {
	setup, err := bootstrap(con.ctx, baseURL, "admin@localhost.local", id.Secret(16), "Dev")
	if err != nil {
		return err
	}
	page, err := template.New("walkthrough").Parse(walkthrough)
	if err != nil {
		return err
	}
	return page.Execute(con.out, map[string]string{"URL": baseURL, "Token": setup.Identity.Credentials.Token,
		"Org": setup.Organization.ID, "DataDir": c.DataDir})
}

func checkLoopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("--listen %q is not an address and a port such as 127.0.0.1:8080", listen)
	}
	if addr, err := netip.ParseAddr(host); host == "localhost" || err == nil && addr.IsLoopback() {
		return nil
	}
	return fmt.Errorf("dev serves this machine alone, and %s is not a loopback address; use serve for others", host)
}
