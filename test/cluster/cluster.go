// Package cluster runs what an operator would run, for tests that break it: a private PostgreSQL, real server processes,
// and a link between each of them and PostgreSQL that can be spoiled. It holds no expectations: those are the tests'.
package cluster

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/sallyport/sallyport/test/pgserver"
)

// Options says what to run.
type Options struct {
	Binary   string           // see Build
	Postgres *pgserver.Server // that all replicas share; the cluster does not close it. nil: one replica, on SQLite
	Replicas int              // how many
	Lease    time.Duration    // of each replica
	Env      []string         // more settings of the servers, as NAME=value
}

// Cluster is a set of replicas on one new database, set up and ready.
type Cluster struct {
	Options
	Database string // its name in Postgres
	Replicas []*Replica
	OrgID    string
	Admin    string // the token of the first identity
	AdminID  string // that identity

	dir string // data folders and logs
}

// Start makes a database and starts replicas on it. Close it after use.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{Options: o}
	err := c.start(ctx)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) (err error) {
	if c.Postgres != nil {
		if c.Database, err = c.Postgres.NewDatabase(ctx); err != nil {
			return err
		}
	}
	if c.dir, err = os.MkdirTemp("", "sallyport-cluster-"); err != nil {
		return err
	}
	for i := range c.Options.Replicas {
		r, err := newReplica(c, fmt.Sprintf("r%d", i))
		if err != nil {
			return err
		}
		c.Replicas = append(c.Replicas, r)
	}
	if err := c.startAll(); err != nil {
		return err
	}
	return c.bootstrap(ctx)
}

func (c *Cluster) startAll() error {
	for _, r := range c.Replicas {
		if err := r.Launch(); err != nil {
			return err
		}
	}
	for _, r := range c.Replicas {
		if err := r.Await(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) bootstrap(ctx context.Context) error {
	answer, err := c.Replicas[0].Call(ctx, "POST", "/api/v1/admin/bootstrap", "",
		map[string]any{"email": "admin@example.com", "password": "correct horse", "organization": "First"})
	if err == nil && answer.Status != 200 {
		err = fmt.Errorf("bootstrap answered %d %s", answer.Status, answer.Body)
	}
	if err != nil {
		return err
	}
	c.OrgID, c.AdminID, c.Admin = answer.Text("organization.id"), answer.Text("identity.id"), answer.Text("identity.credentials.token")
	return nil
}

// Close ends the replicas and their links, and removes their files.
func (c *Cluster) Close() error {
	var errs []error
	for _, r := range c.Replicas {
		r.Kill()
		if r.Link != nil {
			errs = append(errs, r.Link.Close())
		}
	}
	if c.dir != "" {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}

// environment returns what the servers run with: nothing of ours but what they are given.
func (c *Cluster) environment(key string, r *Replica) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir,
		"SALLYPORT_LISTEN=" + r.Addr, "SALLYPORT_DATA_DIR=" + r.Data, "SALLYPORT_ROOT_KEY=" + key,
		"SALLYPORT_LEASE=" + c.Lease.String(), "SALLYPORT_DRAIN=0s",
	}
	if r.Link != nil {
		env = append(env, "SALLYPORT_DATABASE_URL=postgres://postgres@"+r.Link.Addr+"/"+c.Database+"?sslmode=disable")
	}
	return append(env, c.Env...)
}

// rootKey returns a new root key for the servers of one process of tests.
func rootKey() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return base64.StdEncoding.EncodeToString(key)
}

// freePort returns a loopback address that nobody serves on. It lies below the ports that outgoing connections get, so
// that it is still free when a replica comes back to it.
func freePort() (string, error) {
	for range 200 {
		var b [2]byte
		_, _ = rand.Read(b[:]) // never fails
		addr := fmt.Sprintf("127.0.0.1:%d", 12000+(int(b[0])<<8|int(b[1]))%18000)
		listener, err := net.Listen("tcp", addr)
		if err == nil {
			return addr, listener.Close()
		}
	}
	return "", errors.New("no free port on the loopback interface")
}
