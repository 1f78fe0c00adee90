package console

import (
	"errors"
	"net/http"
	"strings"

	"github.com/sallyport/sallyport/internal/console/api"
)

// why is the page that tells whether someone may do something, and which rule decides.
type why struct {
	Actor, Question string // the question is "subject action"
	Groups          []questions
	Name            string // of the actor
	Decision        *api.Decision
	Action, Subject string
	Error           string
}

// questions are what can be asked about a subject.
type questions struct {
	Subject string
	Actions []string
}

func (v *visit) whyPage() error {
	query := v.r.URL.Query()
	data := why{Actor: strings.TrimSpace(query.Get("actor")), Question: query.Get("ask")}
	roles, err := v.api.OrgRoles(v.ctx)
	if err != nil {
		return err
	}
	data.Groups = asked(roles)
	data.Subject, data.Action, _ = strings.Cut(data.Question, " ")
	status := http.StatusOK
	if data.Actor != "" && data.Action != "" {
		d, err := v.api.Decide(v.ctx, data.Actor, data.Action, data.Subject)
		refused := (*api.Error)(nil)
		switch {
		case errors.As(err, &refused) && refused.Status != http.StatusUnauthorized:
			data.Error, status = refused.Error(), refused.Status
		case err != nil:
			return err
		default:
			data.Decision = &d
		}
	}
	if data.Actor != "" {
		if one, err := v.api.Identity(v.ctx, data.Actor); err == nil {
			data.Name = one.Name
		}
	}
	return v.show(status, "why", "Why?", data)
}

// asked returns all that the administrator's role names: every action of an organization.
func asked(roles []api.OrgRole) (groups []questions) {
	at := map[string]int{}
	for _, role := range roles {
		if role.Slug != "admin" {
			continue
		}
		for _, rule := range role.Permissions {
			n, known := at[rule.Subject]
			if !known {
				n = len(groups)
				at[rule.Subject] = n
				groups = append(groups, questions{Subject: rule.Subject})
			}
			groups[n].Actions = append(groups[n].Actions, rule.Actions...)
		}
	}
	return groups
}
