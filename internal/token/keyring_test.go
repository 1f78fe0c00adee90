package token

import (
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/feed"
)

// unstarted builds a service without starting it.
func unstarted(db *sqldb.DB, root *seal.Key) *Service {
	log := slog.New(slog.DiscardHandler)
	return New(Options{DB: db, Feed: feed.New(feed.Options{DB: db, Logger: log}), Audit: audit.New(db, 0), Root: root, Logger: log})
}

func TestWrongRootKeyIsRefusedInWords(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		before := f.keyCount()
		err := unstarted(f.db, rootKey(t, 8)).Start(t.Context())
		if err == nil {
			t.Fatal("started with a root key that does not open the database")
		}
		for _, word := range []string{"root key", "another one"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("the error %q does not say %q", err, word)
			}
		}
		if after := f.keyCount(); after != before {
			t.Errorf("%d keys after the refused start; want %d", after, before)
		}
	})
}

func (f *fixture) keyCount() (n int) {
	f.t.Helper()
	if err := f.db.Get(f.t.Context(), &n, `SELECT count(*) FROM signing_keys`); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// TestReplicasThatStartAtOnceMakeOneKey opens a new database several times, where the engine allows it.
func TestReplicasThatStartAtOnceMakeOneKey(t *testing.T) {
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			const replicas = 6
			url := sqldbtest.URL(t, engine)
			quiet := sqldb.Options{URL: url, Logger: slog.New(slog.DiscardHandler)}
			shared := sqldbtest.OpenWith(t, engine, quiet)
			services := make([]*Service, replicas)
			for n := range services {
				db := shared
				if engine == sqldb.Postgres {
					db = sqldbtest.OpenWith(t, engine, quiet)
				}
				services[n] = unstarted(db, rootKey(t, 7))
			}
			var group sync.WaitGroup
			for _, s := range services {
				group.Go(func() {
					if err := s.Start(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if t.Failed() {
				return
			}
			kid := kidOf(t, services[0]) // fails where there are several
			for _, s := range services {
				if kidOf(t, s) != kid {
					t.Error("two replicas sign with different keys")
				}
			}
		})
	}
}

// TestKeysSurviveARestart: what was signed before verifies after.
func TestKeysSurviveARestart(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		issued := f.mint(f.grant())
		want(t, f.restart().verify(issued.AccessToken), "")
		if n := f.keyCount(); n != 1 {
			t.Errorf("%d keys; want one", n)
		}
	})
}

// TestJWKS: the published keys verify tokens, by a library that knows nothing of us, and hold nothing private.
func TestJWKS(t *testing.T) {
	f := newFixture(t, sqldb.SQLite)
	issued := f.mint(f.grant())
	out, err := f.jwksRoute(t.Context(), access.Client{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := encode(t, out.Body)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%s: %v", text, err)
	}
	if key := set.Keys[0]; !key.IsPublic() || !key.Valid() || key.Use != "sig" || key.Algorithm != "ES256" || strings.Contains(string(text), `"d"`) {
		t.Errorf("the key is not a public signing key: %s", text)
	}
	jws, err := jose.ParseSignedCompact(issued.AccessToken, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jws.Verify(set); err != nil {
		t.Error(err)
	}
}

// TestPrivateKeysAreSealed: the database alone signs nothing.
func TestPrivateKeysAreSealed(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		rows, err := signingKeys(t.Context(), f.db)
		if err != nil {
			t.Fatal(err)
		}
		private, err := openKey(rows[0], f.root)
		if err != nil {
			t.Fatal(err)
		}
		secret, err := private.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{string(secret), base64.RawURLEncoding.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret)} {
			if strings.Contains(string(rows[0].Sealed), form) || strings.Contains(rows[0].Public, form) {
				t.Error("the private key lies open in its row")
			}
		}
		moved := rows[0]
		moved.ID = "another-row"
		if _, err := openKey(moved, f.root); err == nil {
			t.Error("a sealed key opens in another row")
		}
	})
}

func (f *fixture) admin() *access.Actor {
	a := f.actor()
	a.InstanceAdmin = true
	return a
}

// kid returns the id of the key that a token says it was signed with.
func kid(t *testing.T, jwt string) string {
	t.Helper()
	jws, err := jose.ParseSignedCompact(jwt, algorithms)
	if err != nil {
		t.Fatal(err)
	}
	return jws.Signatures[0].Protected.KeyID
}

func TestRotateKeys(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		replicas := f.replicas()
		old := f.mint(f.grant())
		if _, err := f.RotateKeys(t.Context(), f.actor()); reason(err) != "forbidden" {
			t.Fatalf("somebody who is no instance administrator rotated: %v", err)
		}
		fresh, err := f.RotateKeys(t.Context(), f.admin())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range replicas {
			if got := kid(t, r.mint(r.grant()).AccessToken); got == fresh {
				t.Error("the new key signs before it was published for long enough")
			}
		}
		f.clock.advance(KeyActivation)
		for _, r := range append(replicas, f.restart()) {
			issued := r.mint(r.grant())
			if got := kid(t, issued.AccessToken); got != fresh {
				t.Errorf("signed by %s; want the new key %s", got, fresh)
			}
			for _, verifier := range replicas {
				want(t, verifier.verify(issued.AccessToken), "")
				want(t, verifier.verify(old.AccessToken), "")
			}
		}
	})
}

// TestDropKeys: a key goes when no token that it signed can live any more, and not before.
func TestDropKeys(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		drop := func(want int64) {
			t.Helper()
			if n, err := f.DropKeys(t.Context(), 100); err != nil || n != want {
				t.Fatalf("%d keys were dropped, %v; want %d", n, err, want)
			}
		}
		f.clock.advance(24 * time.Hour)
		if _, err := f.RotateKeys(t.Context(), f.admin()); err != nil {
			t.Fatal(err)
		}
		f.clock.advance(KeyActivation - time.Millisecond)
		longest := f.grant()
		longest.TTL, longest.MaxTTL = 0, 0
		issued := f.mint(longest) // the last one that the old key signs
		f.clock.ms.Store(f.clock.ms.Load()/1000*1000 + issued.ExpiresIn*1000 - 1000)
		drop(0)
		want(t, f.verify(issued.AccessToken), "")
		f.clock.advance(time.Second)
		want(t, f.verify(issued.AccessToken), "expired")
		drop(0) // slack for clocks that are set back
		f.clock.advance(feed.ClockSlack + 2*time.Second)
		drop(1)
		drop(0) // the last key stays for ever
		want(t, f.verify(f.mint(f.grant()).AccessToken), "")
		want(t, f.verify(issued.AccessToken), "signature")
	})
}

// TestCutInstance: after a restore every token is dead on every replica, and new ones work.
func TestCutInstance(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		replicas := f.replicas()
		old := f.mint(f.grant())
		for _, r := range replicas {
			want(t, r.verify(old.AccessToken), "")
		}
		if err := f.CutInstance(t.Context(), f.admin()); err != nil {
			t.Fatal(err)
		}
		for _, r := range append(replicas, f.restart()) {
			want(t, r.verify(old.AccessToken), "signature")
			if !r.Dead(old.Row) {
				t.Error("the row does not show as dead")
			}
			want(t, r.verify(r.mint(r.grant()).AccessToken), "")
		}
	})
}
