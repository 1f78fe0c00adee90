package password_test

import (
	"log/slog"
	"testing"

	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/feed"
	"github.com/sallyport/sallyport/internal/org"
	"github.com/sallyport/sallyport/internal/user/password"
)

func TestSignIn(t *testing.T) {
	db := sqldbtest.Open(t, sqldb.SQLite)
	f := feed.New(feed.Options{DB: db, Logger: slog.New(slog.DiscardHandler)})
	orgs := org.New(org.Options{DB: db, Feed: f, Cost: org.Cost{Passes: 1, KiB: 64, Lanes: 1}})
	hash, err := orgs.HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	way := password.SignIn(orgs)
	for name, c := range map[string]struct {
		stored, proof string
		want          bool
	}{
		"accepted/the password":    {hash, "correct horse", true},
		"refused/another password": {hash, "correct hors", false},
		"refused/no such user":     {"", "correct horse", false},
		"refused/nothing":          {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			if good, err := way.Verify(t.Context(), c.stored, c.proof); err != nil || good != c.want {
				t.Errorf("%v, %v; want %v", good, err, c.want)
			}
		})
	}
}
