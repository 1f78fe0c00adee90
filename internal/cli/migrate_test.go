//go:build !windows

package cli_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/app"
	"github.com/sallyport/sallyport/internal/base/config"
	"github.com/sallyport/sallyport/internal/base/seal"
	"github.com/sallyport/sallyport/internal/base/sqldb"
	"github.com/sallyport/sallyport/internal/base/sqldb/sqldbtest"
	"github.com/sallyport/sallyport/internal/cli"
)

// serve builds a server on a data folder. Close it.
func serve(t *testing.T, dir string) *app.App {
	t.Helper()
	o := app.Options{Config: config.Defaults(), Version: "test", Logger: slog.New(slog.DiscardHandler)}
	o.Config.DataDir = dir
	a, err := app.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stopped returns the URL of a source whose server is stopped, and its folder.
func stopped(t *testing.T) (url, dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := serve(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + filepath.Join(dir, "sallyport.db"), dir
}

func command(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	for _, name := range []string{"SALLYPORT_DATABASE_URL", "SALLYPORT_ROOT_KEY", "SALLYPORT_ROOT_KEY_FILE", "SALLYPORT_CONFIG"} {
		if value, set := os.LookupEnv(name); set {
			t.Setenv(name, value) // put back afterwards
			_ = os.Unsetenv(name)
		}
	}
	var stdout, stderr bytes.Buffer
	status = cli.Run(context.WithoutCancel(t.Context()), args, strings.NewReader(""), &stdout, &stderr, "test")
	return status, stdout.String(), stderr.String()
}

func TestMigrate(t *testing.T) {
	from, _ := stopped(t)
	to := sqldbtest.URL(t, sqldb.Postgres)
	status, out, errOut := command(t, "migrate", "--from", from, "--to", to)
	if status != 0 {
		t.Fatalf("status %d: %s", status, errOut)
	}
	for _, line := range []string{`(?m)^signing_keys +1 rows  sha256 [0-9a-f]{64}$`, `(?m)^Moved \d+ rows to postgres:///test_\d+: both hold the same`, `same root key`} {
		if !regexp.MustCompile(line).MatchString(out) {
			t.Errorf("the output has no line %s:\n%s", line, out)
		}
	}
	for _, line := range []string{`(?m)^copying signing_keys: 1 rows \(\d+%\)$`, `(?m)^comparing .*\(100%\)$`} {
		if !regexp.MustCompile(line).MatchString(errOut) {
			t.Errorf("the progress has no line %s:\n%s", line, errOut)
		}
	}
	if strings.ContainsAny(out+errOut, "\r\x1b\b") {
		t.Errorf("control characters without a terminal: %q %q", out, errOut)
	}
	status, out, _ = command(t, "migrate", "--from", from, "--to", to)
	if status != 0 || !strings.Contains(out, "The move was finished on ") {
		t.Errorf("again: status %d: %s", status, out)
	}
}

func TestMigrateRefuses(t *testing.T) {
	from, dir := stopped(t)
	other := filepath.Join(t.TempDir(), "other.key")
	if err := os.WriteFile(other, []byte(strings.Repeat("A", 43)+"=\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	to := sqldbtest.URL(t, sqldb.Postgres)
	missing := filepath.Join(t.TempDir(), "none.db")
	for name, c := range map[string]struct {
		args   []string
		status int
		say    string
	}{
		"refused/no source":              {[]string{"--to", to}, 2, "--from"},
		"refused/no target":              {[]string{"--from", from}, 2, "--to"},
		"refused/path without sqlite":    {[]string{"--from", dir, "--to", to}, 1, "--from must be sqlite:"},
		"refused/target that is SQLite":  {[]string{"--from", from, "--to", from}, 1, "--to must be a postgres:// URL"},
		"refused/source does not exist":  {[]string{"--from", "sqlite:" + missing, "--to", to}, 1, "no such file"},
		"refused/wrong root key":         {[]string{"--from", from, "--to", to, "--root-key-file", other}, 1, "root key does not open"},
		"refused/no root key":            {[]string{"--from", from, "--to", to, "--root-key-file", missing}, 1, "name the root key of the server with --root-key-file"},
		"refused/target out of reach":    {[]string{"--from", from, "--to", "postgres://u:hidden@127.0.0.1:1/x"}, 1, "the target cannot be used"},
		"refused/target that is no URL":  {[]string{"--from", from, "--to", "postgres://u:hidden@127.0.0.1:port/x"}, 1, "the target cannot be used"},
		"refused/source of another kind": {[]string{"--from", to, "--to", to}, 1, "--from must be sqlite:"},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, errOut := command(t, append([]string{"migrate"}, c.args...)...)
			if status != c.status || !strings.Contains(errOut, c.say) || strings.Contains(errOut, "hidden") {
				t.Errorf("status %d, want %d; %q lacks %q or tells the password", status, c.status, errOut, c.say)
			}
		})
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a source or key that did not exist was made")
	}
	t.Run("refused/server runs", func(t *testing.T) {
		a := serve(t, dir)
		status, _, errOut := command(t, "migrate", "--from", from, "--to", to)
		if status != 1 || !strings.Contains(errOut, "is in use by process") {
			t.Errorf("status %d: %s", status, errOut)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("accepted/key from the environment", func(t *testing.T) {
		key, err := os.ReadFile(filepath.Join(dir, seal.RootFile))
		if err != nil {
			t.Fatal(err)
		}
		status, _, errOut := command(t, "migrate", "--from", from, "--to", to, "--root-key", strings.TrimSpace(string(key)))
		if status != 0 {
			t.Errorf("status %d: %s", status, errOut)
		}
	})
}
