package assertion

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

// maxIdle bounds the connections to one host that are kept for the next login, and idleFor for how long.
const (
	maxIdle = 16
	idleFor = 60 * time.Second
)

// pingAfter is how long an HTTP/2 connection may be silent before it is asked whether it lives, and how long the answer
// may take. A peer that vanishes without a word, as a node does that is powered off, costs one login this delay twice.
const pingAfter = 2 * time.Second

// client returns what calls endpoints whose certificates a CA vouches for.
func (s *Service) client(caCert string) (*http.Client, error) {
	if c, ok := s.clients.GetIfPresent(caCert); ok {
		return c, nil
	}
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if caCert != "" {
		roots, ok := pool(caCert)
		if !ok {
			return nil, errors.New("the CA certificate cannot be read")
		}
		trust.RootCAs = roots
	}
	dialer := &net.Dialer{Control: s.guard}
	// Without Proxy: a proxy would call what the guard keeps us from calling.
	made := &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: trust, ForceAttemptHTTP2: true,
			HTTP2:               &http.HTTP2Config{SendPingTimeout: s.pingAfter, PingTimeout: s.pingAfter},
			MaxIdleConnsPerHost: maxIdle, MaxIdleConns: 4 * maxIdle, IdleConnTimeout: idleFor, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c, _ := s.clients.SetIfAbsent(caCert, made)
	return c, nil
}
