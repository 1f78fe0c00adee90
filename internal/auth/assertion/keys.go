package assertion

import (
	"context"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/sallyport/internal/auth"
)

// How long an issuer's keys are used before they are fetched again, and how soon a token that no kept key made may have
// them fetched again.
const (
	keysFresh = 5 * time.Minute
	keysAgain = 5 * time.Second
)

// maxKeys bounds how many keys of one issuer are kept.
const maxKeys = 64

// issuer says where keys are found: at a JWKS endpoint, or at the one that a discovery document names.
type issuer struct {
	url, caCert string
	discovered  bool
	name        string // what the discovery document must call its issuer
}

// key names an issuer, both among the keys that are kept and among the fetches that are under way: two configurations
// share an answer only if they would have asked the same of the same.
func (i issuer) key() (string, error) {
	kind := "jwks"
	if i.discovered {
		kind = "discovery"
	}
	return digest(kind, i.url, i.caCert, i.name)
}

// keySet are the keys of an issuer.
type keySet struct {
	keys []jose.JSONWebKey
	at   time.Time // when they were asked for
}

// jwksTypes is what the request for keys accepts. An API server of Kubernetes answers with nothing but the first (RFC
// 7517 section 8.5.1) and refuses a request that does not name it; others use the second, or something else.
const jwksTypes = "application/jwk-set+json, application/json, */*;q=0.1"

// JWKS returns the keys that a JWKS endpoint has. They are kept for five minutes; nothing is kept of a failure.
func (s *Service) JWKS(url, caCert string) Keys { return s.keysOf(issuer{url: url, caCert: caCert}) }

func (s *Service) keysOf(i issuer) Keys {
	return func(ctx context.Context, kid string, again bool) ([]jose.JSONWebKey, error) {
		key, err := i.key()
		if err != nil {
			return nil, err
		}
		now := s.db.Now()
		if set, kept := s.issuers.GetIfPresent(key); kept {
			found, age := set.named(kid), now.Sub(set.at)
			if age < keysAgain || age < keysFresh && len(found) > 0 && !again {
				return found, orUnknown(found)
			}
		}
		set, err := s.refresh(ctx, key, i, now)
		if err != nil {
			return nil, err
		}
		found := set.named(kid)
		return found, orUnknown(found)
	}
}

func orUnknown(found []jose.JSONWebKey) error {
	if len(found) == 0 {
		return auth.Refuse("unknown_key", "The issuer has no key with the ID that the JWT names. Check that the JWT comes from the configured issuer.")
	}
	return nil
}

// named returns the keys with an id and those without one, or all for a token that names none.
func (set *keySet) named(kid string) []jose.JSONWebKey {
	if kid == "" {
		return set.keys
	}
	var found []jose.JSONWebKey
	for _, key := range set.keys {
		if key.KeyID == kid || key.KeyID == "" {
			found = append(found, key)
		}
	}
	return found
}

// refresh fetches the keys of an issuer, once for all who wait for them. It goes on when one of those goes away.
func (s *Service) refresh(ctx context.Context, key string, i issuer, now time.Time) (*keySet, error) {
	flight := s.flights.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
		defer cancel()
		keys, err := s.fetch(ctx, i)
		if err != nil {
			return nil, err
		}
		set := &keySet{keys, now}
		s.issuers.Set(key, set)
		return set, nil
	})
	select {
	case <-ctx.Done():
		return nil, jwksEndpoint(i.url, i.caCert).Unavailable("did not answer in time").Because(ctx.Err())
	case done := <-flight:
		if done.Err != nil {
			return nil, done.Err
		}
		return done.Val.(*keySet), nil
	}
}

func jwksEndpoint(url, caCert string) Endpoint { return Endpoint{"JWKS endpoint", url, caCert} }

// fetch asks an issuer for its keys.
func (s *Service) fetch(ctx context.Context, i issuer) ([]jose.JSONWebKey, error) {
	url := i.url
	if i.discovered {
		var err error
		if url, err = s.discover(ctx, i); err != nil {
			return nil, err
		}
	}
	e := jwksEndpoint(url, i.caCert)
	reply, err := s.document(ctx, e, jwksTypes)
	if err != nil {
		return nil, err
	}
	keys := parseKeys(reply)
	if len(keys) == 0 {
		return nil, e.Unavailable("answered without a public key that can be used")
	}
	return keys, nil
}

// document reads what an endpoint answers with 200.
func (s *Service) document(ctx context.Context, e Endpoint, accept string) ([]byte, error) {
	status, reply, err := s.Call(ctx, e, Request{Accept: accept, Limit: MaxReply})
	if err == nil && status != http.StatusOK {
		err = e.Unavailable("answered with status %d", status)
	}
	return reply, err
}
