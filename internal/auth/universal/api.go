package universal

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/auth"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

const (
	tag     = "Universal Auth"
	secrets = "/api/v1/auth/universal-auth/identities/{identityId}/client-secrets"
)

func can(action access.Action) httpapi.Permission {
	return httpapi.Permission{Action: action, Subject: access.SubjectIdentity}
}

// Routes mounts the routes of Universal Auth (docs/reference/identity.md section 3).
func (s *Service) Routes(api *httpapi.API) {
	auth.Mount(s.configs, api, s.Method())
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: secrets, ID: "create-client-secret", Tag: tag,
		Summary: "Create a client secret", Permission: can(access.CreateToken)}, s.createRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: secrets, ID: "list-client-secrets", Tag: tag,
		Summary: "List live client secrets, newest first", Permission: can(access.Read)}, s.listRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: secrets + "/{clientSecretId}", ID: "get-client-secret", Tag: tag,
		Summary: "Read a client secret, without the secret itself", Permission: can(access.Read)}, s.readRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: secrets + "/{clientSecretId}/revoke", ID: "revoke-client-secret", Tag: tag,
		Summary: "Revoke a client secret and every token that was issued for it", Permission: can(access.DeleteToken)}, s.revokeRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: secrets + "/{clientSecretId}/revoke-tokens", ID: "revoke-client-secret-tokens",
		Tag: "Revocation", Summary: "Revoke every token that was issued for a client secret, and keep the secret", Permission: can(access.DeleteToken)}, s.tokensRoute)
	httpapi.Handle(api, httpapi.Route{Method: http.MethodPost, Path: "/api/v1/auth/universal-auth/identities/{identityId}/clear-lockouts",
		ID: "clear-universal-auth-lockouts", Tag: tag, Summary: "Unlock callers who failed to log in too often", Permission: can(access.Edit)}, s.clearRoute)
}

// wireSecret is a client secret on the wire (docs/reference/identity.md section 3).
type wireSecret struct {
	ID          string       `json:"id"`
	CreatedAt   httpapi.Time `json:"createdAt"`
	UpdatedAt   httpapi.Time `json:"updatedAt"`
	Description string       `json:"description"`
	Prefix      string       `json:"clientSecretPrefix" doc:"Its first four characters"`
	Uses        int64        `json:"clientSecretNumUses" doc:"Without a limit, uses at other replicas may be up to 10 s behind"`
	UsesLimit   int64        `json:"clientSecretNumUsesLimit"`
	TTL         int64        `json:"clientSecretTTL"`
	ConfigID    string       `json:"identityUAId"`
	Revoked     bool         `json:"isClientSecretRevoked" doc:"It was revoked, has expired, or is used up"`
}

func (s *Service) wire(r Secret) wireSecret {
	return wireSecret{r.ID, httpapi.Time(r.CreatedAt), httpapi.Time(r.UpdatedAt), r.Description, r.Prefix, r.Uses, r.UsesLimit, r.TTL, r.ConfigID, r.Ended(s.db.Now())}
}

type createInput struct {
	IdentityID string `path:"identityId"`
	Body       *struct {
		Description httpapi.Text `json:"description,omitempty" maxLength:"1024"`
		TTL         *int64       `json:"ttl,omitempty" minimum:"0" maximum:"315360000" doc:"Seconds; 0 for no expiry"`
		UsesLimit   *int64       `json:"numUsesLimit,omitempty" minimum:"0" doc:"0 for no limit"`
	}
}

type createOutput struct {
	Body struct {
		ClientSecret string     `json:"clientSecret" doc:"Shown this once"`
		Data         wireSecret `json:"clientSecretData"`
	}
}

func (s *Service) createRoute(ctx context.Context, actor *access.Actor, in *createInput) (*createOutput, error) {
	var description string
	var ttl, limit int64
	if in.Body != nil {
		description = in.Body.Description.Trimmed()
		if in.Body.TTL != nil {
			ttl = *in.Body.TTL
		}
		if in.Body.UsesLimit != nil {
			limit = *in.Body.UsesLimit
		}
	}
	plain, row, err := s.CreateSecret(ctx, actor, in.IdentityID, description, ttl, limit)
	if err != nil {
		return nil, err
	}
	out := &createOutput{}
	out.Body.ClientSecret, out.Body.Data = plain, s.wire(row)
	return out, nil
}

type identityInput struct {
	IdentityID string `path:"identityId"`
}

type listOutput struct {
	Body struct {
		Data []wireSecret `json:"clientSecretData"`
	}
}

func (s *Service) listRoute(ctx context.Context, actor *access.Actor, in *identityInput) (*listOutput, error) {
	rows, err := s.Secrets(ctx, actor, in.IdentityID)
	if err != nil {
		return nil, err
	}
	out := &listOutput{}
	out.Body.Data = make([]wireSecret, len(rows))
	for i, r := range rows {
		out.Body.Data[i] = s.wire(r)
	}
	return out, nil
}

type secretInput struct {
	IdentityID string `path:"identityId"`
	SecretID   string `path:"clientSecretId"`
}

type secretOutput struct {
	Body struct {
		Data wireSecret `json:"clientSecretData"`
	}
}

func (s *Service) one(row Secret, err error) (*secretOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &secretOutput{}
	out.Body.Data = s.wire(row)
	return out, nil
}

func (s *Service) readRoute(ctx context.Context, actor *access.Actor, in *secretInput) (*secretOutput, error) {
	return s.one(s.Secret(ctx, actor, in.IdentityID, in.SecretID))
}

func (s *Service) revokeRoute(ctx context.Context, actor *access.Actor, in *secretInput) (*secretOutput, error) {
	return s.one(s.RevokeSecret(ctx, actor, in.IdentityID, in.SecretID))
}

type messageOutput struct {
	Body struct {
		Message string `json:"message"`
	}
}

func (s *Service) tokensRoute(ctx context.Context, actor *access.Actor, in *secretInput) (*messageOutput, error) {
	if err := s.RevokeMade(ctx, actor, in.IdentityID, in.SecretID); err != nil {
		return nil, err
	}
	out := &messageOutput{}
	out.Body.Message = "The access tokens are revoked"
	return out, nil
}

type clearOutput struct {
	Body struct {
		Deleted int64 `json:"deleted"`
	}
}

func (s *Service) clearRoute(ctx context.Context, actor *access.Actor, in *identityInput) (*clearOutput, error) {
	deleted, err := s.ClearLockouts(ctx, actor, in.IdentityID)
	if err != nil {
		return nil, err
	}
	out := &clearOutput{}
	out.Body.Deleted = deleted
	return out, nil
}
