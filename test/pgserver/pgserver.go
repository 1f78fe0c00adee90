// Package pgserver owns private PostgreSQL servers for tests: it starts one in a temporary folder, breaks it in the ways that a
// test asks for, and takes it away. What is in its databases is the business of the caller.
package pgserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Server is a PostgreSQL server. It listens on a socket in its folder and on no network, and it ends with this process, however
// that ends.
type Server struct {
	Dir string // its socket, its log, and its data in "data"

	databases atomic.Int64
	mu        sync.Mutex
	orders    io.WriteCloser // to the supervisor, which ends when it is closed, even by the garbage collector
	words     *bufio.Reader  // from the supervisor
}

// Options says how to make a server. The zero value has PostgreSQL's usual durability.
type Options struct {
	Dir      string            // where its folder is made; "" means the folder for temporary files
	Settings map[string]string // of postgresql.conf, values quoted as there
	Primary  *Server           // makes a streaming standby of this server
	Preload  string            // a library that its programs load first (ld.so(8), LD_PRELOAD); "" for none
	NoSync   bool              // nothing is synced to disk, for tests without power cuts
}

// noSync are the settings of a server that only has to be fast.
var noSync = map[string]string{"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "shared_buffers": "64MB"}

// Start makes a server and starts it. Close it after use.
func Start(o Options) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	s := &Server{}
	if s.Dir, err = os.MkdirTemp(o.Dir, "sallyport-postgres-"); err != nil {
		return nil, err
	}
	if err := s.supervise(bin, o.Preload); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.Dir))
	}
	if err := s.make(o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// make makes the data of the server and starts it.
func (s *Server) make(o Options) error {
	order := "create"
	if o.Primary != nil {
		order = "copy " + o.Primary.Dir
	}
	if err := s.order(order); err != nil {
		return err
	}
	if o.NoSync {
		if err := s.Set(noSync); err != nil {
			return err
		}
	}
	if err := s.Set(o.Settings); err != nil {
		return err
	}
	return s.Start()
}

// Set adds settings to postgresql.conf. They hold from the next start.
func (s *Server) Set(settings map[string]string) error {
	f, err := os.OpenFile(filepath.Join(s.Dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for name, value := range settings {
		if _, err := fmt.Fprintf(f, "%s = %s\n", name, value); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// Start starts a stopped server and returns when it answers.
func (s *Server) Start() error { return s.order("start") }

// Crash ends the server without letting it finish anything; it recovers at its next start.
func (s *Server) Crash() error { return s.order("stop immediate") }

// Stop ends the server in order, without waiting for its clients: their transactions are undone.
func (s *Server) Stop() error { return s.order("stop fast") }

// Kill ends every process of the server at once, as the loss of its machine would.
func (s *Server) Kill() error { return s.order("signal KILL") }

// Follow makes a stopped server a standby, which can only be read.
func (s *Server) Follow() error { return s.order("follow") }

// Promote makes a standby a primary and returns when it is one.
func (s *Server) Promote() error { return s.order("promote") }

// Freeze stops every process of the server, as a hanging machine would.
func (s *Server) Freeze() error { return s.order("signal STOP") }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() error { return s.order("signal CONT") }

// Close ends the server and removes its files.
func (s *Server) Close() error {
	err := s.orders.Close()
	_, _ = io.Copy(io.Discard, s.words) // until everything is gone
	return err
}

// Dial connects to the server's socket.
func (s *Server) Dial() (net.Conn, error) {
	return net.Dial("unix", filepath.Join(s.Dir, ".s.PGSQL.5432"))
}

// URL returns the URL of a database of the server.
func (s *Server) URL(database string) string {
	return "postgres:///" + database + "?" + url.Values{"host": {s.Dir}, "user": {"postgres"}}.Encode()
}

// NewDatabase makes an empty database and returns its name.
func (s *Server) NewDatabase(ctx context.Context) (name string, err error) {
	name = fmt.Sprintf("run_%d", s.databases.Add(1))
	return name, s.Exec(ctx, "postgres", "CREATE DATABASE "+name)
}

// Connect opens a connection to a database of the server.
func (s *Server) Connect(ctx context.Context, database string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, s.URL(database))
}

// Exec runs one statement in a database.
func (s *Server) Exec(ctx context.Context, database, statement string, args ...any) error {
	conn, err := s.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement, args...)
	return err
}
