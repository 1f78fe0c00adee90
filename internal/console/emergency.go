package console

import (
	"errors"
	"net/http"
	"time"

	"github.com/sallyport/sallyport/internal/console/api"
)

// emergencyForm is the page that stops everything.
type emergencyForm struct{ Error string }

// stopped is the page after it. The session of the visitor has ended with all others.
type stopped struct {
	Organization string
	Took         time.Duration
	At           time.Time
}

func (v *visit) emergencyPage() error {
	if !v.rights.Can("delete-token", "identity") {
		return problem{http.StatusForbidden, "Only a member who may revoke tokens can use this page."}
	}
	return v.show(http.StatusOK, "emergency", "Emergency", emergencyForm{})
}

func (v *visit) emergency() error {
	began := v.now()
	err := v.api.RevokeOrganization(v.ctx, v.value("confirm"))
	if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Status != http.StatusUnauthorized {
		return v.show(refused.Status, "emergency", "Emergency", emergencyForm{refused.Error()})
	}
	if err != nil {
		return err
	}
	done := stopped{v.org.Name, v.now().Sub(began), v.now()}
	v.forget()
	v.me = api.User{}
	return v.show(http.StatusOK, "stopped", "Revoked", done)
}
