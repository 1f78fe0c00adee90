package target

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/sallyport/sallyport/test/load/drive"
)

// Work does the next operation of the mix. It is the Work of a drive.Plan.
func (s *Site) Work(ctx context.Context, t *drive.Turn) error {
	n := s.next.Add(1) - 1
	at := s.URLs[t.Caller%len(s.URLs)]
	switch operation := s.order[n%int64(len(s.order))]; operation {
	case RevokeThenUse:
		return s.revokeThenUse(ctx, t, at)
	case MassRevoke:
		return s.massRevoke(ctx, t, at)
	case Revoke:
		victim, ok := s.take()
		if !ok {
			return drive.ErrExhausted
		}
		t.Done(Revoke, s.send(ctx, s.revokeCall(at, victim)).instead(http.StatusOK))
	case Poll:
		t.Done(Poll, s.send(ctx, s.pollCall(at)).instead(http.StatusNotModified))
	default:
		t.Done(operation, s.send(ctx, s.simple(operation, at, n)).instead(http.StatusOK))
	}
	return nil
}

// simple returns the request of an operation that is one request, the n-th of all.
func (s *Site) simple(operation, at string, n int64) call {
	switch operation {
	case Read:
		name := url.PathEscape(secretName(int(n % int64(s.Secrets))))
		return call{method: http.MethodGet, url: at + secretsPath + "/" + name + s.secretPlace(), token: s.worker}
	case List:
		return s.listCall(at)
	case Login:
		return call{method: http.MethodPost, url: at + loginPath, body: s.login}
	case CreateToken:
		c := s.admin(http.MethodPost, tokenAuthPath+s.identity+"/tokens", map[string]any{"name": s.Name})
		c.url = at + tokenAuthPath + s.identity + "/tokens"
		return c
	}
	return s.useCall(at, s.worker)
}

func (s *Site) listCall(at string) call {
	return call{method: http.MethodGet, url: at + secretsPath + s.secretPlace(), token: s.worker}
}

func (s *Site) pollCall(at string) call {
	c := s.listCall(at)
	c.tag = s.tag
	return c
}

func (s *Site) useCall(at, jwt string) call {
	return call{method: http.MethodGet, url: at + detailsPath, token: jwt}
}

func (s *Site) revokeCall(at string, victim token) call {
	return call{method: http.MethodPost, url: at + tokensPath + victim.id + "/revoke", token: s.Token}
}

// other returns the replica after one, which is the same one if there are no others.
func (s *Site) other(t *drive.Turn) string { return s.URLs[(t.Caller+1)%len(s.URLs)] }

// revokeThenUse uses a token, so that whatever caches tokens has it, revokes it, and uses it again where it was used before.
func (s *Site) revokeThenUse(ctx context.Context, t *drive.Turn, at string) error {
	victim, ok := s.take()
	if !ok {
		return drive.ErrExhausted
	}
	elsewhere := s.other(t)
	t.Done(Use, s.send(ctx, s.useCall(elsewhere, victim.jwt)).instead(http.StatusOK))
	revoked := s.send(ctx, s.revokeCall(at, victim)).instead(http.StatusOK)
	t.Done(Revoke, revoked)
	if revoked == "" {
		s.useDead(ctx, t, elsewhere, victim)
	}
	return nil
}

// useDead uses a token whose revoke was answered. An answer of success is a stale accept, whatever else the run measures.
func (s *Site) useDead(ctx context.Context, t *drive.Turn, at string, dead token) {
	a := s.send(ctx, s.useCall(at, dead.jwt))
	if a.status >= 200 && a.status < 300 {
		t.Stale()
	}
	t.Done(UseAfterRevoke, a.instead(http.StatusUnauthorized, http.StatusForbidden))
}

// samples is how many tokens of a mass revoke are used before and after it.
const samples = 10

// massRevoke makes an identity with many tokens, uses some of them, takes Token Auth away from it, and uses them again. Making
// the identity and its tokens is not counted.
func (s *Site) massRevoke(ctx context.Context, t *drive.Turn, at string) error {
	calm, cancel := unhurried(ctx)
	identity, err := s.makeIdentity(calm, s.Name+" mass")
	cancel()
	if err != nil {
		return err
	}
	made, err := s.mint(ctx, identity, s.Mass)
	if err != nil {
		return errors.Join(err, context.Cause(ctx))
	}
	chosen := spread(made, samples)
	t.Prepared()
	for _, one := range chosen {
		t.Done(Use, s.send(ctx, s.useCall(s.other(t), one.jwt)).instead(http.StatusOK))
	}
	revoke := call{method: http.MethodDelete, url: at + tokenAuthPath + identity, token: s.Token}
	revoked := s.send(ctx, revoke).instead(http.StatusOK)
	t.Done(MassRevoke, revoked)
	if revoked == "" {
		for _, one := range chosen {
			s.useDead(ctx, t, s.other(t), one)
		}
	}
	calm, cancel = unhurried(ctx)
	defer cancel()
	if err := s.remove(calm, identitiesPath+"/"+identity); err != nil {
		return fmt.Errorf("an identity of the run could not be deleted: %w", err)
	}
	return nil
}

// spread returns at most n tokens that lie evenly among all, the first among them.
func spread(all []token, n int) []token {
	n = min(n, len(all))
	chosen := make([]token, n)
	for i := range chosen {
		chosen[i] = all[i*len(all)/n]
	}
	return chosen
}
