package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/config"
)

// permission is one thing that an actor may do, in a form that can be compared.
type permission struct {
	action  access.Action
	subject access.Subject
	at      string // where in the project; "" in the organization
}

// world is a server with some identities, each with a token.
type world struct {
	app      *App
	org      string
	admin    string
	universe []permission
	serial   int
	users    []person

	project string       // of the present run
	inside  []permission // what there is to be had in a project
}

// person is an identity that acts, or a user: one has an e-mail address.
type person struct{ id, token, email string }

// TestNobodyGivesWhatTheyDoNotHold runs random sequences of role, membership, privilege and credential changes by random
// actors, in an organization and in a project of it. After each one, whatever any identity may do more than before must
// have been held by who made the change; and a token that someone got must be of an identity that may do no more than its
// maker. One check makes some hundred requests, so there are 25 unless -rapid.checks says otherwise.
func TestNobodyGivesWhatTheyDoNotHold(t *testing.T) {
	w := newWorld(t)
	if checks := flag.Lookup("rapid.checks").Value; checks.String() == "100" {
		_ = checks.Set("25")
		defer func() { _ = checks.Set("100") }()
	}
	rapid.Check(t, func(t *rapid.T) {
		keeper := w.role(t, []map[string]any{{"subject": "identity", "action": []string{"read", "edit", "edit-auth", "create-token"}}})
		people := []person{w.person(t, "admin"), w.person(t, "member"), w.person(t, keeper), w.person(t, w.randomRole(t)), w.person(t, w.randomRole(t)), w.person(t, "no-access")}
		denial := w.role(t, []map[string]any{{"subject": "identity", "action": []string{"edit", "delete"}, "inverted": true}})
		people = append(people, w.denied(t, denial))
		roles := []string{"member", "no-access", denial, w.randomRole(t), w.randomRole(t)}
		people = append(people, w.users...)
		actors := append(slices.Clone(people[1:5]), w.users...) // the administrator only stands there to be taken over
		inProject := w.populate(t, people)
		for range rapid.IntRange(1, 12).Draw(t, "changes") {
			by := rapid.SampledFrom(actors).Draw(t, "by")
			on := rapid.SampledFrom(people).Draw(t, "on")
			before, held := w.allHeld(t, people), w.held(t, by)
			what, made := "", ""
			if rapid.Bool().Draw(t, "in the project") {
				what = w.changeInProject(t, by, on, inProject)
			} else {
				what, made = w.change(t, by, on, roles)
			}
			if made != "" {
				w.mustHold(t, what+": a token", held, w.held(t, on))
			}
			for i, after := range w.allHeld(t, people) {
				w.mustHold(t, what, held, minus(after, before[i]))
			}
		}
	})
}

// change makes one random change and returns what it was, and a token if the change gave one out.
func (w *world) change(t *rapid.T, by, on person, roles []string) (what, token string) {
	role := rapid.SampledFrom(roles).Draw(t, "role")
	auth := "/api/v1/auth/token-auth/identities/" + on.id
	switch rapid.IntRange(0, 6).Draw(t, "change") {
	case 0:
		w.call(by.token, http.MethodPatch, "/api/v1/identities/"+on.id, map[string]any{"role": role})
		return "PATCH identity role " + role, ""
	case 1:
		until := map[string]any{"role": role, "isTemporary": true, "temporaryMode": "relative", "temporaryRange": "1h",
			"temporaryAccessStartTime": time.Now().UTC().Add(-time.Minute).Format(time.RFC3339)}
		w.call(by.token, http.MethodPatch, "/api/v1/organization/identity-memberships/"+on.id,
			map[string]any{"roles": []any{map[string]any{"role": "no-access"}, until}})
		return "PATCH membership, for a time " + role, ""
	case 2:
		w.call(by.token, http.MethodPatch, "/api/v1/organization/identity-memberships/"+on.id,
			map[string]any{"roles": []any{map[string]any{"role": role}, map[string]any{"role": rapid.SampledFrom(roles).Draw(t, "second role")}}})
		return "PATCH membership", ""
	case 3:
		found := w.call(w.admin, http.MethodGet, "/api/v1/organization/roles/slug/"+role, nil)
		w.call(by.token, http.MethodPatch, "/api/v1/organization/roles/"+text(found, "role", "id"), map[string]any{"permissions": w.randomRules(t)})
		return "PATCH role " + role, ""
	case 4:
		w.call(by.token, http.MethodPost, auth, nil)
		return "attach", ""
	case 5:
		return "create token", text(w.call(by.token, http.MethodPost, auth+"/tokens", nil), "accessToken")
	default:
		w.call(w.admin, http.MethodPost, "/api/v1/auth/universal-auth/identities/"+on.id, nil)
		return "create client secret", text(w.call(by.token, http.MethodPost,
			"/api/v1/auth/universal-auth/identities/"+on.id+"/client-secrets", nil), "clientSecret")
	}
}

func (w *world) mustHold(t *rapid.T, what string, held, gained map[permission]bool) {
	for p := range gained {
		if !held[p] {
			t.Fatalf("%s gave %s on %s %s, which who made the change does not hold", what, p.action, p.subject, p.at)
		}
	}
}

