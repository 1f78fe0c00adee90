package httpapi

import (
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/fault"
)

// maxToken bounds the bearer token in bytes. Ours are far below 2 KiB.
const maxToken = 16 << 10

// authenticate learns who calls. It is the first thing that happens to a request of a route that is not open. The limit
// of the identity comes after the token, since only that says whose request it is: a token with a use limit spends a use
// on a request that is then refused for coming too fast.
func (ex *exchange) authenticate(r *http.Request) *fault.Error {
	token, f := bearer(r.Header["Authorization"])
	if f != nil {
		return f
	}
	actor, f := ex.identify(token)
	if f != nil {
		return f
	}
	ex.actor = actor
	ex.memory.Belongs(actor.ID)
	if f := ex.spend(); f != nil {
		return f
	}
	return ex.admits(actor)
}

// identify checks a token, unless it is a new one from an address that has sent too many that were no good.
func (ex *exchange) identify(token string) (*access.Actor, *fault.Error) {
	l := ex.api.limiter
	limited := !ex.exempt && l.tokens != nil
	known := limited && l.seen.Has(token)
	if limited && !known {
		if f := ex.heldBack(limitTokens, l.tokens); f != nil {
			return nil, f
		}
	}
	actor, err := ex.api.options.Authenticate(&ex.ctx, token, ex.client)
	if err == nil && actor == nil {
		err = errNobody
	}
	if err != nil {
		f := ex.api.explain(err)
		if limited && guessed(f) {
			ex.countFailure(l.tokens)
		}
		return nil, f
	}
	if limited && !known {
		l.seen.Add(token)
	}
	return actor, nil
}

var errNobody = fault.New(fault.Unauthenticated, "The token does not belong to an identity or a user. Log in and send the token you get.")

var (
	errUserOnly = fault.New(fault.Forbidden, "This route is for people: log in as a user and send that token. A machine identity cannot use it.")
	errNoOrg    = fault.New(fault.Unauthenticated, "You have not chosen an organization yet: send its id to POST /api/v3/auth/select-organization, and use the token that you get.")
)

// admits refuses callers that the route is not made for.
func (ex *exchange) admits(actor *access.Actor) *fault.Error {
	route := &ex.endpoint.route
	switch {
	case route.UserOnly && actor.Type != access.ActorUser:
		return errUserOnly
	case !route.NoOrg && actor.Type == access.ActorUser && actor.OrgID == "":
		return errNoOrg
	}
	return nil
}

// bearer returns the token of the Authorization headers of a request (RFC 6750 section 2.1). The scheme counts in any
// case (RFC 9110 section 11.1). Two headers are refused: they may mean two callers.
func bearer(headers []string) (string, *fault.Error) {
	if len(headers) == 0 {
		return "", fault.New(fault.Unauthenticated, "Authentication is required: send the header Authorization: Bearer <access token>.")
	}
	if len(headers) > 1 {
		return "", fault.New(fault.Unauthenticated, "Send one Authorization header, not %d.", len(headers))
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", fault.New(fault.Unauthenticated, "The Authorization header must be Bearer <access token>.")
	}
	if len(token) > maxToken {
		return "", fault.Dead("malformed", "The access token is too long. Check that you send a token that this server issued.")
	}
	return token, nil
}
