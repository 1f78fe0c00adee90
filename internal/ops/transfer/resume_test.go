package transfer_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/ops/transfer"
)

var discard = slog.New(slog.DiscardHandler)

// TestMain is also the mover of TestKilled.
func TestMain(m *testing.M) {
	if os.Getenv("TRANSFER_FROM") == "" {
		code := m.Run()
		if dir, err := bootstrapped(); err == nil {
			_ = os.RemoveAll(dir)
		}
		os.Exit(code)
	}
	if err := moveByEnvironment(); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println("moved")
}

func moveByEnvironment() error {
	ctx := context.Background()
	root, _, err := seal.Root("", os.Getenv("TRANSFER_KEY"), "")
	if err != nil {
		return err
	}
	o := transfer.Options{Root: root, From: "the source", To: "the target"}
	if o.Source, err = sqldb.Open(ctx, sqldb.Options{URL: os.Getenv("TRANSFER_FROM"), Logger: discard}); err != nil {
		return err
	}
	if o.Target, err = sqldb.Open(ctx, sqldb.Options{URL: os.Getenv("TRANSFER_TO"), Logger: discard}); err != nil {
		return err
	}
	o.Report = func(p transfer.Progress) { fmt.Println(p.Step, p.Table, p.Rows) }
	fmt.Println("ready")
	_, err = transfer.Run(ctx, o)
	return err
}

// marked returns the mark of a database.
func marked(t *testing.T, url string) string {
	t.Helper()
	db := open(t, url)
	defer db.Close()
	var states []string
	if err := db.Select(t.Context(), &states, `SELECT state FROM moves`); err != nil {
		t.Fatal(err)
	}
	return strings.Join(states, " ")
}

// TestKilled kills the process that moves at random moments until it gets through.
func TestKilled(t *testing.T) {
	i, to := small(t, 4200), target(t)
	lines, kills := 1, 0 // how many the next process may print before it is killed
	for ; !moveProcess(t, i, to, lines); kills++ {
		lines += 1 + rand.N(6)
		switch pair := [2]string{marked(t, i.url()), marked(t, to)}; pair {
		case [2]string{"", ""}, [2]string{"", "arriving"}, [2]string{"left", "arriving"}, [2]string{"left", "arrived"}:
		default:
			t.Fatalf("source and target are marked %q", pair)
		}
	}
	t.Logf("killed %d times", kills)
	mustSay(t, i.servable(t, "", false), "was moved to the target")
	if again := i.mustMove(t, to); again.Already.IsZero() {
		t.Error("moved twice")
	}
}

// moveProcess runs a move in a process that is killed after so many lines, and tells whether it came to its end.
func moveProcess(t *testing.T, i installation, to string, lines int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TRANSFER_FROM="+i.url(), "TRANSFER_TO="+to, "TRANSFER_KEY="+i.dir+"/"+seal.RootFile)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	words := bufio.NewScanner(out)
	last := ""
	for n := 0; n < lines && words.Scan(); n++ {
		last = words.Text()
	}
	_ = cmd.Process.Kill() // SIGKILL; it may have ended
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
	if strings.HasPrefix(last, "failed") {
		t.Fatal(last)
	}
	return last == "moved"
}

// TestResume cuts the move short again and again: after every report of one large table, and after every fourth of the
// others. It looks that each run does what is left and no more.
func TestResume(t *testing.T) {
	i, to := small(t, 3500), target(t)
	seen := map[string]bool{}
	var events []string
	for {
		ctx, stop := context.WithCancel(t.Context())
		_, err := i.move(ctx, t, to, report(func(p transfer.Progress) {
			step := fmt.Sprint(p.Step, " ", p.Table, " ", p.Rows, " ", p.Done)
			if seen[step] {
				return
			}
			seen[step] = true
			if p.Table == "audit_logs" && p.Step == transfer.Copying {
				events = append(events, step)
			} else if len(seen)%4 != 0 {
				return
			}
			stop()
		}))
		stop()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		mustSay(t, i.servable(t, to, false), "is unfinished")
	}
	want := []string{"copying audit_logs 1000 false", "copying audit_logs 2000 false", "copying audit_logs 3000 false", "copying audit_logs 3501 true"}
	if diff := cmp.Diff(want, events); diff != "" {
		t.Error(diff)
	}
}
