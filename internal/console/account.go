package console

import (
	"errors"
	"net/http"

	"github.com/sallyport/sallyport/internal/console/api"
)

// account is the page about the user's own sessions.
type account struct {
	Sessions []api.Session
	Done     string
	Error    string
	Fields   map[string]string
}

func (v *visit) accountPage() error { return v.showAccount(http.StatusOK, nil) }

func (v *visit) showAccount(status int, refused *api.Error) error {
	sessions, err := v.api.Sessions(v.ctx)
	if err != nil {
		return err
	}
	done := ""
	if v.r.URL.Query().Get("done") == "ended" {
		done = "The session has ended. No replica accepts its token."
	}
	data := account{Sessions: sessions, Done: done}
	if refused != nil {
		data.Error, data.Fields = messages(refused, "oldPassword", "newPassword")
	}
	return v.show(status, "account", "Account", data)
}

// changePassword ends all sessions, so the user signs in again.
func (v *visit) changePassword() error {
	err := v.api.ChangePassword(v.ctx, v.r.PostFormValue("old"), v.r.PostFormValue("new"))
	if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Status != http.StatusUnauthorized {
		return v.showAccount(refused.Status, refused)
	}
	if err != nil {
		return err
	}
	v.forget()
	return v.redirect("/login")
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
