package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

// methodKeys are the login methods that can be carried over, with the key of their configuration in answers.
var methodKeys = map[string]string{
	"token-auth": "identityTokenAuth", "universal-auth": "identityUniversalAuth", "jwt-auth": "identityJwtAuth",
	"oidc-auth": "identityOidcAuth", "kubernetes-auth": "identityKubernetesAuth",
}

// method brings over the configuration of one login method of the identity, as far as the API shows it.
func (m *machine) method(ctx context.Context, method string) error {
	where := m.name() + " " + method
	key, known := methodKeys[method]
	if !known {
		m.note(AuthMethods, where, "this server does not have this login method")
		return nil
	}
	path := "/api/v1/auth/" + method + "/identities/"
	from, err := one[map[string]any](ctx, m.source, path+url.PathEscape(m.from.IdentityID), nil, key)
	if err != nil {
		return m.fail(AuthMethods, where, err)
	}
	if err := m.unreadable(ctx, method); err != nil {
		return err
	}
	body := settable(*from)
	if _, shown := body["tokenReviewerJwt"]; method == "kubernetes-auth" && !shown {
		m.note(AuthMethods, where, "the source does not show a token that reviews others; if it has one, set tokenReviewerJwt at the target")
	}
	t := thing{kind: AuthMethods, where: where, ours: m.ours, make: func() error {
		_, err := m.target.send(ctx, http.MethodPost, path+m.id, body)
		return err
	}}
	if m.id != "" {
		if err := m.compareMethod(ctx, &t, path+m.id, key, body); err != nil {
			return m.fail(AuthMethods, where, err)
		}
	}
	_, err = m.settle(t)
	return err
}

// compareMethod looks for the method at the target. An identity that was there before the import gets no new way to log in
// unasked: the source could open it to others.
func (m *machine) compareMethod(ctx context.Context, t *thing, path, key string, body map[string]any) error {
	there, err := one[map[string]any](ctx, m.target, path, nil, key)
	switch {
	case err == nil:
		t.there, t.apart = true, differing(body, settable(*there))
		t.change = func() error {
			_, err := m.target.send(ctx, http.MethodPatch, path, body)
			return err
		}
	case !refused(err, http.StatusNotFound):
		return err
	case m.there != nil && !m.ours:
		t.there, t.apart, t.change = true, "set of login methods", t.make
	}
	return nil
}

// settable returns of a configuration what can be set: without ids and times, which are each server's own, and without
// what is not there.
func settable(config map[string]any) map[string]any {
	c := maps.Clone(config)
	maps.DeleteFunc(c, func(name string, v any) bool {
		return v == nil || slices.Contains([]string{"id", "identityId", "clientId", "createdAt", "updatedAt"}, name)
	})
	return c
}

// differing names the first setting in which the target differs from the source. What the source does not have does not
// count: the target has its default there.
func differing(from, there map[string]any) string {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		if !alike(from[name], there[name]) {
			return name
		}
	}
	return ""
}

// unreadable tells of the credentials that the identity has at the source: nobody can read them.
func (m *machine) unreadable(ctx context.Context, method string) error {
	path, key, what := "/api/v1/auth/universal-auth/identities/"+url.PathEscape(m.from.IdentityID)+"/client-secrets", "clientSecretData", "client secrets"
	switch method {
	case "universal-auth":
	case "token-auth":
		path, key, what = "/api/v1/auth/token-auth/identities/"+url.PathEscape(m.from.IdentityID)+"/tokens", "tokens", "access tokens"
	default:
		return nil
	}
	n := 0
	err := pages(ctx, m.source, path, nil, key, func(*json.RawMessage) error {
		n++
		return nil
	})
	if err != nil {
		return m.fail(AuthMethods, m.name()+" "+what, err)
	}
	if n > 0 {
		m.note(AuthMethods, m.name(), fmt.Sprintf("its %s (%d) cannot be read by anyone; create new ones at the target", what, n))
	}
	return nil
}
