package org

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/crypto/argon2"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/id"
	"github.com/sallyport/sallyport/internal/base/limit"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/feed"
)

// each runs fn once an engine, with an empty instance.
func each(t *testing.T, fn func(t *testing.T, db *sqldb.DB)) {
	t.Helper()
	for _, engine := range []sqldb.Engine{sqldb.SQLite, sqldb.Postgres} {
		t.Run(string(engine), func(t *testing.T) {
			fn(t, sqldbtest.OpenWith(t, engine, sqldb.Options{Logger: slog.New(slog.DiscardHandler)}))
		})
	}
}

// service builds a service whose administrators come from makeAdmin.
func service(t *testing.T, db *sqldb.DB, makeAdmin func(context.Context, *sqldb.Tx, Organization) (Admin, error)) *Service {
	t.Helper()
	f := feed.New(feed.Options{DB: db, Logger: slog.New(slog.DiscardHandler)})
	s := New(Options{DB: db, Feed: f, Audit: audit.New(db, 0), Hashing: limit.NewLine(limit.NewBudget(0)), MakeUser: makeUser, MakeAdmin: makeAdmin})
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func anyAdmin(context.Context, *sqldb.Tx, Organization) (Admin, error) {
	return Admin{ID: id.New(), Name: "admin", Token: "a token"}, nil
}

// rows counts what a bootstrap makes.
func rows(t *testing.T, db *sqldb.DB) string {
	t.Helper()
	var counts []string
	for _, table := range []string{"organizations", "users", "memberships", "audit_logs"} {
		var n int
		if err := db.Get(t.Context(), &n, `SELECT count(*) FROM `+table); err != nil {
			t.Fatal(err)
		}
		counts = append(counts, fmt.Sprint(n, " ", table))
	}
	return strings.Join(counts, ", ")
}

const (
	nothing = "0 organizations, 0 users, 0 memberships, 0 audit_logs"
	one     = "1 organizations, 1 users, 1 memberships, 1 audit_logs"
)

// TestBootstrapHasOneWinner of 20 callers at once, half of them on another replica.
func TestBootstrapHasOneWinner(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		var made atomic.Int64
		count := func(ctx context.Context, tx *sqldb.Tx, o Organization) (Admin, error) {
			made.Add(1)
			return anyAdmin(ctx, tx, o)
		}
		replicas := []*Service{service(t, db, count), service(t, db, count)}
		var won, refused atomic.Int64
		var group sync.WaitGroup
		for n := range 20 {
			group.Go(func() {
				setup, err := replicas[n%2].Bootstrap(t.Context(), access.Client{IP: netip.AddrFrom4([4]byte{192, 0, 2, byte(n)})}, fmt.Sprintf("u%d@example.com", n), "tulip mantle gravel", "Org", "")
				switch {
				case err == nil && setup.Admin.Token == "a token":
					won.Add(1)
				case fault.Is(err, fault.BadRequest):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 || refused.Load() != 19 || made.Load() != 1 {
			t.Errorf("%d won, %d were refused, %d administrators were made; want 1, 19 and 1", won.Load(), refused.Load(), made.Load())
		}
		if got := rows(t, db); got != one {
			t.Errorf("there are %s", got)
		}
		if done, err := replicas[0].Initialized(t.Context()); err != nil || !done {
			t.Errorf("initialized %v, %v", done, err)
		}
	})
}

// TestBootstrapIsWholeOrNot: where its last part fails nothing is left, and it can be tried again.
func TestBootstrapIsWholeOrNot(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		down, fail := errors.New("down"), true
		s := service(t, db, func(ctx context.Context, tx *sqldb.Tx, o Organization) (Admin, error) {
			if fail {
				return Admin{}, down
			}
			return anyAdmin(ctx, tx, o)
		})
		if _, err := s.Bootstrap(t.Context(), access.Client{}, "a@example.com", "tulip mantle gravel", "Org", ""); !errors.Is(err, down) {
			t.Fatal(err)
		}
		if got := rows(t, db); got != nothing {
			t.Errorf("a failed bootstrap left %s", got)
		}
		if done, err := s.Initialized(t.Context()); err != nil || done {
			t.Errorf("initialized %v, %v", done, err)
		}
		fail = false
		setup, err := s.Bootstrap(t.Context(), access.Client{}, "a@example.com", "tulip mantle gravel", "Org", "")
		if err != nil {
			t.Fatal(err)
		}
		if got := rows(t, db); got != one {
			t.Errorf("there are %s", got)
		}
		found, err := s.Find(t.Context(), setup.Organization.ID)
		if err != nil || *found != setup.Organization || found.Name != "Org" {
			t.Errorf("found %+v, %v; want %+v", found, err, setup.Organization)
		}
		if u := setup.User; u.Email != "a@example.com" || !u.SuperAdmin {
			t.Errorf("the user is %+v", u)
		}
	})
}

// TestPasswordIsKeptAsAHash and nowhere else.
func TestPasswordIsKeptAsAHash(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		const password = "correct horse battery stable"
		if _, err := service(t, db, anyAdmin).Bootstrap(t.Context(), access.Client{}, "a@example.com", password, "Org", ""); err != nil {
			t.Fatal(err)
		}
		var hash, event string
		if err := db.Get(t.Context(), &hash, `SELECT password_hash FROM users`); err != nil {
			t.Fatal(err)
		}
		if err := db.Get(t.Context(), &event, `SELECT event_metadata || actor_metadata FROM audit_logs`); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(hash, password) || strings.Contains(event, password) || strings.Contains(event, hash) {
			t.Error("the password or its hash can be read")
		}
		checkHash(t, hash, password)
	})
}

