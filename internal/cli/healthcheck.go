//go:build !windows

package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/cli/terminal"
)

type healthcheckCmd struct {
	Listen         string        `default:"127.0.0.1:8080" env:"SALLYPORT_LISTEN" help:"Address of the server, as in its settings."`
	InternalListen string        `env:"SALLYPORT_INTERNAL_LISTEN" help:"Internal address of the server, as in its settings. It comes first."`
	TLSCert        string        `name:"tls-cert" env:"SALLYPORT_TLS_CERT" type:"path" help:"The certificate of the server, as in its settings, if it speaks TLS."`
	Ready          bool          `help:"Ask whether the server can work, with its database. Default: whether its process lives."`
	Timeout        time.Duration `default:"3s" help:"How long to wait for the answer."`
}

// Run asks the server of this machine, as a container engine does in the server's own container.
func (c *healthcheckCmd) Run(con *terminal.Console) error {
	address, scheme := c.Listen, "http"
	if c.InternalListen != "" {
		address = c.InternalListen
	} else if c.TLSCert != "" {
		scheme = "https"
	}
	path := "/healthz"
	if c.Ready {
		path = "/readyz"
	}
	request, err := http.NewRequestWithContext(con.Ctx, http.MethodGet, scheme+"://sallyport"+path, http.NoBody)
	if err != nil {
		return err
	}
	response, err := c.client(address).Do(request)
	if err != nil {
		return terminal.Exit(terminal.Unavailable, fmt.Errorf("the server at %s does not answer: %w", address, err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return terminal.Exit(terminal.Unavailable, fmt.Errorf("the server at %s answered %s", address, response.Status))
	}
	con.Print("ok\n")
	return nil
}

// client reaches an address as the server listens on it. Nothing secret is sent, and the answer is not trusted with anything, so
// that the certificate, which has the public name of the server, is not checked.
func (c *healthcheckCmd) client(address string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		if path := config.UnixSocket(address); path != "" {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, errors.New("the address has no port")
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "localhost"
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	}
	return &http.Client{Timeout: c.Timeout, Transport: &http.Transport{DialContext: dial,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}}} //nolint:gosec // the comment says why
}
