//go:build !windows

package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/sallyport/sallyport/internal/base/config"
)

// lookEvery is how often a handshake looks whether the files have changed, at most.
const lookEvery = 5 * time.Second

// certificates is what the server proves itself with, and whose client certificates it takes. It follows its files.
type certificates struct {
	files config.Listening
	log   *slog.Logger

	mu      sync.Mutex
	looked  time.Time
	changed [3]time.Time // of the files, when they were read
	current *tls.Config
}

func loadCertificates(files config.Listening, log *slog.Logger) (*certificates, error) {
	c := &certificates{files: files, log: log}
	return c, c.reload()
}

// config returns what a listener needs: each handshake gets the certificates as they are then.
func (c *certificates) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.latest(), nil }}
}

// latest looks at the files now and then. Where new ones cannot be used, the old ones go on.
func (c *certificates) latest() *tls.Config {
	c.mu.Lock()
	due := time.Since(c.looked) >= lookEvery
	if due {
		c.looked = time.Now()
		due = c.times() != c.changed
	}
	c.mu.Unlock()
	if due {
		if err := c.reload(); err != nil {
			c.log.Error("cannot read the changed certificates; the server goes on with those that it has", "error", err)
		} else {
			c.log.Info("the certificates have changed, and new connections use them")
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current
}

// times returns when each file changed.
func (c *certificates) times() (times [3]time.Time) {
	for i, path := range []string{c.files.TLSCert, c.files.TLSKey, c.files.TLSClientCA} {
		if info, err := os.Stat(path); err == nil {
			times[i] = info.ModTime()
		}
	}
	return times
}

// reload reads all files, and uses them if they can be used together.
func (c *certificates) reload() error {
	times := c.times()
	pair, err := tls.LoadX509KeyPair(c.files.TLSCert, c.files.TLSKey)
	if err != nil {
		return fmt.Errorf("the certificate in %s and the key in %s cannot be used: %w", c.files.TLSCert, c.files.TLSKey, err)
	}
	next := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{pair}}
	if c.files.TLSClientCA != "" {
		if next.ClientCAs, err = readCertificates(c.files.TLSClientCA); err != nil {
			return err
		}
		next.ClientAuth = tls.RequireAndVerifyClientCert
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current, c.changed, c.looked = next, times, time.Now()
	return nil
}

func readCertificates(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificates of --tls-client-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s contains no certificate in PEM form", path)
	}
	return pool, nil
}