var phc = regexp.MustCompile(`^\$argon2id\$v=19\$m=65536,t=3,p=4\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$`)

// checkHash computes the hash again from what the text itself says.
func checkHash(t *testing.T, hash, password string) {
	t.Helper()
	parts := phc.FindStringSubmatch(hash)
	if parts == nil {
		t.Fatalf("%s is no argon2id hash in PHC form with our costs", hash)
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if key := argon2.IDKey([]byte(password), salt, 3, 65536, 4, 32); base64.RawStdEncoding.EncodeToString(key) != parts[2] {
		t.Error("the hash is not that of the password")
	}
}

func TestHashesAreSalted(t *testing.T) {
	first, err := Cost{}.orRecommended().hash("same")
	if err != nil {
		t.Fatal(err)
	}
	second, err := Cost{}.orRecommended().hash("same")
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Error("the same password has the same hash")
	}
	checkHash(t, first, "same")
}

func TestFindUnknown(t *testing.T) {
	each(t, func(t *testing.T, db *sqldb.DB) {
		for _, orgID := range []string{id.New(), "", "x"} {
			if _, err := service(t, db, anyAdmin).Find(t.Context(), orgID); !fault.Is(err, fault.NotFound) {
				t.Errorf("%q: %v; want not found", orgID, err)
			}
		}
	})
}

func TestSlugs(t *testing.T) {
	form := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for name, begin := range map[string]string{
		"Acme": "acme-", "Acme, Inc.": "acme-inc-", "  x  ": "x-", "日本": "org-", "": "org-", "-": "org-",
		strings.Repeat("long name ", 50): "long-name-long-name-long-",
	} {
		var slugs []string
		for range 20 {
			slug := slugOf(name)
			if !strings.HasPrefix(slug, begin) || !form.MatchString(slug) || len(slug) > 32 {
				t.Errorf("the slug of %.20q is %q; want it to begin with %q", name, slug, begin)
			}
			slugs = append(slugs, slug)
		}
		slices.Sort(slugs)
		if n := len(slices.Compact(slugs)); n < 20 {
			t.Errorf("20 slugs of %.20q are %d", name, n)
		}
	}
}

func TestParseEmail(t *testing.T) {
	for text, want := range map[string]string{
		"a@example.com": "a@example.com", "Admin@Example.COM": "admin@example.com", "a+b@x.y": "a+b@x.y",
		"": "", "a": "", "a@": "", "@b": "", "A <a@example.com>": "", "a@b, c@d": "", "a b@c": "", "a@example.com\n": "",
	} {
		got, err := ParseEmail(text, "email")
		if got != want || (err == nil) != (want != "") || err != nil && !fault.Is(err, fault.Validation) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

// makeUser stands for the users above.
func makeUser(ctx context.Context, tx *sqldb.Tx, u User, hash string) error {
	_, err := tx.Exec(ctx, `INSERT INTO users (id, email, first_name, last_name, password_hash, super_admin, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, 0, 0)`, u.ID, u.Email, u.FirstName, u.LastName, hash, u.SuperAdmin)
	return err
}
