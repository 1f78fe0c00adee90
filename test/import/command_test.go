package importing

import (
	"bytes"
	"context"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/internal/cli"
	"github.com/sallyport/sallyport/test/e2e/harness"
)

// command runs the command as a user types it, with the tokens in the environment.
func command(t *testing.T, ctx context.Context, from, to *harness.Server, args ...string) (status int, out, errOut string) {
	t.Helper()
	for name, value := range map[string]string{"SALLYPORT_IMPORT_URL": from.URL, "SALLYPORT_IMPORT_TOKEN": from.Admin.Token,
		"SALLYPORT_DOMAIN": to.URL, "SALLYPORT_TOKEN": to.Admin.Token} {
		t.Setenv(name, value)
	}
	var stdout, stderr bytes.Buffer
	status = cli.Run(ctx, append([]string{"import", "infisical"}, args...), strings.NewReader(""), &stdout, &stderr, "test")
	for _, token := range []string{from.Admin.Token, to.Admin.Token} {
		if strings.Contains(stdout.String()+stderr.String(), token) {
			t.Errorf("a token is printed:\n%s%s", &stdout, &stderr)
		}
	}
	if strings.ContainsAny(stdout.String()+stderr.String(), "\r\x1b\b") {
		t.Errorf("control characters without a terminal: %q %q", &stdout, &stderr)
	}
	return status, stdout.String(), stderr.String()
}

func TestCommand(t *testing.T) {
	from, to := seed(t, 0), start(t)
	state := "--state=" + filepath.Join(t.TempDir(), "state")
	for _, step := range []struct {
		name   string
		args   []string
		status int
		want   []string // in the output
	}{
		{"dry run", []string{state, "--dry-run"}, 0, []string{`(?m)^ +to make +the same `, `(?m)^secrets +8 +0 +0 +0 +0$`,
			`(?m)^note  login methods: ci: its client secrets \(1\) cannot be read`, `(?m)^- audit logs: `}},
		{"one project", []string{state, "--project", "s"}, 0, []string{`(?m)^projects +1 +0 +0 +0 +0$`}},
		{"the rest", []string{state}, 0, []string{`(?m)^projects +1 +1 +0 +0 +0$`, `(?m)^secrets +8 +0 +0 +0 +0$`}},
		{"again", []string{state}, 0, []string{`(?m)^secrets +0 +8 +0 +0 +0$`}},
	} {
		status, out, errOut := command(t, t.Context(), from.Server, to, step.args...)
		if status != step.status || errOut != "" {
			t.Errorf("%s: status %d: %s", step.name, status, errOut)
		}
		for _, want := range step.want {
			if !regexp.MustCompile(want).MatchString(out) {
				t.Errorf("%s: no line %s in\n%s", step.name, want, out)
			}
		}
	}
	from.patch(t, "/api/v1/projects/"+from.project, object{"name": "Renamed"})
	status, out, errOut := command(t, t.Context(), from.Server, to, state)
	if status != 1 || !strings.Contains(out, "LEFT  projects: payments: the target has it, but with another name") || !strings.Contains(errOut, "1 things are not at the target as the source has them") {
		t.Errorf("with a difference: status %d\n%s%s", status, out, errOut)
	}
}

func TestCommandsThatAreRefused(t *testing.T) {
	from, to := start(t), start(t)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx  context.Context
		args []string
		want string
	}{
		"refused/http to another machine":   {t.Context(), []string{"--url=http://secrets.example.com"}, "allow it with --plain-http"},
		"refused/http to another target":    {t.Context(), []string{"--to=http://10.1.2.3:8080"}, "allow it with --plain-http"},
		"refused/no token for the source":   {t.Context(), []string{"--token="}, "SALLYPORT_IMPORT_TOKEN"},
		"refused/no token for the target":   {t.Context(), []string{"--to-token="}, "SALLYPORT_TOKEN"},
		"refused/interrupted":               {stopped, nil, "interrupted; run the same command again to go on"},
		"refused/nobody at that address":    {t.Context(), []string{"--url=http://127.0.0.1:1"}, "the import stopped; run the same command again to go on: cannot reach the source"},
		"refused/project that is not there": {t.Context(), []string{"--project=none"}, `no project with the slug "none"`},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"--state=" + filepath.Join(t.TempDir(), "state")}, c.args...)
			status, out, errOut := command(t, c.ctx, from, to, args...)
			if status != 1 || out != "" || !strings.Contains(errOut, c.want) {
				t.Errorf("status %d, %s%s; want 1 and an error with %q", status, out, errOut, c.want)
			}
		})
	}
}
