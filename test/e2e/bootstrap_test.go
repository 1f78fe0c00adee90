package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

const bootstrapPath = "/api/v1/admin/bootstrap"

func setup() object {
	return object{"email": "Ada@Example.com", "password": "correct horse", "organization": "Acme Inc."}
}

func TestBootstrap(t *testing.T) {
	t.Run("one of 8 callers at once wins and its token works", func(t *testing.T) {
		s := harness.Start(t)
		answers := make([]*harness.Answer, 8) // so many of one address may wait for the hash of a password
		atOnce(len(answers), func(i int) { answers[i] = s.As("").Call(t, http.MethodPost, bootstrapPath, setup()) })
		var winner *harness.Answer
		for _, a := range answers {
			if a.Status == http.StatusOK && winner == nil {
				winner = a
				continue
			}
			a.WantError(http.StatusBadRequest, "Instance initialization")
		}
		if winner == nil {
			t.Fatal("nobody won")
		}
		if !s.As(winner.Text("identity.credentials.token")).Works(t) {
			t.Error("the winner's token is refused")
		}
		for _, table := range []string{"organizations", "users", "identities", "instance_admins", "access_tokens"} {
			if n := s.Count(t, `SELECT count(*) FROM `+table); n != 1 {
				t.Errorf("%d rows in %s, want 1", n, table)
			}
		}
	})

	t.Run("answers who and what was made", func(t *testing.T) {
		s := harness.Start(t)
		a := s.As("").Call(t, http.MethodPost, bootstrapPath, setup()).Want(200)
		for place, want := range map[string]string{
			"user.email": "ada@example.com", "user.username": "ada@example.com", "user.firstName": "Admin", "user.lastName": "User",
			"organization.name": "Acme Inc.", "identity.name": "Instance Admin Identity",
		} {
			if got := a.Text(place); got != want {
				t.Errorf("%s is %q, want %q", place, got, want)
			}
		}
		if !a.Flag("user.superAdmin") || !strings.HasPrefix(a.Text("organization.slug"), "acme-inc-") || a.Text("message") == "" {
			t.Errorf("the answer is %s", a.Body)
		}
		details := s.As(a.Text("identity.credentials.token")).Call(t, http.MethodGet, harness.Identities+"/details", nil).Want(200)
		if details.Text("identityDetails.organization.id") != a.Text("organization.id") {
			t.Errorf("the token belongs to %s", details.Body)
		}
		if n := s.Count(t, `SELECT count(*) FROM users WHERE password_hash LIKE '$argon2id$%'`); n != 1 {
			t.Error("the password is not kept as an argon2id hash")
		}
	})

	t.Run("refused/a second time", func(t *testing.T) {
		s := harness.StartReady(t)
		s.As("").Call(t, http.MethodPost, bootstrapPath, setup()).WantError(400, "Instance initialization")
		s.Restart(t)
		s.As("").Call(t, http.MethodPost, bootstrapPath, setup()).WantError(400, "Instance initialization")
	})
}

func TestBootstrapRefusedLeavesTheInstanceEmpty(t *testing.T) {
	s := harness.Start(t)
	for name, change := range map[string]object{
		"no email":             {"email": nil},
		"no address":           {"email": "ada"},
		"a name with address":  {"email": "Ada <ada@example.com>"},
		"an endless email":     {"email": strings.Repeat("a", 400) + "@example.com"},
		"no password":          {"password": nil},
		"empty password":       {"password": ""},
		"blank password":       {"password": "  "},
		"short password":       {"password": "tulip mantl"},
		"long blank password":  {"password": "  tulip          "},
		"common password":      {"password": "Password1234!"},
		"password of the user": {"password": "ada@example.com"},
		"no organization":      {"organization": nil},
		"blank organization":   {"organization": " \t"},
		"256 characters":       {"organization": strings.Repeat("o", 256)},
		"control character":    {"organization": "a\x00b"},
		"password of a number": {"password": 12345678},
	} {
		t.Run("refused/"+name, func(t *testing.T) {
			body := setup()
			for key, value := range change {
				body[key] = value
			}
			s.As("").Call(t, http.MethodPost, bootstrapPath, body).WantError(422, "ValidationFailure")
		})
	}
	t.Run("undone/when a write fails", func(t *testing.T) {
		mend := s.Break(t, "access_tokens", "INSERT")
		s.As("").Call(t, http.MethodPost, bootstrapPath, setup()).WantError(500, "InternalServerError")
		mend()
	})
	if n := s.Count(t, `SELECT (SELECT count(*) FROM organizations) + (SELECT count(*) FROM users) + (SELECT count(*) FROM audit_logs)`); n != 0 {
		t.Fatalf("%d rows were left behind", n)
	}
	s.As("").Call(t, http.MethodPost, bootstrapPath, setup()).Want(200)
}
