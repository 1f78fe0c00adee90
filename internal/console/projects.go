package console

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/sallyport/sallyport/internal/console/api"
)

// projects is the list, with the form that makes one.
type projects struct {
	List      []api.Project
	Name      string
	Error     string
	CanCreate bool
}

func (v *visit) projectsPage() error { return v.showProjects(http.StatusOK, projects{}) }

func (v *visit) showProjects(status int, data projects) error {
	list, err := v.api.Projects(v.ctx)
	if err != nil {
		return err
	}
	data.List, data.CanCreate = list, v.rights.Can("create", "workspace") || v.rights.Can("create", "project")
	return v.show(status, "projects", "Projects", data)
}

func (v *visit) createProject() error {
	name := v.value("name")
	p, err := v.api.CreateProject(v.ctx, name)
	if refused := (*api.Error)(nil); errors.As(err, &refused) && refused.Status != http.StatusUnauthorized {
		return v.showProjects(refused.Status, projects{Name: name, Error: refused.Error()})
	}
	if err != nil {
		return err
	}
	return v.redirect(v.projectPath(p.Slug) + "/secrets")
}

func (v *visit) projectPath(slug string) string {
	return "/o/" + url.PathEscape(v.org.Slug) + "/projects/" + url.PathEscape(slug)
}
