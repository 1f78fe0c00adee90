package importer

import (
	"cmp"
	"context"
	"net/http"
	"slices"
)

// machine is one identity on its way, one of the organization or one that a project owns.
type machine struct {
	*run
	from      *wireMember
	path      string // where identities of its sort are made and changed, at the target
	rolesPath string // where their roles are changed
	kind      Kind   // of its roles
	read      func(ctx context.Context, id string) (*wireMember, error)

	id    string // at the target, once it is there
	there *wireMember
	ours  bool // this import made it and has not been through it yet
}

func (m *machine) name() string { return m.from.Identity.Name }

// bring makes or compares the identity, then its roles, then its login methods. It is made without rights: cut off before
// its roles it can do nothing. The candidates are the identities of its name at the target; twins says that several
// have it at the source. It returns the id at the target, "" for none.
func (m *machine) bring(ctx context.Context, candidates []string, twins bool) (id string, err error) {
	if ok, err := m.find(ctx, candidates, twins); err != nil || !ok {
		return "", err
	}
	if ok, err := m.settle(m.compare(ctx)); err != nil || !ok {
		return "", err
	}
	if err := m.roles(ctx); err != nil {
		return "", err
	}
	for _, method := range m.from.Identity.Methods {
		if err := m.method(ctx, method); err != nil {
			return "", err
		}
	}
	return m.id, m.remember(true)
}

// find looks for the identity at the target: by what the journal says, else by its name. It reports false where nobody
// can tell which of several it is.
func (m *machine) find(ctx context.Context, candidates []string, twins bool) (ok bool, err error) {
	e, begun := m.journal.of(Identities, m.from.IdentityID)
	m.ours = begun && !e.Done
	if e.To != "" {
		m.there, err = m.read(ctx, e.To)
		if err == nil {
			m.id = e.To
			return true, nil
		}
		if !refused(err, http.StatusNotFound, http.StatusBadRequest) {
			return false, m.fail(Identities, m.name(), err)
		}
	}
	candidates = slices.DeleteFunc(slices.Clone(candidates), m.journal.claimed) // what the import made of others of its name
	switch {
	case len(candidates) == 0:
		return true, nil
	case len(candidates) > 1 || twins && !begun:
		m.failed(Identities, m.name(), "several identities have this name, so it is not clear which one is meant; rename them on one side")
		return false, nil
	}
	m.id = candidates[0]
	if m.there, err = m.read(ctx, m.id); err != nil {
		return false, m.fail(Identities, m.name(), err)
	}
	return true, m.remember(false)
}

// remember notes what became of the identity. Only one that this import made is noted as not done.
func (m *machine) remember(done bool) error {
	if m.DryRun {
		return nil
	}
	return m.journal.note(entry{Identities, m.from.IdentityID, m.id, done || !m.ours})
}

func (m *machine) compare(ctx context.Context) thing {
	body := map[string]any{"name": m.name(), "hasDeleteProtection": m.from.Identity.HasProtection, "metadata": append([]pair{}, m.from.Metadata...)}
	t := thing{kind: Identities, where: m.name(), ours: m.ours, make: func() error { return m.make(ctx, body) }}
	if m.there != nil {
		t.there, t.apart = true, cmp.Or(apart("name", m.there.Identity.Name != m.name()), apart("metadata", !samePairs(m.there.Metadata, m.from.Metadata)),
			apart("delete protection", m.there.Identity.HasProtection != m.from.Identity.HasProtection))
		t.change = func() error {
			_, err := m.target.send(ctx, http.MethodPatch, m.path+"/"+m.id, body)
			return err
		}
	}
	return t
}

// make makes the identity. That it is about to be made is noted before.
func (m *machine) make(ctx context.Context, body map[string]any) error {
	m.ours = true
	if err := m.remember(false); err != nil {
		return err
	}
	body["organizationId"] = m.to.OrgID
	answer, err := m.target.send(ctx, http.MethodPost, m.path, body)
	if err != nil {
		return err
	}
	made, err := decode[struct {
		ID string `json:"id"`
	}](m.target, answer, "identity")
	if err != nil {
		return err
	}
	m.id = made.ID
	return m.remember(false)
}

// roles brings over the roles of the identity in its organization, or in the project that owns it.
func (m *machine) roles(ctx context.Context) error {
	wanted := m.from.assigned()
	give := func() error {
		_, err := m.target.send(ctx, http.MethodPatch, m.rolesPath+"/"+m.id, map[string]any{"roles": wanted})
		return err
	}
	t := thing{kind: m.kind, where: m.name(), ours: m.ours, make: give, change: give}
	switch {
	case m.there == nil && slices.Equal(wanted, []assignment{{Role: "no-access"}}):
		t.make = func() error { return nil } // it was made with that
	case m.there != nil:
		t.there, t.apart = true, apart("set of roles", !slices.Equal(wanted, m.there.assigned()))
		if t.apart != "" && m.id == m.to.IdentityID {
			m.note(m.kind, m.name(), "this import runs as that identity, so its roles are left alone")
			return nil
		}
	}
	_, err := m.settle(t)
	return err
}
