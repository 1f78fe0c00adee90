package app

import (
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// burst is the environment variable that has this test, run as a program of its own, panic beside requests.
const burst = "SALLYPORT_TEST_BURST"

// TestAPanicBesideRequestsTellsNoSecret: the process ends, and what it prints tells where it was, and not what it held.
func TestAPanicBesideRequestsTellsNoSecret(t *testing.T) {
	if quoted := os.Getenv(burst); quoted != "" {
		guarded(slog.New(slog.NewTextHandler(os.Stderr, nil)), func() { uuid.MustParse(quoted) })
		return
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), burst+"=s3cret")
	printed, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("the process lived on")
	}
	for _, want := range []string{"level=ERROR", "uuid.MustParse", "guard_test.go", "panic: ", "goroutine "} {
		if !strings.Contains(string(printed), want) {
			t.Errorf("it printed no %q", want)
		}
	}
	if strings.Contains(string(printed), "s3cret") || t.Failed() {
		t.Errorf("it printed\n%s", printed)
	}
}
