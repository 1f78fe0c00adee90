// Package harness runs the whole server inside a test process, over real HTTP and on a real SQLite file, and calls it
// as clients do. It holds no expectations: those are the tests'.
package harness

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver of Server.DB

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/org"
)

// Server is a running server with its database.
type Server struct {
	URL   string
	App   *app.App
	Clock *Clock

	// DB is a second connection to the server's database, to look at what the API does not show and to break what a
	// client cannot break.
	DB *sql.DB

	// What Bootstrap made.
	OrgID   string
	AdminID string
	Admin   Client

	options app.Options
	http    *httptest.Server
	ended   chan struct{}
	stop    context.CancelFunc
}

// Option changes how a server is started.
type Option func(*app.Options)

// TrustProxies has the server believe the X-Forwarded-For of these addresses or ranges.
func TrustProxies(ranges ...string) Option {
	return func(o *app.Options) { o.Config.TrustedProxies = ranges }
}

// MaxBody sets the largest request body in bytes.
func MaxBody(most int64) Option {
	return func(o *app.Options) { o.Config.MaxBody = most }
}

// Database has the server work on the database with this URL. The field DB is then of no use.
func Database(url string) Option {
	return func(o *app.Options) { o.Config.DatabaseURL = url }
}

// Unswept has the server keep what nobody needs any more, for tests that watch for changes.
func Unswept(o *app.Options) { o.CleanEvery = time.Hour }

// New starts an empty server whose data lies in dir. Close it after use.
func New(dir string, options ...Option) (*Server, error) {
	s := &Server{Clock: newClock()}
	settings := defaults(dir)
	file := filepath.Join(dir, "sallyport.db")
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		if err := sqldbtest.NewFile(file); err != nil {
			return nil, err
		}
	}
	s.options = app.Options{Version: "test", Logger: logger(), Now: s.Clock.Now, Config: settings,
		PasswordCost: org.Cost{Passes: 1, KiB: 64, Lanes: 1}} // with the race detector a hash of full cost takes half a second
	for _, change := range options {
		change(&s.options)
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	var err error
	s.DB, err = sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)")
	return s, err
}

// defaults returns the default of every setting but two: a database in dir, and
// logins that may call this machine.
func defaults(dir string) config.Server {
	c := config.Defaults()
	c.DataDir = dir
	c.PrivateNets = []string{"127.0.0.1"} // where the issuers of the tests are
	return c
}

// logger shows what the server logs when E2E_LOG is set; otherwise tests would drown in expected errors.
func logger() *slog.Logger {
	if os.Getenv("E2E_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

// Start starts an empty server that ends with the test.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s, err := New(t.TempDir(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the server: %v", err)
		}
	})
	return s
}

// StartReady is Start and Bootstrap.
func StartReady(t testing.TB, options ...Option) *Server {
	t.Helper()
	s := Start(t, options...)
	if err := s.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	return s
}

// run builds the app and serves it, with what goes on beside requests, as `sallyport serve` does.
func (s *Server) run() error {
	a, err := app.New(context.Background(), s.options)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	s.App, s.stop, s.ended = a, stop, make(chan struct{})
	go func() {
		defer close(s.ended)
		a.Run(ctx)
	}()
	s.http = httptest.NewServer(a.Handler())
	s.URL = s.http.URL
	s.Admin.URL = s.URL
	return nil
}

// halt ends the app as a clean stop does: requests in flight, then what runs beside them, then the database.
func (s *Server) halt() error {
	s.http.Close()
	s.stop()
	<-s.ended
	return s.App.Close()
}

// Restart stops the server cleanly and starts it again on the same data. Its URL changes; clients made before it do not
// follow, except for Admin.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := errors.Join(s.halt(), s.run()); err != nil {
		t.Fatal(err)
	}
}

// Close ends the server.
func (s *Server) Close() error { return errors.Join(s.halt(), s.DB.Close()) }

// As returns a client that holds a token; "" for one that holds none.
func (s *Server) As(token string) Client { return Client{URL: s.URL, Token: token} }

// Bootstrap sets the server up through its API and fills in OrgID, AdminID and Admin.
func (s *Server) Bootstrap() error {
	org, admin, token, err := s.bootstrap("admin@example.com", "First")
	s.OrgID, s.AdminID, s.Admin = org, admin, s.As(token)
	return err
}

func (s *Server) bootstrap(email, name string) (orgID, adminID, token string, err error) {
	answer, err := s.As("").Do(http.MethodPost, "/api/v1/admin/bootstrap",
		map[string]any{"email": email, "password": "correct horse", "organization": name})
	if err != nil {
		return "", "", "", err
	}
	if answer.Status != http.StatusOK {
		return "", "", "", fmt.Errorf("bootstrap: %d %s", answer.Status, answer.Body)
	}
	return answer.str("organization.id"), answer.str("identity.id"), answer.str("identity.credentials.token"), nil
}

var others sync.Mutex

// OtherOrg makes a second organization and returns its id and a client of its administrator, who is no administrator
// of the instance. No route makes a second organization, so the instance is opened for one more bootstrap.
func (s *Server) OtherOrg(t testing.TB) (orgID string, admin Client) {
	t.Helper()
	others.Lock()
	defer others.Unlock()
	s.Exec(t, `UPDATE instance SET initialized = FALSE`)
	orgID, adminID, token, err := s.bootstrap(fmt.Sprintf("%s@example.com", RandomName()), "Other")
	if err != nil {
		t.Fatal(err)
	}
	s.Exec(t, `DELETE FROM instance_admins WHERE identity_id = ?`, adminID)
	return orgID, s.As(token)
}
