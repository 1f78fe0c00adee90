package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/sallyport/sallyport/test/load/result"
	"github.com/sallyport/sallyport/test/load/target"
)

// Bounds of a run. More would measure this program.
const (
	maxCallers  = 1024
	maxRate     = 100_000
	maxDuration = time.Hour
	maxStock    = 200_000
	maxMass     = 100_000
	maxSecrets  = 10_000
	maxPoints   = 32
)

// load is what run and sweep have in common.
type load struct {
	URL       []string      `required:"" placeholder:"URL" help:"Base URL of the server, such as http://127.0.0.1:8080. Of several replicas give each; a revoked token is then used at another one than revoked it."`
	TokenFile string        `type:"path" placeholder:"FILE" help:"File with the access token of an identity that may make identities and projects. Without it the token is read from SALLYPORT_TOKEN; it is never a flag, because others can see flags."`
	Own       bool          `name:"i-own-this-server" help:"Load also a server that is not on this machine."`
	Mix       string        `default:"verify" help:"Operations and their weights, such as verify=80,read=15,revoke-then-use=5. Operations: verify, read, list, poll, login, create-token, revoke, revoke-then-use, mass-revoke."`
	Duration  time.Duration `default:"10s" help:"For how long is measured, at most 1h."`
	WarmUp    time.Duration `default:"1s" help:"For how long nothing is measured at first, at most 1h."`
	MaxErrors float64       `default:"0.01" help:"Share of the requests that may fail before the run ends, from 0 to 1."`
	Stock     int           `default:"0" help:"Tokens made beforehand for revoke and revoke-then-use, at most 200000; the run ends when they are used up. 0: as many as the rate needs, or 3000 a second in a closed loop."`
	Secrets   int           `default:"100" help:"Secrets in the folder that read, list and poll read, at most 10000."`
	Mass      int           `default:"1000" help:"Tokens that one mass-revoke kills, at most 100000."`
	Label     string        `help:"What plots call this run, where several are in one picture."`
	JSON      string        `name:"json" type:"path" placeholder:"FILE" help:"File for the results."`
}

// options checks the flags.
func (l *load) options(con console, points []point) (target.Options, error) {
	o := target.Options{Secrets: l.Secrets, Mass: l.Mass}
	if err := errors.Join(l.check(), checkPoints(points)); err != nil {
		return o, err
	}
	for _, at := range l.URL {
		base, err := l.base(at)
		if err != nil {
			return o, err
		}
		o.URLs = append(o.URLs, base)
	}
	var err error
	if o.Mix, err = target.ParseMix(l.Mix); err != nil {
		return o, err
	}
	o.Token, err = l.token(con)
	o.Name = "sallyport-load " + runID()
	return o, err
}

func (l *load) check() error {
	for _, n := range []struct {
		flag               string
		value, least, most float64
	}{
		{"duration (seconds)", l.Duration.Seconds(), 0.01, maxDuration.Seconds()}, {"warm-up (seconds)", l.WarmUp.Seconds(), 0, maxDuration.Seconds()},
		{"max-errors", l.MaxErrors, 0, 1}, {"stock", float64(l.Stock), 0, maxStock}, {"secrets", float64(l.Secrets), 1, maxSecrets},
		{"mass", float64(l.Mass), 1, maxMass}, {"number of --url", float64(len(l.URL)), 1, 16},
	} {
		if !(n.value >= n.least && n.value <= n.most) { // so that NaN is refused
			return fmt.Errorf("--%s must be between %g and %g", n.flag, n.least, n.most)
		}
	}
	return nil
}

func checkPoints(points []point) error {
	if len(points) == 0 || len(points) > maxPoints {
		return fmt.Errorf("a sweep has between 1 and %d points: give --rates or --callers", maxPoints)
	}
	for _, p := range points {
		if p.callers < 1 || p.callers > maxCallers {
			return fmt.Errorf("the number of callers must be between 1 and %d", maxCallers)
		}
		if p.rate != 0 && !(p.rate >= 0.01 && p.rate <= maxRate) {
			return fmt.Errorf("a rate must be between 0.01 and %d operations a second", maxRate)
		}
	}
	return nil
}

// base returns a base URL in the form that paths can be put behind, if it may be loaded.
func (l *load) base(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("--url must be the base URL of a server, such as http://127.0.0.1:8080, without user, query or fragment")
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if here := u.Hostname() == "localhost" || err == nil && addr.IsLoopback(); !here && !l.Own {
		return "", fmt.Errorf("%s is not on this machine; say --i-own-this-server if it is yours to load", u.Host)
	}
	return strings.TrimSuffix(strings.TrimSuffix(u.String(), "/"), "/api"), nil
}

// maxToken bounds what is read of a token file.
const maxToken = 64 << 10

func (l *load) token(con console) (string, error) {
	text := con.env("SALLYPORT_TOKEN")
	if l.TokenFile != "" {
		file, err := os.Open(l.TokenFile)
		if err != nil {
			return "", err
		}
		defer file.Close()
		read, err := io.ReadAll(io.LimitReader(file, maxToken))
		if err != nil {
			return "", err
		}
		text = string(read)
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text, " \t\r\n") {
		return "", errors.New("give one access token in --token-file or in SALLYPORT_TOKEN")
	}
	return text, nil
}

// runID returns a few letters that tell the things of one run from those of another.
func runID() string {
	raw := make([]byte, 4)
	_, _ = rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

func (l *load) settings(o target.Options) result.Settings {
	return result.Settings{URLs: o.URLs, Mix: o.Mix.String(), Label: l.Label, WarmUp: l.WarmUp.Seconds(), Duration: l.Duration.Seconds(),
		MaxErrors: l.MaxErrors, Secrets: l.Secrets, Mass: l.Mass}
}