func minus(after, before map[permission]bool) map[permission]bool {
	gained := map[permission]bool{}
	for p := range after {
		if !before[p] {
			gained[p] = true
		}
	}
	return gained
}

// held returns all that someone may do now.
func (w *world) held(t *rapid.T, p person) map[permission]bool {
	grants, err := w.app.members.Of(t.Context(), p.id, w.org)
	if err != nil {
		t.Fatal(err)
	}
	held := map[permission]bool{}
	for _, p := range w.universe {
		if grants.Ability.AllowsSome(p.action, p.subject) {
			held[p] = true
		}
	}
	return w.heldInside(t, p, held)
}

func (w *world) allHeld(t *rapid.T, people []person) []map[permission]bool {
	all := make([]map[permission]bool, len(people))
	for i, p := range people {
		all[i] = w.held(t, p)
	}
	return all
}

// person makes an identity with a role and a token.
func (w *world) person(t *rapid.T, role string) person {
	id := text(w.call(w.admin, http.MethodPost, "/api/v1/identities",
		map[string]any{"name": "somebody", "organizationId": w.org, "role": role}), "identity", "id")
	auth := "/api/v1/auth/token-auth/identities/" + id
	w.call(w.admin, http.MethodPost, auth, nil)
	token := text(w.call(w.admin, http.MethodPost, auth+"/tokens", nil), "accessToken")
	if token == "" {
		t.Fatalf("no token for an identity with role %s", role)
	}
	return person{id: id, token: token}
}

// denied makes an identity that one role lets edit identities and another one forbids it: who changed the other one
// would give what it denies.
func (w *world) denied(t *rapid.T, denial string) person {
	p := w.person(t, "member")
	w.call(w.admin, http.MethodPatch, "/api/v1/organization/identity-memberships/"+p.id,
		map[string]any{"roles": []any{map[string]any{"role": "member"}, map[string]any{"role": denial}}})
	if w.held(t, p)[permission{"edit", "identity", ""}] {
		t.Fatal("a denial does not deny")
	}
	return p
}

// randomRole makes a role with random rules and returns its slug.
func (w *world) randomRole(t *rapid.T) string { return w.role(t, w.randomRules(t)) }

func (w *world) role(t *rapid.T, rules []map[string]any) string {
	w.serial++
	slug := fmt.Sprintf("role-%d", w.serial)
	made := w.call(w.admin, http.MethodPost, "/api/v1/organization/roles",
		map[string]any{"slug": slug, "name": slug, "permissions": rules})
	if text(made, "role", "id") == "" {
		t.Fatalf("no role: %v", made)
	}
	return slug
}

// randomRules leans towards the rules that matter here: those on identities and roles.
func (w *world) randomRules(t *rapid.T) []map[string]any {
	near := rapid.SampledFrom([]permission{
		{"read", "identity", ""}, {"create", "identity", ""}, {"edit", "identity", ""}, {"delete", "identity", ""}, {"edit-auth", "identity", ""},
		{"create-token", "identity", ""}, {"grant-privileges", "identity", ""}, {"read", "role", ""}, {"create", "role", ""}, {"edit", "role", ""},
	})
	rule := rapid.Custom(func(t *rapid.T) map[string]any {
		p := near.Draw(t, "near")
		if rapid.IntRange(0, 4).Draw(t, "far") == 0 {
			p = rapid.SampledFrom(w.universe).Draw(t, "any")
		}
		return map[string]any{"subject": p.subject, "action": p.action, "inverted": rapid.IntRange(0, 4).Draw(t, "inverted") == 0}
	})
	return rapid.SliceOfN(rule, 1, 8).Draw(t, "rules")
}

// call sends a request to the server and returns the answer, whatever it is: most changes are refused, as they should.
func (w *world) call(token, method, path string, body any) map[string]any {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			panic(err)
		}
	}
	request := httptest.NewRequest(method, path, &content)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	recorder := httptest.NewRecorder()
	w.app.Handler().ServeHTTP(recorder, request)
	answer := map[string]any{}
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil || recorder.Code >= 500 {
		panic(fmt.Sprintf("%s %s: %d %s", method, path, recorder.Code, recorder.Body))
	}
	return answer
}

// text follows names into an answer; "" where they lead nowhere.
func text(answer map[string]any, names ...string) string {
	for _, name := range names[:len(names)-1] {
		answer, _ = answer[name].(map[string]any)
	}
	found, _ := answer[names[len(names)-1]].(string)
	return found
}

func newWorld(t *testing.T) *world {
	c := config.Defaults()
	c.SetupCode = "none"
	c.DataDir = filepath.Join(t.TempDir(), "data")
	a, err := New(t.Context(), Options{Config: c, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{app: a}
	made := w.call("", http.MethodPost, "/api/v1/admin/bootstrap",
		map[string]any{"email": "admin@example.com", "password": "a long password", "organization": "Acme"})
	w.org, w.admin = text(made, "organization", "id"), text(made, "identity", "credentials", "token")
	rules, _ := access.OrgRole("admin")
	for _, r := range rules {
		for _, action := range r.Actions {
			w.universe = append(w.universe, permission{action, r.Subject, ""})
		}
	}
	w.inside = insideUniverse()
	w.users = []person{w.user(t, "ada@example.com"), w.user(t, "grace@example.com")}
	return w
}
