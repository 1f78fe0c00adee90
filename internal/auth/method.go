package auth

import (
	"context"
	"net/http"
	"reflect"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// Method is a way to prove to be an identity: the one extension point of logins. Mount gives it everything that all
// methods share; docs/adding-an-auth-method.md leads through one.
//
// S is the configuration of the method: a struct that embeds Shared, and has pointers, slices or maps for its own
// fields, so that what a request leaves out can be told from what it sets to zero. All of it is stored sealed. A field
// marked readOnly:"true" is never taken from a request, one marked writeOnly:"true" (with omitempty) never answered. Where
// there is one, the fields that decide where it is sent are marked destination:"true": changing them asks for it again.
// L is the body of a login.
type Method[S, L any, P Settings[S]] struct {
	Slug  string // "jwt-auth": in paths, claims, audit events and the database
	Title string // "JWT Auth": in messages

	// Check refuses settings that cannot work, and fills in defaults. It is called with the whole settings, also after
	// a PATCH. Its error is shown to the caller.
	Check func(ctx context.Context, s P) error

	// Identify returns which identity a login is for. An error of kind Unauthenticated must not tell whether it exists.
	Identify func(ctx context.Context, login *L, client access.Client) (identityID string, err error)

	// Verify checks the credentials of a login against the settings. An error refuses it: use Refuse, so that the
	// audit log has a reason code. A method without logins leaves it nil.
	Verify func(ctx context.Context, s P, login *L, client access.Client) (Proof, error)

	// Stored is called in the transaction that attaches the method, for what the method stores itself. It may be nil.
	Stored func(ctx context.Context, tx Tx, c *Config, s P) error

	// Detached is called in the transaction that detaches the method, for what the method stores itself and no foreign key
	// deletes. It may be nil.
	Detached func(ctx context.Context, tx Tx, c *Config) error
}

// Settings is what the pointer to a method's configuration can do: all but Key comes with embedding Shared.
type Settings[S any] interface {
	*S
	common
	Key() string // the name under which the API answers with a configuration, such as "identityJwtAuth"
}

// Shared are the fields that the configuration of every method has. Durations are seconds.
type Shared struct {
	TTL        *int64      `json:"accessTokenTTL,omitempty" minimum:"0" maximum:"315360000" doc:"Seconds; 0 for no separate limit. Default: 30 days"`
	MaxTTL     *int64      `json:"accessTokenMaxTTL,omitempty" minimum:"0" maximum:"315360000" doc:"Seconds over all renewals; 0 for no limit. Default: 30 days"`
	UsesLimit  *int64      `json:"accessTokenNumUsesLimit,omitempty" minimum:"0" doc:"0 for no limit. Default: 0"`
	TrustedIPs []TrustedIP `json:"accessTokenTrustedIps,omitempty" minItems:"1" maxItems:"1000" doc:"Where tokens may be used from. Default: everywhere"`
}

// Common returns the shared fields of the settings that embed them.
func (s *Shared) Common() *Shared { return s }

// Periodic returns the period of tokens in seconds, 0 for tokens that are not periodic. A method that has them overrides it.
func (s *Shared) Periodic() int64 { return 0 }

// TrustedIP is a trusted address or network on the wire. A request may write the prefix into the address.
type TrustedIP struct {
	IPAddress httpapi.Text `json:"ipAddress" maxLength:"64" doc:"IPv4 or IPv6 address, or CIDR block"`
	Type      string       `json:"type,omitempty" doc:"ipv4 or ipv6; derived from the address"`
	Prefix    *int         `json:"prefix,omitempty" doc:"Length of a network's prefix in bits"`
}

// info is what of a method does not depend on its types.
type info struct {
	slug, title string
	decode      func(text []byte) (own any, err error)
}

type settingsInput[S any] struct {
	IdentityID string `path:"identityId"`
	Body       *S
}

type identityInput struct {
	IdentityID string `path:"identityId"`
}

type settingsOutput[S any, P Settings[S]] struct {
	Body answer[S, P]
}

// Mount adds a method to the service and its routes to the API: attach, change, read and detach, and login if the
// method has one.
func Mount[S, L any, P Settings[S]](s *Service, api *httpapi.API, m Method[S, L, P]) {
	mustSayWhere(reflect.TypeFor[S]())
	i := info{m.Slug, m.Title, decode[S]}
	s.methods[m.Slug] = i
	path := "/api/v1/auth/" + m.Slug + "/identities/{identityId}"
	route := func(method, verb, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: path, ID: verb + "-" + m.Slug, Tag: m.Title, Summary: summary,
			Permission: httpapi.Permission{Action: action, Subject: access.SubjectIdentity}}
	}
	httpapi.Handle(api, route(http.MethodPost, "attach", "Attach "+m.Title+" to an identity", access.EditAuth),
		func(ctx context.Context, actor *access.Actor, in *settingsInput[S]) (*settingsOutput[S, P], error) {
			return output[S, P](s.Attach(ctx, actor, i, in.IdentityID, attaching(m, in.Body), m.stored))
		})
	httpapi.Handle(api, route(http.MethodPatch, "update", "Change "+m.Title+" of an identity", access.EditAuth),
		func(ctx context.Context, actor *access.Actor, in *settingsInput[S]) (*settingsOutput[S, P], error) {
			return output[S, P](s.Update(ctx, actor, i, in.IdentityID, changing(m, in.Body)))
		})
	httpapi.Handle(api, route(http.MethodGet, "get", "Read "+m.Title+" of an identity", access.Read),
		func(ctx context.Context, actor *access.Actor, in *identityInput) (*settingsOutput[S, P], error) {
			return output[S, P](s.Read(ctx, actor, i, in.IdentityID))
		})
	httpapi.Handle(api, route(http.MethodDelete, "detach", "Detach "+m.Title+" and revoke the tokens that it issued", access.RevokeAuth),
		func(ctx context.Context, actor *access.Actor, in *identityInput) (*settingsOutput[S, P], error) {
			return output[S, P](s.Detach(ctx, actor, i, in.IdentityID, m.detached))
		})
	if m.Verify != nil {
		mountLogin(s, api, m)
	}
}

func (m Method[S, L, P]) stored(ctx context.Context, tx Tx, c *Config) error {
	if m.Stored == nil {
		return nil
	}
	return m.Stored(ctx, tx, c, c.own.(P))
}

func (m Method[S, L, P]) detached(ctx context.Context, tx Tx, c *Config) error {
	if m.Detached == nil {
		return nil
	}
	return m.Detached(ctx, tx, c)
}
