package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sallyport/sallyport/test/e2e/harness"
)

func revokePath(tokenID string) string { return harness.Tokens + tokenID + "/revoke" }

const selfRevokePath = "/api/v1/auth/token/revoke"

// left is what a revoke leaves behind.
type left struct{ Row, Entry, Event int64 }

func leftOf(t *testing.T, s *harness.Server, a harness.Actor) left {
	t.Helper()
	return left{
		Row:   s.Count(t, `SELECT count(*) FROM access_tokens WHERE id = ? AND revoked`, a.TokenID),
		Entry: s.Count(t, `SELECT count(*) FROM change_log WHERE kind = 'token' AND key = ?`, a.TokenID+" "+a.ID),
		Event: s.Count(t, `SELECT count(*) FROM audit_logs WHERE event_type = 'revoke-identity-access-token' AND event_metadata LIKE ?`, "%"+a.TokenID+"%"),
	}
}

func TestRevokeLeavesRowRevocationFeedEntryAndAuditEventInOneTransaction(t *testing.T) {
	s := harness.StartReady(t)
	for name, revoke := range map[string]func(harness.Actor) *harness.Answer{
		"by id": func(a harness.Actor) *harness.Answer {
			return s.Admin.Call(t, http.MethodPost, revokePath(a.TokenID), nil)
		},
		"by itself": func(a harness.Actor) *harness.Answer {
			return s.As("").Call(t, http.MethodPost, selfRevokePath, object{"accessToken": a.Token})
		},
	} {
		t.Run(name+"/all of it or nothing", func(t *testing.T) {
			a := s.NewActor(t, "no-access", nil)
			for table, event := range map[string]string{"access_tokens": "UPDATE", "change_log": "INSERT", "feed_head": "UPDATE", "audit_logs": "INSERT"} {
				mend := s.Break(t, table, event)
				revoke(a).WantError(500, "InternalServerError")
				if got := leftOf(t, s, a); got != (left{}) {
					t.Errorf("with a broken %s it left %+v", table, got)
				}
				if !a.Works(t) {
					t.Errorf("with a broken %s the token is dead, though the revoke failed", table)
				}
				mend()
			}
			revoke(a).Want(200)
			if got := leftOf(t, s, a); got != (left{1, 1, 1}) {
				t.Errorf("it left %+v, want one of each", got)
			}
			if a.Works(t) {
				t.Error("the token still works")
			}
		})
	}
}

func TestRevokeIsTrueForTheVeryNextRequest(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "admin", nil)
	if !a.Works(t) {
		t.Fatal("the token is refused before")
	}
	answer := shared.Admin.Call(t, http.MethodPost, revokePath(a.TokenID), nil).Want(200)
	if keys, _ := answer.JSON().(object); len(keys) != 1 || answer.Text("message") == "" {
		t.Errorf("answered %s, want a message alone", answer.Body)
	}
	a.Call(t, http.MethodGet, harness.Identities+"/details", nil).WantError(401, "TokenError")
	if read := shared.Admin.Call(t, http.MethodGet, harness.Tokens+a.TokenID, nil).Want(200); !read.Flag("token.isAccessTokenRevoked") {
		t.Errorf("it reads %s", read.Body)
	}
	if list := shared.Admin.Call(t, http.MethodGet, tokensOf(a.ID), nil).Want(200); !list.Flag("tokens.0.isAccessTokenRevoked") {
		t.Errorf("it is listed %s", list.Body)
	}
}

func TestRevokeByHolder(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "no-access", nil)
	_, sibling := shared.NewToken(t, a.ID)
	revoke := func() *harness.Answer {
		return a.Call(t, http.MethodPost, selfRevokePath, object{"accessToken": a.Token})
	}
	revoke().Want(200)
	if a.Works(t) {
		t.Error("the token still works")
	}
	t.Run("again changes nothing", func(t *testing.T) {
		revoke().Want(200)
		if got := leftOf(t, shared, a); got != (left{1, 1, 1}) {
			t.Errorf("it left %+v, want one of each", got)
		}
	})
	t.Run("shows in the list, and leaves others alone", func(t *testing.T) {
		for id, want := range map[string]bool{a.TokenID: true, sibling: false} {
			if got := shared.Admin.Call(t, http.MethodGet, harness.Tokens+id, nil).Flag("token.isAccessTokenRevoked"); got != want {
				t.Errorf("isAccessTokenRevoked is %v, want %v", got, want)
			}
		}
	})
	t.Run("then revoking by id finds nothing", func(t *testing.T) {
		shared.Admin.Call(t, http.MethodPost, revokePath(a.TokenID), nil).WantError(404, "NotFound")
	})
	t.Run("refused/dead token", func(t *testing.T) {
		expired := shared.Sign(t, a.Token, object{"exp": shared.Clock.Now().Unix() - 1})
		for _, jwt := range []string{expired, "nonsense"} {
			a.Call(t, http.MethodPost, selfRevokePath, object{"accessToken": jwt}).WantError(401, "TokenError")
		}
	})
	t.Run("refused/a token of another sort is a bad request", func(t *testing.T) {
		user := login(t, shared, adminEmail)
		for _, other := range []string{user.Token, user.Cookie, shared.Sign(t, a.Token, object{"authTokenType": "scimToken"})} {
			a.Call(t, http.MethodPost, selfRevokePath, object{"accessToken": other}).WantError(400, "BadRequest")
			shared.As("").Call(t, http.MethodPost, renewPath, object{"accessToken": other}).WantError(400, "BadRequest")
		}
		if !user.Works(t) {
			t.Error("the user's session ended")
		}
	})
}

