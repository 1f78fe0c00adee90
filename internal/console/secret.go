package console

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/sallyport/sallyport/internal/console/api"
)

// secretForm is the page that makes a secret, in several environments at once.
type secretForm struct {
	folder
	Key, Value, Comment string
	Chosen              map[string]bool // by environment
	Error               string
}

func (v *visit) newSecretPage() error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	form := secretForm{folder: f, Key: v.r.URL.Query().Get("key"), Chosen: map[string]bool{}}
	if env := v.r.URL.Query().Get("env"); env != "" {
		form.Chosen[env] = true
	}
	return v.show(http.StatusOK, "newsecret", "New secret", form)
}

func (v *visit) createSecret() error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	form := secretForm{folder: f, Key: v.value("key"), Value: v.lines("value"), Comment: v.lines("comment"), Chosen: map[string]bool{}}
	chosen := v.posted()["env"]
	for _, env := range chosen {
		form.Chosen[env] = true
	}
	if len(chosen) == 0 {
		form.Error = "Choose at least one environment."
		return v.show(http.StatusUnprocessableEntity, "newsecret", "New secret", form)
	}
	for _, env := range chosen {
		err := v.api.CreateSecret(v.ctx, f.In(env), form.Key, form.Value, form.Comment)
		if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Status != http.StatusUnauthorized {
			form.Error = env + ": " + refused.Error()
			return v.show(refused.Status, "newsecret", "New secret", form)
		}
		if err != nil {
			return err
		}
		delete(form.Chosen, env) // it has it now
	}
	return v.redirect(f.Link("", "done", "saved"))
}

// lines returns a field of several lines as it was typed: browsers send other line ends.
func (v *visit) lines(name string) string {
	text := v.r.PostFormValue(name)
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\r' || i+1 < len(text) && text[i+1] != '\n' {
			out = append(out, text[i])
		}
	}
	return string(out)
}

// oneSecret is the page about a key in an environment: change it, and its history.
type oneSecret struct {
	folder
	Env     string
	Secret  api.Secret
	History []api.Secret // newest first
	More    bool         // there are older versions than are shown
	Error   string
	Value   string
}

// mostVersions bounds how many versions the page shows.
const mostVersions = 20

func (v *visit) secretPage() error { return v.showSecret(http.StatusOK, "", "") }

func (v *visit) showSecret(status int, failed, typed string) error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	env, key := v.r.FormValue("env"), v.r.FormValue("key")
	latest, err := v.api.Secret(v.ctx, f.In(env), key, 0, false)
	if err != nil {
		return err
	}
	data := oneSecret{folder: f, Env: env, Secret: latest, Error: failed, Value: typed}
	for n := latest.Version; n > 0 && len(data.History) < mostVersions; n-- {
		one, err := v.api.Secret(v.ctx, f.In(env), key, n, false)
		if api.Status(err) == http.StatusNotFound { // the oldest versions are not kept
			continue
		}
		if err != nil {
			return err
		}
		data.History = append(data.History, one)
	}
	data.More = int64(len(data.History)) < latest.Version
	return v.show(status, "secret", key, data)
}

// changeSecret saves, deletes or restores, by the button that was pressed.
func (v *visit) changeSecret() error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	place, key, done := f.In(v.value("env")), v.r.PostFormValue("key"), ""
	switch v.value("do") {
	case "save":
		comment := v.lines("comment")
		done, err = "saved", v.api.UpdateSecret(v.ctx, place, key, v.lines("value"), &comment)
	case "delete":
		if v.value("confirm") != key {
			return v.showSecret(http.StatusUnprocessableEntity, fmt.Sprintf("Type %s to confirm. Nothing was changed.", key), "")
		}
		done, err = "deleted", v.api.DeleteSecret(v.ctx, place, key)
	case "restore":
		var old api.Secret
		if old, err = v.api.Secret(v.ctx, place, key, v.version(), true); err == nil && old.Hidden {
			err = problem{http.StatusForbidden, "You may not read this version, so you cannot restore it."}
		}
		if err == nil {
			done, err = "restored", v.api.UpdateSecret(v.ctx, place, key, old.Value, nil)
		}
	default:
		return errMissing
	}
	if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Status != http.StatusUnauthorized && refused.Status != http.StatusNotFound {
		return v.showSecret(refused.Status, refused.Error(), v.lines("value"))
	}
	if err != nil {
		return err
	}
	return v.redirect(f.Link("", "done", done))
}

// version is the number of a version that the form names; 0 for the latest one.
func (v *visit) version() int64 {
	n, err := strconv.ParseInt(v.r.PostFormValue("version"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// createFolder makes a folder in every environment that the visitor may change.
func (v *visit) createFolder() error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	name, made := v.value("name"), 0
	var failed error
	for _, env := range f.Project.Environments {
		if err := v.api.CreateFolder(v.ctx, f.In(env.Slug), name); err != nil {
			failed = err // it may be there already, or closed to the visitor
			continue
		}
		made++
	}
	if made == 0 && failed != nil {
		return failed
	}
	f.Path = f.Path + "/" + name
	f.Path = "/" + trimSlashes(f.Path)
	return v.redirect(f.Link(""))
}
