// Package api is the console's client of the public API: the only place of the console that knows paths and bodies. It calls the
// API's handler in the same process, as the browser's user and from the browser's address. It holds no rules.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client calls the API.
type Client struct{ handler http.Handler }

// New returns a client of an API.
func New(handler http.Handler) *Client { return &Client{handler} }

// Caller calls the API on behalf of a browser.
type Caller struct {
	client  *Client
	browser *http.Request
	token   string
}

// For returns a Caller for the browser that sent a request, with the access token of its session; "" for none.
func (c *Client) For(browser *http.Request, token string) *Caller { return &Caller{c, browser, token} }

// passedOn are the headers of the browser that tell the API where a call comes from. With the address of the socket, the API
// makes of them what it would make of the browser's own call: for rate limits, trusted addresses and the audit log.
var passedOn = []string{"User-Agent", "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"}

// path joins escaped segments, so that a value cannot lead to another route.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// get reads a route into answer.
func (c *Caller) get(ctx context.Context, path string, query url.Values, answer any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return c.call(ctx, http.MethodGet, path, nil, answer)
}

// post sends a body to a route and reads the answer; nil for no body.
func (c *Caller) post(ctx context.Context, path string, body, answer any) error {
	return c.call(ctx, http.MethodPost, path, body, answer)
}

func (c *Caller) call(ctx context.Context, method, path string, body, answer any) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.RequestURI, request.Host, request.RemoteAddr = path, c.browser.Host, c.browser.RemoteAddr
	for _, name := range passedOn {
		if values := c.browser.Header[name]; len(values) > 0 {
			request.Header[name] = values
		}
	}
	request.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	got := &recorder{header: http.Header{}}
	c.client.handler.ServeHTTP(got, request)
	if got.status != http.StatusOK {
		return got.refusal()
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(got.body.Bytes(), answer)
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// ReadFrom spares a buffer.
func (r *recorder) ReadFrom(from io.Reader) (int64, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.ReadFrom(from)
}
