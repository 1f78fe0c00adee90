package storage

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/pgserver"
)

// asOldProgramsWrite puts what secrets say where programs from before schema version 11 put it, and takes from client secrets what
// programs from before version 15 did not write.
var asOldProgramsWrite = []string{
	`INSERT INTO secret_versions (secret_id, version, value, comment, metadata, tags, skip_multiline, reminder_note, reminder_days, created_at, project_key_id)
		SELECT id, version, value, comment, metadata, tags, skip_multiline, reminder_note, reminder_days, updated_at, project_key_id FROM secrets`,
	`UPDATE secrets SET value = NULL, comment = NULL, project_key_id = NULL, updated_at = 0, metadata = '[]', tags = ''`,
	`UPDATE client_secrets SET ended_at = NULL`,
}

// holding is a site with a secret, and a client secret that ends.
func holding(t *testing.T, p *pgserver.Server) (s *site, secret string) {
	t.Helper()
	s = start(t, p)
	project := s.must("POST", "/api/v1/projects", map[string]any{"projectName": "P"}).Text("project.id")
	s.must("POST", "/api/v3/secrets/raw/A", map[string]any{"workspaceId": project, "environment": "dev", "secretPath": "/", "secretValue": "first"})
	s.must("PATCH", "/api/v3/secrets/raw/A", map[string]any{"workspaceId": project, "environment": "dev", "secretPath": "/", "secretValue": "kept"})
	universal := "/api/v1/auth/universal-auth/identities/" + s.AdminID
	s.must("POST", universal, map[string]any{})
	s.must("POST", universal+"/client-secrets", map[string]any{"ttl": 3600})
	return s, "/api/v3/secrets/raw/A?environment=dev&secretPath=/&workspaceId=" + project
}

// mustHold checks the secret.
func (s *site) mustHold(secret string) {
	s.t.Helper()
	if got := s.must("GET", secret, nil).Text("secret.secretValue"); got != "kept" {
		s.t.Errorf("the secret is %q", got)
	}
}

// repairs has doctor find the rows, repair them, and find no more.
func (s *site) repairs(args ...string) {
	s.t.Helper()
	args = append([]string{"doctor"}, args...)
	for _, words := range []string{"1 secrets whose value is in the row of their version", "1 client secrets that do not say when they end", "doctor --repair"} {
		s.refuses(words, s.Data, args...)
	}
	if out := s.does(s.Data, append(args, "--repair")...); strings.Contains(out, "WRONG") {
		s.t.Errorf("after the repair doctor says\n%s", out)
	}
}

// TestDoctorRepairs what an older version left next to a newer one: no version could read it, or end it.
func TestDoctorRepairs(t *testing.T) {
	t.Parallel()
	t.Run("repaired/SQLite, stopped", func(t *testing.T) {
		s, secret := holding(t, nil)
		s.Stop()
		for _, statement := range asOldProgramsWrite {
			if err := s.sql(statement); err != nil {
				t.Fatal(err)
			}
		}
		s.serve()
		if a := s.ask("GET", secret, nil); a.Status != 500 {
			t.Errorf("such a secret is answered with %d; want 500, or this test spoils nothing", a.Status)
		}
		s.refuses("in use", s.Data, "doctor", "--repair")
		s.Stop()
		s.repairs()
		s.serve()
		s.mustHold(secret)
	})
	t.Run("repaired/PostgreSQL, serving", func(t *testing.T) {
		p, err := pgserver.Start(pgserver.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
		s, secret := holding(t, p)
		for _, statement := range asOldProgramsWrite {
			if err := p.Exec(t.Context(), s.Database, statement); err != nil {
				t.Fatal(err)
			}
		}
		s.repairs("--database-url=postgres://postgres@" + s.Link.Addr + "/" + s.Database + "?sslmode=disable")
		s.mustHold(secret)
	})
}
