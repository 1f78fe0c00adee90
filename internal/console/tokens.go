package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/console/api"
)

// idleAfter is when a token that is not used needs attention. Tokens live for at most 90 days unless a setting says otherwise.
const idleAfter = 30 * 24 * time.Hour

// tokens is the list of all stored tokens of the organization.
type tokens struct {
	List      []api.ListedToken
	Next      string // address of the next page
	First     bool   // of the pages
	State     string
	Method    string
	Use       string
	Identity  *api.Identity // that the list is limited to
	CanRevoke bool
	Done      string
	Errors    []string
}

func (v *visit) tokensPage() error { return v.showTokens(http.StatusOK, "", nil) }

func (v *visit) showTokens(status int, done string, failed []string) error {
	query := v.r.URL.Query()
	data := tokens{State: query.Get("state"), Method: query.Get("method"), Use: query.Get("use"), First: query.Get("after") == "",
		CanRevoke: v.rights.Can("delete-token", "identity"), Done: done, Errors: failed}
	f := api.TokenFilter{State: data.State, Method: data.Method, IdentityID: query.Get("identity"), After: query.Get("after"), Limit: pageSize}
	if data.State == "" && !query.Has("state") {
		data.State, f.State = "live", "live"
	}
	switch data.Use {
	case "idle":
		f.IdleSince = v.now().Add(-idleAfter)
	case "expiring":
		f.ExpiresBy = v.now().Add(7 * 24 * time.Hour)
	}
	list, next, err := v.api.AllTokens(v.ctx, f)
	if err != nil {
		return err
	}
	if data.List = list; next != "" {
		query.Set("after", next)
		data.Next = v.r.URL.Path + "?" + query.Encode()
	}
	if f.IdentityID != "" {
		one, err := v.api.Identity(v.ctx, f.IdentityID)
		if err != nil {
			return err
		}
		data.Identity = &one
	}
	return v.show(status, "tokens", "Tokens", data)
}

// mostTokens bounds how many tokens one form revokes, and how many are looked for in a text.
const mostTokens = 100

// revokeSelected revokes the tokens that were ticked: each is "identity token".
func (v *visit) revokeSelected() error {
	chosen := v.posted()["token"]
	if len(chosen) == 0 {
		return v.showTokens(http.StatusUnprocessableEntity, "", []string{"Select at least one token."})
	}
	revoked, failed, err := v.revokeAll(chosen)
	if err != nil {
		return err
	}
	done := ""
	if revoked > 0 {
		done = plural(revoked, "token") + " revoked. No replica accepts " + map[bool]string{true: "it", false: "them"}[revoked == 1] + " any more."
	}
	return v.showTokens(http.StatusOK, done, failed)
}

// revokeAll revokes tokens one by one, and tells how many went and why others did not.
func (v *visit) revokeAll(chosen []string) (revoked int, failed []string, err error) {
	for _, one := range chosen[:min(len(chosen), mostTokens)] {
		identityID, tokenID, _ := strings.Cut(one, " ")
		err := v.api.RevokeToken(v.ctx, identityID, tokenID)
		refused := (*api.Error)(nil)
		switch {
		case err == nil:
			revoked++
		case errors.As(err, &refused) && refused.Status != http.StatusUnauthorized:
			failed = append(failed, fmt.Sprintf("%s: %s", short(tokenID), refused.Error()))
		default:
			return revoked, failed, err
		}
	}
	return revoked, failed, nil
}

// leak is the page on which any text is searched for tokens.
type leak struct {
	Found     []leaked
	Searched  bool
	Dead      int // tokens that no server accepts
	Revoked   int
	Failed    []string
	CanRevoke bool
}

// leaked is a live token that was found. The token itself is not shown again.
type leaked struct {
	api.Introspection
	User bool // a session of a user, which is ended elsewhere
}

// jwt finds tokens in any text.
var jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}`)

func (v *visit) leakPage() error {
	return v.show(http.StatusOK, "leak", "Paste a leak", leak{CanRevoke: v.rights.Can("delete-token", "identity")})
}

// searchLeak looks for tokens in a text, or revokes those that were found.
func (v *visit) searchLeak() error {
	data := leak{CanRevoke: v.rights.Can("delete-token", "identity"), Searched: true}
	if chosen := v.posted()["token"]; len(chosen) > 0 {
		var err error
		if data.Revoked, data.Failed, err = v.revokeAll(chosen); err != nil {
			return err
		}
		return v.show(http.StatusOK, "leak", "Paste a leak", data)
	}
	seen := map[string]bool{}
	for _, token := range jwt.FindAllString(v.r.PostFormValue("text"), mostTokens) {
		if seen[token] {
			continue
		}
		seen[token] = true
		i, err := v.api.Introspect(v.ctx, token)
		if err != nil {
			return err
		}
		if !i.Active {
			data.Dead++
			continue
		}
		data.Found = append(data.Found, leaked{i, i.Method == "email"})
	}
	return v.show(http.StatusOK, "leak", "Paste a leak", data)
}

// tokensOf is the address of the list of one identity's tokens.
func tokensOf(base, identityID string) string {
	return base + "/tokens?" + url.Values{"identity": {identityID}, "state": {""}}.Encode()
}
