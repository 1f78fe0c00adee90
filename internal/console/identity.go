package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/console/api"
)

// identity is the page about one identity.
type identity struct {
	Identity api.Identity
	Rights   *api.Rights // nil for who may not see them
	Tokens   []api.Token
	Total    int64 // of tokens that are listed
	Live     int
	Secrets  []api.ClientSecret
	Projects []api.ProjectMembership
	Events   []api.Event // nil for who may not read the log
	Places   []place
	Refused  int
	Days     []int // uses a day, oldest first
	Most     int
	Last     *api.Event
	Can      map[string]bool
	Now      time.Time
	Done     string
}

// place is an address that an identity was seen at.
type place struct {
	IP, Agent string
	Count     int
	Last      time.Time
}

// seenFor is how far back the page looks for where an identity was used, seenMost at how many events.
const (
	seenFor  = 7 * 24 * time.Hour
	seenMost = 200
)

func (v *visit) identityPage() error {
	data, err := v.readIdentity(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	data.Done = map[string]string{"token": "The token is revoked. No replica accepts it any more.",
		"secret": "The client secret is revoked, with every token that was issued for it."}[v.r.URL.Query().Get("done")]
	return v.show(http.StatusOK, "identity", data.Identity.Name, data)
}

func (v *visit) readIdentity(id string) (*identity, error) {
	data := &identity{Now: v.now(), Can: map[string]bool{}}
	for _, action := range []string{"create-token", "delete-token", "get-token", "revoke-auth", "delete", "edit-auth"} {
		data.Can[action] = v.rights.Can(action, "identity")
	}
	var err error
	if data.Identity, err = v.api.Identity(v.ctx, id); err != nil {
		return nil, err
	}
	rights, err := v.api.RightsOf(v.ctx, id)
	if err == nil {
		data.Rights = &rights
	} else if !api.Refused(err) && api.Status(err) != http.StatusNotFound {
		return nil, err
	}
	if data.Projects, err = v.api.ProjectsOf(v.ctx, id); err != nil && !api.Refused(err) {
		return nil, err
	}
	if err := v.readCredentials(data); err != nil {
		return nil, err
	}
	return data, v.readUse(data)
}

// readCredentials reads tokens and client secrets, as far as the visitor may see them.
func (v *visit) readCredentials(data *identity) (err error) {
	if data.Identity.Has("token-auth") && data.Can["get-token"] {
		if data.Tokens, data.Total, err = v.api.Tokens(v.ctx, data.Identity.ID, 50); err != nil && !api.Refused(err) {
			return err
		}
		for _, t := range data.Tokens {
			if stateOf(t, data.Now) == "live" || stateOf(t, data.Now) == "expiring" {
				data.Live++
			}
		}
	}
	if data.Identity.Has("universal-auth") && data.Can["get-token"] {
		if data.Secrets, err = v.api.ClientSecrets(v.ctx, data.Identity.ID); err != nil && !api.Refused(err) {
			return err
		}
	}
	return nil
}

// readUse reads from the audit log where and when the identity was used.
func (v *visit) readUse(data *identity) error {
	if !v.rights.Can("read", "audit-logs") {
		return nil
	}
	from := data.Now.Add(-seenFor)
	own, err := v.api.Audit(v.ctx, api.AuditQuery{Actor: data.Identity.ID, From: from, Limit: seenMost})
	if err != nil {
		return err
	}
	about, err := v.api.Audit(v.ctx, api.AuditQuery{Metadata: "identityId=" + data.Identity.ID, From: from, Limit: 20})
	if err != nil {
		return err
	}
	data.use(own)
	data.Events = append(slices.Clone(own[:min(len(own), 20)]), about...)
	slices.SortStableFunc(data.Events, func(a, b api.Event) int { return b.CreatedAt.Compare(a.CreatedAt) })
	data.Events = slices.CompactFunc(data.Events, func(a, b api.Event) bool { return a.ID == b.ID })
	data.Events = data.Events[:min(len(data.Events), 20)]
	return nil
}

// use sums up what the identity did: by address, and by day.
func (data *identity) use(events []api.Event) {
	data.Days = make([]int, int(seenFor/(24*time.Hour)))
	at := map[string]int{}
	for i, e := range events {
		if i == 0 {
			data.Last = &events[0]
		}
		if e.Event.Type == "permission-denied" {
			data.Refused++
		}
		if day := len(data.Days) - 1 - int(data.Now.Sub(e.CreatedAt)/(24*time.Hour)); day >= 0 && day < len(data.Days) {
			data.Days[day]++
			data.Most = max(data.Most, data.Days[day])
		}
		n, known := at[e.IPAddress]
		if !known {
			n = len(data.Places)
			at[e.IPAddress] = n
			data.Places = append(data.Places, place{IP: e.IPAddress, Agent: e.UserAgent, Last: e.CreatedAt})
		}
		data.Places[n].Count++
	}
	slices.SortStableFunc(data.Places, func(a, b place) int { return b.Count - a.Count })
}

// stateOf names the state of a token: live, expiring within 7 days, expired, used up or revoked.
func stateOf(t api.Token, now time.Time) string {
	switch left := t.ExpiresAt().Sub(now); {
	case t.Revoked:
		return "revoked"
	case left <= 0:
		return "expired"
	case t.UsesLimit > 0 && t.Uses >= t.UsesLimit:
		return "used up"
	case left < 7*24*time.Hour:
		return "expiring"
	}
	return "live"
}

// ending is the page that asks before everything of an identity is revoked, or before it is deleted.
type ending struct {
	Identity api.Identity
	Live     int
	Total    int64
	Secrets  int
	Error    string
	Detach   bool
}

func (v *visit) endingPage(name, title string) error {
	form, err := v.ending()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, name, title, form)
}

