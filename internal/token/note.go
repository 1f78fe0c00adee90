package token

import (
	"context"

	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// noteAddress records that a live token was used from an address that is not trusted: it may have been stolen. A caller
// who hangs up does not prevent that.
func (s *Service) noteAddress(ctx context.Context, c *Claims) error {
	return s.audit.NoteFailure(context.WithoutCancel(ctx), c.actor(httpapi.Client(ctx)), audit.Event{Type: audit.PermissionDenied, Metadata: map[string]any{
		"identityId": c.IdentityID, "identityAccessTokenId": c.ID, "message": errAddress.Message,
	}}, "ip_not_allowed")
}

func (c *Claims) renewedEvent() audit.Event {
	return audit.Event{Type: audit.RenewIdentityAccessToken, Metadata: map[string]any{
		"identityId": c.IdentityID, "identityAccessTokenId": c.ID, "authMethod": c.Method,
	}}
}
