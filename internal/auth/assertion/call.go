package assertion

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/sallyport/sallyport/internal/base/fault"
)

// MaxReply bounds what is read of an issuer's answer, in bytes.
const MaxReply = 1 << 20

// retryAfter is when a caller had better come back after another caller's endpoint failed.
const retryAfter = 5 * time.Second

// Request is what an endpoint is asked.
type Request struct {
	Body   []byte // JSON to POST; nil means GET
	Bearer string // the token that authorizes the request, or ""
	Accept string // media types of the answer; "" means JSON
	Limit  int64  // of the answer, in bytes
}

// Call asks an endpoint and returns its status and its answer. TLS is always checked, redirects are not followed,
// private addresses are not called, and the answer is waited for at most as long as a login may take. An error is a
// fault that names the endpoint: Unavailable, or BadRequest where only another configuration would help.
func (s *Service) Call(ctx context.Context, e Endpoint, r Request) (status int, reply []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	status, reply, err = s.send(ctx, e, r)
	if err != nil {
		return 0, nil, s.explain(ctx, e, err)
	}
	if int64(len(reply)) > r.Limit {
		return 0, nil, e.Unavailable("answered with more than the %d bytes that are read of it", r.Limit)
	}
	return status, reply, nil
}

// send asks once, and again where a kept connection turns out to be dead: what is asked here changes nothing at the
// peer, so that asking again does no harm.
func (s *Service) send(ctx context.Context, e Endpoint, r Request) (int, []byte, error) {
	client, err := s.client(e.CACert)
	if err != nil {
		return 0, nil, err
	}
	status, reply, kept, err := exchange(ctx, client, e, r)
	if err == nil || !kept {
		return status, reply, err
	}
	// Whatever else is kept for this peer may be as dead as this connection was.
	client.CloseIdleConnections()
	if ctx.Err() != nil {
		return 0, nil, err
	}
	status, reply, _, err = exchange(ctx, client, e, r)
	return status, reply, err
}

// exchange sends a request and reads the answer. kept reports whether it went over a connection of an earlier request.
func exchange(ctx context.Context, client *http.Client, e Endpoint, r Request) (status int, reply []byte, kept bool, err error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { kept = c.Reused }})
	request, err := r.to(ctx, e)
	if err != nil {
		return 0, nil, false, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, kept, err
	}
	defer response.Body.Close()
	reply, err = io.ReadAll(io.LimitReader(response.Body, r.Limit+1))
	return response.StatusCode, reply, kept, err
}

// to makes the HTTP request.
func (r Request) to(ctx context.Context, e Endpoint) (*http.Request, error) {
	method := http.MethodGet
	if r.Body != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, e.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", cmp.Or(r.Accept, "application/json"))
	if r.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if r.Bearer != "" {
		request.Header.Set("Authorization", "Bearer "+r.Bearer)
	}
	return request, nil
}

// explain tells why there was no answer.
func (s *Service) explain(ctx context.Context, e Endpoint, err error) error {
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errPrivate):
		f := fault.New(fault.BadRequest, "The %s is in a private network, which this server does not call. Use a public address, or ask the operator to allow the network with --allow-private-networks.", e.Name)
		f.Reason = "private_address"
		return f.Because(err)
	case ctx.Err() != nil:
		return e.Unavailable("did not answer within %s", s.timeout).Because(err)
	case errors.As(err, &certificate):
		return e.Unavailable("shows a certificate that is not trusted; set the CA certificate that signed it").Because(err)
	}
	return e.Unavailable("cannot be reached").Because(err)
}

// Unavailable makes the fault of an endpoint that failed, so that the credentials could be neither accepted nor refused.
// what goes on from the endpoint's name.
func (e Endpoint) Unavailable(what string, args ...any) *fault.Error {
	f := fault.New(fault.Unavailable, "The %s of this identity's login method %s. The credentials were not checked; try again.", e.Name, fmt.Sprintf(what, args...))
	f.RetryAfter = retryAfter
	return f
}
