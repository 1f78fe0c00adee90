// Package hostile has no code: its tests attack a server of its own, over real sockets, as hostile callers do. What the
// rules of the API are is asked elsewhere.
package hostile

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
)

// What the server under attack runs with, beside its defaults. Callers are told apart by the forwarding header.
const (
	headerTimeout  = time.Second
	requestTimeout = 3 * time.Second
	failureBurst   = 100
	failureRate    = 5
)

var (
	target  *cluster.Cluster
	program string // the server
)

func TestMain(m *testing.M) {
	cluster.Main(m, func(dir string) (tearDown func() error, err error) {
		if program, err = cluster.Build(dir, ""); err != nil {
			return nil, err
		}
		target, err = cluster.Start(context.Background(), cluster.Options{Binary: program, Replicas: 1, Lease: 2 * time.Second, Env: []string{
			"SALLYPORT_TRUSTED_PROXIES=127.0.0.1", "SALLYPORT_RATE_LIMITS_EXEMPT=none",
			"SALLYPORT_HEADER_TIMEOUT=" + headerTimeout.String(), "SALLYPORT_REQUEST_TIMEOUT=" + requestTimeout.String(),
			"SALLYPORT_FAILURE_BURST=" + strconv.Itoa(failureBurst), "SALLYPORT_FAILURE_RATE=" + strconv.Itoa(failureRate),
		}})
		if err != nil {
			return nil, err
		}
		return target.Close, nil
	})
}

// patience is how long anything may take on a machine that is busy, before a test calls it stuck.
const patience = 30 * time.Second

// dial opens a connection to the server that ends with the test.
func dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", target.Replicas[0].Addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// send sends bytes as they are, and returns everything that comes back until the server closes the connection. A
// request that is to be followed by none says Connection: close.
func send(t testing.TB, request string) string {
	t.Helper()
	conn := dial(t)
	go func() { _, _ = io.WriteString(conn, request) }() // the server may close before it has read all
	text, err := io.ReadAll(conn)
	if len(text) == 0 && isTimeout(err) {
		t.Fatalf("no answer and no end within %s", patience)
	}
	return string(text)
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error) //nolint:errorlint // of a connection's own read, never wrapped
	return ok && timeout.Timeout()
}

// status returns the status of the first answer in what came back; 0 if there is none.
func status(text string) int {
	res, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	return res.StatusCode
}

// request is the header of a request, up to the empty line. It asks the server to close the connection.
func request(method, path, token string, headers ...string) string {
	lines := []string{method + " " + path + " HTTP/1.1", "Host: x", "Connection: close"}
	if token != "" {
		lines = append(lines, "Authorization: Bearer "+token)
	}
	return strings.Join(append(lines, headers...), "\r\n") + "\r\n\r\n"
}

const details = "/api/v1/identities/details"

// servesOthers checks that a legitimate caller is served now.
func servesOthers(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answer, err := target.Replicas[0].Call(ctx, "GET", details, target.Admin, nil)
	if err != nil {
		t.Fatalf("a legitimate caller is not served: %v", err)
	}
	if answer.Status != http.StatusOK {
		t.Fatalf("a legitimate caller is answered %d %s", answer.Status, answer.Body)
	}
}

// resident returns the memory that the server has from the machine, in bytes.
func resident(t testing.TB) int64 {
	t.Helper()
	return memoryOf(t, target.Replicas[0], "VmRSS:")
}
