// Package remote owns how commands call a server over HTTP, and what its refusals mean for them. It does not know the routes.
package remote

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// answerWithin and maxAnswer bound how long a command waits for the server, and how many bytes of an answer it reads.
const (
	answerWithin = time.Minute
	maxAnswer    = 256 << 20
)

// Caller calls a server as the holder of a token; empty for none.
type Caller struct {
	BaseURL, Token string
	Agent          string       // what the server's audit log shows as user agent
	Client         *http.Client // nil for one that trusts what the system trusts
}

// NewClient returns a client that follows no redirect: a password goes where it was meant to go and nowhere else. It also
// trusts the certificates in a PEM file, if one is named.
func NewClient(caFile string) (*http.Client, error) {
	client := &http.Client{Timeout: answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if caFile == "" {
		return client, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificates: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s contains no certificate in PEM form", caFile)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	client.Transport = transport
	return client, nil
}

// CheckPlain refuses a URL whose connection others on the network could read, unless plain allows that.
func CheckPlain(baseURL string, plain bool) error {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return notABaseURL(baseURL)
	}
	ip := net.ParseIP(u.Hostname())
	if plain || u.Scheme == "https" || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("http://%s is not encrypted, and others could read your token; use https://, or allow it with --plain-http", u.Host)
}

func notABaseURL(text string) error {
	return fmt.Errorf("%q is not the base URL of a server, such as http://127.0.0.1:8080", text)
}

// Post sends a JSON body and reads the JSON answer. An error answer of the server becomes a *Refusal.
func (c Caller) Post(ctx context.Context, path string, body, answer any) error {
	return c.Send(ctx, http.MethodPost, path, body, answer)
}

// Send is Post by any method.
func (c Caller) Send(ctx context.Context, method, path string, body, answer any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.call(ctx, method, path, bytes.NewReader(text), answer)
}

// Get is Post without a body.
func (c Caller) Get(ctx context.Context, path string, answer any) error {
	return c.call(ctx, http.MethodGet, path, http.NoBody, answer)
}

// Delete is Get by the method DELETE.
func (c Caller) Delete(ctx context.Context, path string, answer any) error {
	return c.call(ctx, http.MethodDelete, path, http.NoBody, answer)
}

func (c Caller) call(ctx context.Context, method, path string, body io.Reader, answer any) error {
	base := strings.TrimSuffix(strings.TrimSuffix(c.BaseURL, "/"), "/api")
	request, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return notABaseURL(c.BaseURL)
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.Agent != "" {
		request.Header.Set("User-Agent", c.Agent)
	}
	request.Header.Set("Content-Type", "application/json")
	client := c.Client
	if client == nil {
		if client, err = NewClient(""); err != nil {
			return err
		}
	}
	response, err := client.Do(request)
	if ctx.Err() != nil {
		return errors.New("interrupted before the server answered")
	}
	var scheme *url.Error
	if errors.As(err, &scheme) && strings.Contains(scheme.Err.Error(), "unsupported protocol scheme") {
		return notABaseURL(c.BaseURL)
	}
	if err != nil {
		return terminal.Exit(terminal.Unavailable, fmt.Errorf("cannot reach the server at %s; is it running? %w", c.BaseURL, err))
	}
	defer response.Body.Close()
	return read(response, answer)
}

// read decodes a good answer. An answer of nil is not looked at.
func read(response *http.Response, answer any) error {
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	if answer == nil {
		answer = &json.RawMessage{}
	}
	refused := &Refusal{}
	switch {
	case response.StatusCode == http.StatusOK && (len(text) == 0 || json.Unmarshal(text, answer) == nil):
		return nil
	case response.StatusCode != http.StatusOK && json.Unmarshal(text, refused) == nil && refused.Name != "":
		return refused
	}
	return fmt.Errorf("the server answered %s, but not as Sallyport does; check the address", response.Status)
}