func (v *visit) ending() (*ending, error) {
	data, err := v.readIdentity(v.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return &ending{Identity: data.Identity, Live: data.Live, Total: data.Total, Secrets: len(data.Secrets)}, nil
}

func (v *visit) revokePage() error { return v.endingPage("revoke", "Revoke everything") }
func (v *visit) deletePage() error { return v.endingPage("deleteidentity", "Delete the identity") }

// confirmed reads the form of an ending, and whether the name was typed as it is.
func (v *visit) confirmed() (*ending, bool, error) {
	form, err := v.ending()
	if err != nil {
		return nil, false, err
	}
	form.Detach = v.r.PostFormValue("detach") != ""
	if v.value("confirm") != strings.TrimSpace(form.Identity.Name) {
		form.Error = fmt.Sprintf("Type %s to confirm. Nothing was changed.", form.Identity.Name)
		return form, false, nil
	}
	return form, true, nil
}

// receipt tells what a revocation did.
type receipt struct {
	Identity api.Identity
	Live     int
	Secrets  int
	Detached []string
	Replicas int // 0 where the visitor may not know
	Took     time.Duration
	At       time.Time
}

// revokeEverything kills all tokens, the client secrets, and with detach the login methods. The API answers when no replica
// accepts a token any more.
func (v *visit) revokeEverything() error {
	form, ok, err := v.confirmed()
	if err != nil {
		return err
	}
	if !ok {
		return v.show(http.StatusUnprocessableEntity, "revoke", "Revoke everything", form)
	}
	id, began := form.Identity.ID, v.now()
	if err := v.api.RevokeTokens(v.ctx, id); err != nil {
		return err
	}
	done := receipt{Identity: form.Identity, Live: form.Live, Took: v.now().Sub(began), At: v.now()}
	if form.Identity.Has("universal-auth") {
		secrets, err := v.api.ClientSecrets(v.ctx, id)
		if err != nil {
			return err
		}
		for _, secret := range secrets {
			if err := v.api.RevokeClientSecret(v.ctx, id, secret.ID); err != nil && api.Status(err) != http.StatusNotFound {
				return err
			}
			done.Secrets++
		}
	}
	if form.Detach {
		for _, method := range form.Identity.Methods {
			if err := v.api.Detach(v.ctx, method, id); err != nil && api.Status(err) != http.StatusNotFound {
				return err
			}
			done.Detached = append(done.Detached, method)
		}
	}
	if f := v.fleet(); f != nil {
		done.Replicas = f.Replicas
	}
	return v.show(http.StatusOK, "revoked", "Revoked", done)
}

func (v *visit) deleteIdentity() error {
	form, ok, err := v.confirmed()
	if err != nil {
		return err
	}
	if !ok {
		return v.show(http.StatusUnprocessableEntity, "deleteidentity", "Delete the identity", form)
	}
	if err := v.api.DeleteIdentity(v.ctx, form.Identity.ID); err != nil {
		return err
	}
	return v.redirect("/o/" + v.org.Slug + "/identities?done=deleted")
}
