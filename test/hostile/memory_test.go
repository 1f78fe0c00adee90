package hostile

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
)

// smallest is the least memory that the server is supported with, in bytes. Nine tenths of it are what the server gives
// itself where a cgroup allows so much.
const smallest = 128 << 20

// TestLoginsInLittleMemory: whatever anonymous callers ask of the password hash, the server stays within the least memory that it
// is supported with, and is small again afterwards.
func TestLoginsInLittleMemory(t *testing.T) {
	small, err := cluster.Start(t.Context(), cluster.Options{Binary: program, Replicas: 1, Lease: 2 * time.Second, Env: []string{
		"SALLYPORT_TRUSTED_PROXIES=127.0.0.1", fmt.Sprint("GOMEMLIMIT=", smallest/10*9)}})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	server := small.Replicas[0]
	var all sync.WaitGroup
	for n := range 12 {
		all.Go(func() {
			for i := range 4 {
				body := map[string]any{"email": fmt.Sprintf("nobody-%d-%d@example.com", n, i), "password": "wrong"}
				answer, err := server.Call(t.Context(), http.MethodPost, "/api/v3/auth/login", "", body)
				if err != nil || answer.Status != http.StatusBadRequest && answer.Status != http.StatusTooManyRequests {
					t.Errorf("a login is answered %v, %v", answer, err)
				}
			}
		})
	}
	all.Wait()
	if most := memoryOf(t, server, "VmHWM:") - memoryOf(t, server, "RssFile:"); most > smallest {
		t.Errorf("%d MB were in use at a time; at most %d are supported", most>>20, smallest>>20)
	}
	if now := memoryOf(t, server, "RssAnon:"); now > smallest/2 {
		t.Errorf("%d MB are still in use afterwards", now>>20)
	}
}

// memoryOf returns a figure of a server's memory in bytes, as the machine tells it.
func memoryOf(t testing.TB, server *cluster.Replica, name string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", server.PID()))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), name)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		t.Fatalf("the machine does not tell %s", name)
	}
	kb, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}
