package assertion

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sallyport/sallyport/internal/auth"
)

// How long an issuer's keys are used before they are fetched again, and how soon a token that names an unknown key may
// have them fetched anew.
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
}

// keySet are the keys of an issuer.
type keySet struct {
	keys []jose.JSONWebKey
	at   time.Time // when they were asked for
}

// discoveryPath is where an issuer describes itself (OpenID Connect Discovery 1.0, section 4).
const discoveryPath = "/.well-known/openid-configuration"

// JWKS returns the keys that a JWKS endpoint has. They are kept for five minutes; nothing is kept of a failure.
func (s *Service) JWKS(url, caCert string) Keys { return s.keysOf(issuer{url: url, caCert: caCert}) }

// Discovered returns the keys of an OpenID Connect issuer, which its discovery document leads to. url is the issuer's,
// with or without the path of the document.
func (s *Service) Discovered(url, caCert string) Keys {
	url = strings.TrimRight(url, "/")
	if !strings.HasSuffix(url, discoveryPath) {
		url += discoveryPath
	}
	return s.keysOf(issuer{url: url, caCert: caCert, discovered: true})
}

func (s *Service) keysOf(i issuer) Keys {
	return func(ctx context.Context, kid string) ([]jose.JSONWebKey, error) {
		now := s.DB.Now()
		set, kept := s.issuers.GetIfPresent(i)
		if kept && now.Sub(set.at) < keysFresh {
			found := set.named(kid)
			if len(found) > 0 || now.Sub(set.at) < keysAgain {
				return found, orUnknown(found)
			}
		}
		set, err := s.refresh(ctx, i, now)
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

// named returns the keys with an id, or all for a token that names none.
func (set *keySet) named(kid string) []jose.JSONWebKey {
	if kid == "" {
		return set.keys
	}
	var found []jose.JSONWebKey
	for _, key := range set.keys {
		if key.KeyID == kid {
			found = append(found, key)
		}
	}
	return found
}

// refresh fetches the keys of an issuer, once for all who wait for them. It goes on when one of those goes away.
func (s *Service) refresh(ctx context.Context, i issuer, now time.Time) (*keySet, error) {
	flight := s.flights.DoChan(i.url+"\x00"+i.caCert, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Timeout)
		defer cancel()
		keys, err := s.fetch(ctx, i)
		if err != nil {
			return nil, err
		}
		set := &keySet{keys, now}
		s.issuers.Set(i, set)
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
	reply, err := s.document(ctx, e)
	if err != nil {
		return nil, err
	}
	keys := parseKeys(reply)
	if len(keys) == 0 {
		return nil, e.Unavailable("answered without a public key that can be used")
	}
	return keys, nil
}

// discover returns where an issuer's discovery document says that its keys are.
func (s *Service) discover(ctx context.Context, i issuer) (string, error) {
	e := Endpoint{"OIDC discovery endpoint", i.url, i.caCert}
	reply, err := s.document(ctx, e)
	if err != nil {
		return "", err
	}
	var document struct {
		JWKSURI string `json:"jwks_uri"`
	}
	if json.Unmarshal(reply, &document) != nil || !strings.HasPrefix(document.JWKSURI, "https://") {
		return "", e.Unavailable("answered without an https jwks_uri")
	}
	return document.JWKSURI, nil
}

// document reads what an endpoint answers with 200.
func (s *Service) document(ctx context.Context, e Endpoint) ([]byte, error) {
	status, reply, err := s.Call(ctx, e, Request{Limit: MaxReply})
	if err == nil && status != http.StatusOK {
		err = e.Unavailable("answered with status %d", status)
	}
	return reply, err
}

// parseKeys returns those keys of a JWK Set that can check signatures. As RFC 7517 section 5 asks, keys that are not
// understood do no harm to the others.
func parseKeys(document []byte) []jose.JSONWebKey {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(document, &set) != nil {
		return nil
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys[:min(len(set.Keys), maxKeys)] {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && (key.Use == "" || key.Use == "sig") && usable(key.Key) {
			keys = append(keys, jose.JSONWebKey{Key: key.Key, KeyID: key.KeyID, Algorithm: key.Algorithm})
		}
	}
	return keys
}
