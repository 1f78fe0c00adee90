package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/internal/console/api"
)

func trimSlashes(path string) string { return strings.Trim(strings.ReplaceAll(path, "//", "/"), "/") }

// paste is the page that takes many secrets at once, and shows what would change before it changes it.
type paste struct {
	folder
	Env, Text string
	Preview   []pasted
	New, Over int
	Error     string
}

// pasted is a key of the text, and whether the environment has it.
type pasted struct {
	Key    string
	Exists bool
}

func (v *visit) pastePage() error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	env := v.r.URL.Query().Get("env")
	if env == "" && len(f.Project.Environments) > 0 {
		env = f.Project.Environments[0].Slug
	}
	return v.show(http.StatusOK, "paste", "Paste secrets", paste{folder: f, Env: env})
}

// pasteSecrets previews, and with do=save saves all or none.
func (v *visit) pasteSecrets() error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	form := paste{folder: f, Env: v.value("env"), Text: v.lines("text")}
	fail := func(status int, text string) error {
		form.Error = text
		return v.show(status, "paste", "Paste secrets", form)
	}
	pairs, err := parsePasted(form.Text)
	if err != nil {
		return fail(http.StatusUnprocessableEntity, "Nothing was saved: "+err.Error()+".")
	}
	existing, _, err := v.api.Secrets(v.ctx, f.In(form.Env), false)
	if err == nil && v.value("do") == "save" {
		if err = v.api.Upsert(v.ctx, f.In(form.Env), pairs); err == nil {
			return v.redirect(f.Link("", "done", "pasted"))
		}
	}
	if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Status != http.StatusUnauthorized {
		return fail(refused.Status, refused.Error())
	}
	if err != nil {
		return err
	}
	has := map[string]bool{}
	for _, s := range existing {
		has[s.Key] = true
	}
	for _, p := range pairs {
		form.Preview = append(form.Preview, pasted{p.Key, has[p.Key]})
		if has[p.Key] {
			form.Over++
		} else {
			form.New++
		}
	}
	return v.show(http.StatusOK, "paste", "Paste secrets", form)
}

// comparison is two environments side by side, without the values.
type comparison struct {
	folder
	A, B string
	Rows []difference
	Done bool
	Same int
}

// difference is a key that is not the same in both.
type difference struct{ Key, Kind string }

func (v *visit) comparePage() error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	data := comparison{folder: f, A: v.r.FormValue("a"), B: v.r.FormValue("b")}
	if envs := f.Project.Environments; data.A == "" && len(envs) > 1 {
		data.A, data.B = envs[0].Slug, envs[len(envs)-1].Slug
	}
	return v.show(http.StatusOK, "compare", "Compare", data)
}

// compare reads all values of the folder in both environments, which the audit log records, and tells which keys differ.
func (v *visit) compare() error {
	f, err := v.folder()
	if err != nil {
		return err
	}
	data := comparison{folder: f, A: v.value("a"), B: v.value("b"), Done: true}
	left, _, err := v.api.Secrets(v.ctx, f.In(data.A), true)
	if err != nil {
		return err
	}
	right, _, err := v.api.Secrets(v.ctx, f.In(data.B), true)
	if err != nil {
		return err
	}
	other := map[string]api.Secret{}
	for _, s := range right {
		other[s.Key] = s
	}
	for _, s := range left {
		o, both := other[s.Key]
		delete(other, s.Key)
		switch {
		case !both:
			data.Rows = append(data.Rows, difference{s.Key, "only in " + data.A})
		case s.Hidden || o.Hidden:
			data.Rows = append(data.Rows, difference{s.Key, "in both, but you may not read it"})
		case s.Value != o.Value:
			data.Rows = append(data.Rows, difference{s.Key, "differs"})
		default:
			data.Same++
		}
	}
	for _, s := range right {
		if _, alone := other[s.Key]; alone {
			data.Rows = append(data.Rows, difference{s.Key, "only in " + data.B})
		}
	}
	return v.show(http.StatusOK, "compare", "Compare", data)
}
