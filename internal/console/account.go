package console

import (
	"net/http"

	"github.com/sallyport/sallyport/internal/console/api"
)

// account is the page about the user's own sessions.
type account struct {
	Sessions []api.Session
	Done     string
}

func (v *visit) accountPage() error {
	sessions, err := v.api.Sessions(v.ctx)
	if err != nil {
		return err
	}
	done := ""
	if v.r.URL.Query().Get("done") == "ended" {
		done = "The session has ended. No replica accepts its token."
	}
	return v.show(http.StatusOK, "account", "Account", account{sessions, done})
}

func (v *visit) endSession() error {
	if err := v.api.EndSession(v.ctx, v.r.PathValue("id")); err != nil && api.Status(err) != http.StatusNotFound {
		return err
	}
	return v.redirect("/account?done=ended")
}

func (v *visit) endSessions() error {
	if err := v.api.EndSessions(v.ctx); err != nil {
		return err
	}
	v.forget()
	return v.redirect("/login")
}
