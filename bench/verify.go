package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/token"
)

// verifications is how many tokens one round verifies.
const verifications = 100_000

var loopback = netip.MustParseAddr("127.0.0.1")

// verify measures the check of a token that was seen before, without HTTP. The database is closed by then: a check that
// asked it anything would fail.
func verify(b *bench) ([]line, error) {
	tokens, db, err := b.tokens()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	issued, err := tokens.Mint(b.ctx, token.Grant{IdentityID: id.New(), IdentityName: "bench", OrgID: id.New(), Method: token.TokenAuth,
		Limits: token.Limits{TTL: 3600, MaxTTL: 3600}, Born: tokens.Birth()})
	if err != nil {
		return nil, err
	}
	check := func() error {
		_, err := tokens.Verify(b.ctx, issued.AccessToken, loopback)
		return err
	}
	if err := errors.Join(check(), db.Close()); err != nil {
		return nil, err
	}
	if err := db.Get(b.ctx, new(int64), `SELECT 1`); !errors.Is(err, sqldb.ErrClosed) {
		return nil, fmt.Errorf("the database still answers after its end: %w", err)
	}
	jwt := []byte(issued.AccessToken)
	c, err := compare(
		func() (float64, error) {
			return perCall(func() error { runtime.KeepAlive(sha256.Sum256(jwt)); return nil })
		},
		func() (float64, error) { return perCall(check) })
	allocations := testing.AllocsPerRun(1000, func() { _ = check() })
	return []line{
		{what: "verify a token, warm, with the database closed (floor: SHA-256 of it)", unit: "ns", floor: c.floor, ours: c.ours, most: 3000},
		{what: "- memory allocations of that", unit: "", ours: allocations, most: 40},
	}, err
}

// ability measures whether an ability of 50 rules, each with three conditions, allows the reading of a secret.
func ability(*bench) ([]line, error) {
	var rules []access.Rule
	for i := range 50 {
		rules = append(rules, access.Rule{Subject: access.SubjectSecrets, Actions: access.Actions{access.ReadValue}, Inverted: i%5 == 4,
			Conditions: access.Conditions{
				"environment": map[string]any{"$in": []any{"dev", fmt.Sprint("env-", i)}},
				"secretPath":  map[string]any{"$glob": fmt.Sprintf("/team-%d/*/config/**", i)},
				"secretName":  map[string]any{"$ne": "ROOT"},
			}})
	}
	compiled, err := access.CompileProject(rules)
	if err != nil {
		return nil, err
	}
	actor := &access.Actor{Rights: access.Rights{Ability: compiled}}
	const path = "/team-0/x/config/db" // the first rule alone allows it, and the last are asked first
	fields := access.Fields{access.Environment("dev"), access.SecretPath(path), access.SecretName("A")}
	c, err := compare(
		func() (float64, error) {
			return perCall(func() error { runtime.KeepAlive(sha256.Sum256([]byte(path))); return nil })
		},
		func() (float64, error) {
			return perCall(func() error {
				if allowed, err := actor.Allows(access.ReadValue, access.SubjectSecrets, fields); err != nil || !allowed {
					return errors.New("the ability allows less than its rules")
				}
				return nil
			})
		})
	return []line{{what: "check an ability of 50 rules with conditions (floor: SHA-256 of a path)", unit: "ns", floor: c.floor, ours: c.ours, most: 2000}}, err
}

// perCall returns how many nanoseconds one call of fn takes.
func perCall(fn func() error) (float64, error) {
	begin := time.Now()
	for range verifications {
		if err := fn(); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(begin).Nanoseconds()) / verifications, nil
}

// tokens returns a token service on a database of its own.
func (b *bench) tokens() (*token.Service, *sqldb.DB, error) {
	dir, err := b.folder()
	if err != nil {
		return nil, nil, err
	}
	db, err := sqldb.Open(b.ctx, sqldb.Options{URL: sqliteURL(dir), Logger: silent})
	if err != nil {
		return nil, nil, err
	}
	s, err := b.tokensOn(db, feed.New(feed.Options{DB: db, Logger: silent}), dir)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return s, db, nil
}

// tokensOn returns a token service on a database, with the root key in a folder. Like the server's, it looks trusted
// addresses up in a cache that follows the log of changes.
func (b *bench) tokensOn(db *sqldb.DB, log *feed.Feed, dir string) (*token.Service, error) {
	root, _, err := seal.Root("", "", dir)
	if err != nil {
		return nil, err
	}
	trusted := feed.NewCache[*access.IPList](log, feed.Config, 1000, nil)
	s := token.New(token.Options{DB: db, Feed: log, Audit: audit.New(db, 0), Root: root, Logger: silent,
		AddressAllowed: func(ctx context.Context, identityID, method string, ip netip.Addr) (bool, error) {
			list, err := trusted.Load(ctx, feed.Key(identityID, method), anywhere)
			return list.Allows(ip), err
		},
		Limits: func(context.Context, string, string) (token.Limits, error) { return token.Limits{}, nil }})
	return s, errors.Join(log.Start(b.ctx), s.Start(b.ctx))
}

// anywhere is the list of trusted addresses that an identity has by default.
func anywhere(context.Context) (*access.IPList, error) {
	none := 0
	return access.CompileIPs([]access.IPRule{{IPAddress: "0.0.0.0", Type: "ipv4", Prefix: &none}, {IPAddress: "::", Type: "ipv6", Prefix: &none}})
}
