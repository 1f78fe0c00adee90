package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/ops/transfer"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// installation is a server's data in a folder, while the server is stopped.
type installation struct{ dir string }

func (i installation) url() string { return "sqlite:" + filepath.Join(i.dir, "sallyport.db") }

// install runs a server, has fill call it, and stops it.
func install(t testing.TB, fill func(s *harness.Server)) installation {
	t.Helper()
	dir := t.TempDir()
	s, err := harness.New(dir)
	if err == nil {
		err = s.Bootstrap()
	}
	if err != nil {
		t.Fatal(err)
	}
	fill(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return installation{dir}
}

// bootstrapped is a folder with what a bootstrap makes. It is made once, since hashing a password is slow on purpose.
var bootstrapped = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "transfer-")
	if err != nil {
		return "", err
	}
	s, err := harness.New(dir)
	if err == nil {
		err = errors.Join(s.Bootstrap(), s.Close())
	}
	return dir, err
})

// small is an installation with nothing but what a bootstrap makes, and events: audit events that fill batches.
func small(t testing.TB, events int) installation {
	t.Helper()
	from, err := bootstrapped()
	i := installation{t.TempDir()}
	if err == nil {
		err = os.CopyFS(i.dir, os.DirFS(from))
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, i.url(), manyEvents, events)
	return i
}

// manyEvents inserts $1 audit events of the only organization.
const manyEvents = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
	INSERT INTO audit_logs (id, org_id, project_id, actor_type, actor_id, actor_metadata, event_type, event_metadata, ip, user_agent,
	user_agent_type, request_id, created_at, expires_at)
	SELECT printf('00000000-0000-7000-8000-%012d', i), (SELECT min(id) FROM organizations), NULL, 'platform', NULL, '{}', 'test',
	'{"identityId":"' || i || '"}', '192.0.2.1', 'agent', 'other', printf('%032d', i), i, 9000000000000 + i FROM n`

// serve starts a server on a PostgreSQL database with the root key of an installation. It ends with the test.
func (i installation) serve(t testing.TB, url string) *harness.Server {
	t.Helper()
	return harness.Start(t, func(o *app.Options) {
		o.Config.DatabaseURL, o.Config.RootKeyFile = url, filepath.Join(i.dir, seal.RootFile)
	})
}

func (i installation) root(t testing.TB) *seal.Key {
	t.Helper()
	key, _, err := seal.Root("", filepath.Join(i.dir, seal.RootFile), "")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// move opens both sides as the command does, and moves.
func (i installation) move(ctx context.Context, t testing.TB, to string, change ...func(*transfer.Options)) (*transfer.Result, error) {
	t.Helper()
	o := transfer.Options{Source: open(t, i.url()), Target: open(t, to), Root: i.root(t), From: "the source", To: "the target"}
	defer o.Source.Close()
	defer o.Target.Close()
	for _, fn := range change {
		fn(&o)
	}
	return transfer.Run(ctx, o)
}

func (i installation) mustMove(t testing.TB, to string) *transfer.Result {
	t.Helper()
	r, err := i.move(t.Context(), t, to)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// report has the move tell its progress to fn.
func report(fn func(transfer.Progress)) func(*transfer.Options) {
	return func(o *transfer.Options) { o.Report = fn }
}

// servable returns why a server does not start on a database of the installation; "" for its own.
func (i installation) servable(t testing.TB, url string, recovering bool) error {
	t.Helper()
	o := app.Options{Config: config.Defaults(), Version: "test", Logger: slog.New(slog.DiscardHandler), Recovering: recovering}
	o.Config.DataDir, o.Config.DatabaseURL, o.Config.RootKeyFile = i.dir, url, filepath.Join(i.dir, seal.RootFile)
	a, err := app.New(t.Context(), o)
	if err != nil {
		return err
	}
	return a.Close()
}

func target(t testing.TB) string { return sqldbtest.URL(t, sqldb.Postgres) }

func open(t testing.TB, url string) *sqldb.DB {
	t.Helper()
	db, err := sqldb.Open(context.WithoutCancel(t.Context()), sqldb.Options{URL: url, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// run runs one statement on a database that nobody else has open for writing.
func run(t testing.TB, url, query string, args ...any) {
	t.Helper()
	db := open(t, url)
	execute(t, db, query, args...)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func execute(t testing.TB, db *sqldb.DB, query string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sqldb.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mustSay fails the test unless err has these words.
func mustSay(t testing.TB, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(fmt.Sprint(err), word) {
			t.Fatalf("the error lacks %q: %v", word, err)
		}
	}
}