// but returns a body without what may differ between two answers of the same kind.
func but(t *testing.T, a *harness.Answer) object {
	t.Helper()
	body, ok := a.JSON().(object)
	if !ok || body["reqId"] != a.Header.Get("X-Request-Id") {
		t.Fatalf("answered %s with the request id %s", a.Body, a.Header.Get("X-Request-Id"))
	}
	delete(body, "reqId")
	return body
}

func TestTokenOfAnotherOrganizationOfAnotherMethodOrAlreadyRevokedAnswersLikeAnUnknownOne(t *testing.T) {
	s := harness.StartReady(t)
	unknown := "01890000-0000-7000-8000-000000000000"
	want := but(t, s.Admin.Call(t, http.MethodPost, revokePath(unknown), nil).WantError(404, "NotFound"))

	mine, other, login := s.NewActor(t, "no-access", nil), s.NewActor(t, "no-access", nil), s.NewActor(t, "no-access", nil)
	s.Exec(t, `UPDATE access_tokens SET method = 'universal-auth' WHERE id = ?`, login.TokenID)
	_, foreign := s.OtherOrg(t)
	s.Admin.Call(t, http.MethodPost, revokePath(other.TokenID), nil).Want(200)

	for name, c := range map[string]struct {
		client  harness.Client
		tokenID string
	}{
		"another organization": {foreign, mine.TokenID},
		"another method":       {s.Admin, login.TokenID},
		"already revoked":      {s.Admin, other.TokenID},
		"no UUID":              {s.Admin, "nope"},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.client.Call(t, http.MethodPost, revokePath(c.tokenID), nil)
			if diff := cmp.Diff(want, but(t, got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, call := range map[string]struct {
		method, path string
		body         any
	}{
		"read":   {http.MethodGet, harness.Tokens, nil},
		"rename": {http.MethodPatch, harness.Tokens, object{"name": "mine now"}},
		"alias":  {http.MethodGet, tokensOf(mine.ID) + "/", nil},
	} {
		t.Run(name+" of another organization", func(t *testing.T) {
			stranger := foreign.Call(t, call.method, call.path+mine.TokenID, call.body).WantError(404, "NotFound")
			nobody := foreign.Call(t, call.method, call.path+unknown, call.body).WantError(404, "NotFound")
			if diff := cmp.Diff(but(t, nobody), but(t, stranger)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if !mine.Works(t) {
		t.Error("the token of the first organization died")
	}
}

func TestIdentityOfAnotherOrganizationAnswersLikeAnUnknownOne(t *testing.T) {
	s := harness.StartReady(t)
	a := s.NewActor(t, "no-access", nil)
	_, foreign := s.OtherOrg(t)
	before := s.Snapshot(t)
	const unknown = "01890000-0000-7000-8000-000000000000"
	for _, c := range []struct {
		method, path, after string
		body                any
	}{
		{http.MethodGet, harness.Identities + "/", "", nil},
		{http.MethodPatch, harness.Identities + "/", "", object{"name": "x"}},
		{http.MethodDelete, harness.Identities + "/", "", nil},
		{http.MethodGet, harness.Identities + "/", "/identity-memberships", nil},
		{http.MethodPost, harness.TokenAuth, "", nil},
		{http.MethodGet, harness.TokenAuth, "", nil},
		{http.MethodPatch, harness.TokenAuth, "", nil},
		{http.MethodDelete, harness.TokenAuth, "", nil},
		{http.MethodPost, harness.TokenAuth, "/tokens", nil},
		{http.MethodGet, harness.TokenAuth, "/tokens", nil},
	} {
		t.Run(c.method+" "+c.path+"id"+c.after, func(t *testing.T) {
			stranger := but(t, foreign.Call(t, c.method, c.path+a.ID+c.after, c.body).WantError(404, "NotFound"))
			nobody := but(t, foreign.Call(t, c.method, c.path+unknown+c.after, c.body).WantError(404, "NotFound"))
			replaceIn(stranger, a.ID, unknown)
			if diff := cmp.Diff(nobody, stranger); diff != "" {
				t.Error(diff)
			}
		})
	}
	if diff := cmp.Diff(before, s.Snapshot(t)); diff != "" {
		t.Errorf("a stranger changed the database: %s", diff)
	}
}

// replaceIn puts one id in the place of another in the message of an error.
func replaceIn(body object, old, new string) {
	if message, ok := body["message"].(string); ok {
		body["message"] = strings.ReplaceAll(message, old, new)
	}
}

func TestDetachKillsAllTokensWithOneCutOffAndReAttachingDoesNotBringThemBack(t *testing.T) {
	s := harness.StartReady(t)
	a := s.NewActor(t, "no-access", nil)
	second, _ := s.NewToken(t, a.ID)
	bystander := s.NewActor(t, "no-access", nil)
	entries := s.Count(t, `SELECT count(*) FROM change_log WHERE kind = 'token' OR kind LIKE 'cut-%'`)

	s.Admin.Call(t, http.MethodDelete, harness.TokenAuth+a.ID, nil).Want(200)
	if a.Works(t) || s.As(second).Works(t) {
		t.Error("a token outlived the detach")
	}
	if !bystander.Works(t) {
		t.Error("a token of another identity died")
	}
	if n := s.Count(t, `SELECT count(*) FROM change_log WHERE kind = 'token' OR kind LIKE 'cut-%'`) - entries; n != 1 {
		t.Errorf("it took %d entries, want one", n)
	}
	if n := s.Count(t, `SELECT count(*) FROM change_log WHERE kind = 'cut-method' AND key = ?`, a.ID+" token-auth"); n != 1 {
		t.Errorf("%d cut-offs of the method, want one", n)
	}

	s.Attach(t, a.ID, nil)
	third, thirdID := s.NewToken(t, a.ID)
	if a.Works(t) || s.As(second).Works(t) {
		t.Error("attaching again brought a token back")
	}
	if !s.As(third).Works(t) {
		t.Error("a token made after that does not work")
	}
	list := s.Admin.Call(t, http.MethodGet, tokensOf(a.ID), nil).Want(200)
	for i, id := range list.List("tokens", "id") {
		if dead := list.At("tokens").([]any)[i].(object)["isAccessTokenRevoked"]; dead != (id != thirdID) {
			t.Errorf("the list says revoked=%v of %s", dead, id)
		}
	}
	s.Restart(t)
	if s.As(a.Token).Works(t) || s.As(second).Works(t) || !s.As(third).Works(t) {
		t.Error("a restart changed who is dead")
	}
}

func TestDeletingAnIdentityKillsEveryTokenOfIt(t *testing.T) {
	t.Parallel()
	a := shared.NewActor(t, "admin", nil)
	second, _ := shared.NewToken(t, a.ID)
	shared.Admin.Call(t, http.MethodDelete, identityPath(a.ID), nil).Want(200)
	for _, jwt := range []string{a.Token, second} {
		shared.As(jwt).Call(t, http.MethodGet, harness.Identities, nil).WantError(401, "TokenError")
		shared.As("").Call(t, http.MethodPost, renewPath, object{"accessToken": jwt}).WantError(401, "TokenError")
	}
	if n := shared.Count(t, `SELECT count(*) FROM change_log WHERE kind = 'cut-identity' AND key = ?`, a.ID); n != 1 {
		t.Errorf("%d cut-offs, want one", n)
	}
}

func TestKnowingTheIDOfSomebodyElsesTokenKillsNothing(t *testing.T) {
	t.Parallel()
	victim, attacker := shared.NewActor(t, "no-access", nil), shared.NewActor(t, "no-access", nil)
	// Nobody can make such a token, but if an id were ever used twice, it must hurt its own identity alone.
	twin := shared.Sign(t, attacker.Token, object{"jti": victim.TokenID, "identityAccessTokenId": victim.TokenID})
	shared.As("").Call(t, http.MethodPost, selfRevokePath, object{"accessToken": twin})
	if !victim.Works(t) {
		t.Error("the token of another identity died")
	}
}

func TestRestartKeepsRevocations(t *testing.T) {
	s := harness.StartReady(t)
	live := s.NewActor(t, "no-access", nil)
	byID, bySelf, detached, deleted := s.NewActor(t, "no-access", nil), s.NewActor(t, "no-access", nil), s.NewActor(t, "no-access", nil), s.NewActor(t, "no-access", nil)
	s.Admin.Call(t, http.MethodPost, revokePath(byID.TokenID), nil).Want(200)
	s.As("").Call(t, http.MethodPost, selfRevokePath, object{"accessToken": bySelf.Token}).Want(200)
	s.Admin.Call(t, http.MethodDelete, harness.TokenAuth+detached.ID, nil).Want(200)
	s.Admin.Call(t, http.MethodDelete, identityPath(deleted.ID), nil).Want(200)
	s.Restart(t)
	if !s.As(live.Token).Works(t) || !s.Admin.Works(t) {
		t.Error("a live token died")
	}
	for name, a := range map[string]harness.Actor{"by id": byID, "by itself": bySelf, "detached": detached, "deleted": deleted} {
		if s.As(a.Token).Works(t) {
			t.Errorf("the token revoked %s works again", name)
		}
	}
}
