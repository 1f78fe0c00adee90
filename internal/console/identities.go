package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/sallyport/sallyport/internal/console/api"
)

// pageSize is how many rows a list shows at once.
const pageSize = 50

// pager leads through a list. First counts from 1; both are 0 where nothing was found.
type pager struct {
	First, Last int
	Total       int64
	Back, Next  string // addresses; "" for none
}

// pagesOf makes the pager of a list that begins at offset and shows n rows, of at most size.
func (v *visit) pagesOf(offset, n, size int, total int64) pager {
	p := pager{Total: total}
	if n > 0 {
		p.First, p.Last = offset+1, offset+n
	}
	at := func(offset int) string {
		query := v.r.URL.Query()
		query.Set("offset", strconv.Itoa(offset))
		return v.r.URL.Path + "?" + query.Encode()
	}
	if offset > 0 {
		p.Back = at(max(0, offset-size))
	}
	if int64(offset+n) < total && n > 0 {
		p.Next = at(offset + size)
	}
	return p
}

// offset is the place in a list that the address names.
func (v *visit) offset() int {
	n, err := strconv.Atoi(v.r.URL.Query().Get("offset"))
	if err != nil || n < 0 || n > 1_000_000_000 {
		return 0
	}
	return n
}

// identities is the list.
type identities struct {
	List       []api.Identity
	Roles      []api.OrgRole
	Name, Role string
	Sort       string
	Pages      pager
	CanCreate  bool
	Done       string
}

func (v *visit) identitiesPage() error {
	query := v.r.URL.Query()
	data := identities{Name: query.Get("q"), Role: query.Get("role"), Sort: query.Get("sort"), CanCreate: v.rights.Can("create", "identity")}
	search := api.IdentitySearch{Name: data.Name, Role: data.Role, OrderBy: "name", Offset: v.offset(), Limit: pageSize}
	switch data.Sort {
	case "role":
		search.OrderBy = "role"
	case "-name":
		search.Descending = true
	}
	list, total, err := v.api.Identities(v.ctx, search)
	if err != nil {
		return err
	}
	data.List, data.Pages = list, v.pagesOf(search.Offset, len(list), pageSize, total)
	if data.Roles, err = v.roles(); err != nil {
		return err
	}
	if query.Get("done") == "deleted" {
		data.Done = "The identity is deleted. No replica accepts a token of it any more."
	}
	return v.show(http.StatusOK, "identities", "Identities", data)
}

// roles are those of the organization, for a choice; none for who may not see them.
func (v *visit) roles() ([]api.OrgRole, error) {
	if !v.rights.Can("read", "role") {
		return nil, nil
	}
	return v.api.OrgRoles(v.ctx)
}

// newIdentity is the form that makes one.
type newIdentity struct {
	Name, Role, Method, Label string
	Repository, Place, Which  string // of GitHub Actions: a repository, and a branch or an environment of it
	Roles                     []api.OrgRole
	Error                     string
	Fields                    map[string]string
}

func (v *visit) newIdentityPage() error {
	roles, err := v.roles()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "newidentity", "New identity", newIdentity{Role: "no-access", Method: "token-auth", Roles: roles})
}

// createIdentity makes an identity, with a login method and a first credential if that was asked for.
func (v *visit) createIdentity() error {
	form := newIdentity{Name: v.value("name"), Role: v.value("role"), Method: v.value("method"), Label: v.value("label"),
		Repository: v.value("repository"), Place: v.value("place"), Which: v.value("which")}
	trust, wrong := form.github()
	if wrong != "" {
		roles, err := v.roles()
		if err != nil {
			return err
		}
		form.Roles, form.Fields = roles, map[string]string{"repository": wrong}
		return v.show(http.StatusUnprocessableEntity, "newidentity", "New identity", form)
	}
	id, err := v.api.CreateIdentity(v.ctx, v.org.ID, form.Name, form.Role)
	refused := (*api.Error)(nil)
	if errors.As(err, &refused) && refused.Status != http.StatusUnauthorized {
		roles, failed := v.roles()
		if failed != nil {
			return failed
		}
		form.Roles = roles
		form.Error, form.Fields = messages(refused, "name", "role")
		return v.show(refused.Status, "newidentity", "New identity", form)
	}
	if err != nil {
		return err
	}
	if form.Method == "github" {
		if err := v.api.Attach(v.ctx, "oidc-auth", id, trust); err != nil {
			return err
		}
		made := credential{Method: form.Method, URL: v.serverURL()}
		if made.Identity, err = v.api.Identity(v.ctx, id); err != nil {
			return err
		}
		made.Snippets = []snippet{{"github", "GitHub Actions", workflow(made.URL, id, trust)}}
		return v.show(http.StatusOK, "credential", "Log in from GitHub Actions", made)
	}
	if form.Method != "token-auth" && form.Method != "universal-auth" {
		return v.redirect(v.identityPath(id))
	}
	if err := v.api.Attach(v.ctx, form.Method, id, nil); err != nil {
		return err
	}
	return v.makeCredential(id, form.Method, form.Label, 0, 0)
}

func (v *visit) identityPath(id string) string {
	return "/o/" + url.PathEscape(v.org.Slug) + "/identities/" + url.PathEscape(id)
}
