package member

import (
	"context"
	"net/http"
	"slices"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// Decision tells whether a member may do something in the organization, and the rule that decided.
type Decision struct {
	Allowed bool
	Origin  *Origin      // the role that holds the rule; nil where no rule matches
	Rule    *access.Rule // nil where no rule matches, so nothing allows it
}

// Decide answers as the check of a route would for an identity or a user of the actor's organization. It asks
// whether there is any such thing that the member may act on: hardly a rule of an organization has conditions. Errors: those of Effective.
func (s *Service) Decide(ctx context.Context, actor *access.Actor, memberID string, action access.Action, subject access.Subject) (Decision, error) {
	found, err := s.Effective(ctx, actor, memberID)
	if err != nil {
		return Decision{}, err
	}
	now := s.db.Now().UnixMilli()
	grants := make([]access.Grant, len(found))
	for i := range found {
		grants[i] = found[i].grant()
	}
	allowed, err := may(grants, now, action, subject)
	if err != nil {
		return Decision{}, err
	}
	d := Decision{Allowed: allowed}
	for i := range found {
		if d.Rule, err = found[i].decisive(now, allowed, action, subject); d.Rule != nil || err != nil {
			d.Origin = &found[i]
			break
		}
	}
	return d, err
}

// grant is the origin as rights are made of.
func (o *Origin) grant() access.Grant {
	g := access.Grant{Rules: o.Rules, Temporary: o.Temporary}
	if o.AccessStart != nil && o.AccessEnd != nil {
		g.Start, g.End = *o.AccessStart, *o.AccessEnd
	}
	return g
}

func may(grants []access.Grant, now int64, action access.Action, subject access.Subject) (bool, error) {
	rights, err := access.Resolve(grants, now)
	if err != nil {
		return false, err
	}
	return (&access.Actor{Rights: rights}).Allows(action, subject, nil)
}

// decisive returns the first rule of the role that matches and that the decision agrees with: one that allows, or one that denies.
func (o *Origin) decisive(now int64, allowed bool, action access.Action, subject access.Subject) (*access.Rule, error) {
	for i := range o.Rules {
		rule := o.Rules[i]
		if rule.Inverted == allowed || rule.Subject != subject || !slices.Contains(rule.Actions, action) {
			continue
		}
		if rule.Inverted && len(rule.Conditions) > 0 {
			continue // a denial of some things only
		}
		rule.Inverted = false
		alone := o.grant()
		alone.Rules = []access.Rule{rule}
		matches, err := may([]access.Grant{alone}, now, action, subject)
		if matches || err != nil {
			return &o.Rules[i], err
		}
	}
	return nil, nil
}

type decideInput struct {
	ActorID string       `path:"actorId" doc:"Id of an identity or a user"`
	Action  httpapi.Text `query:"action" required:"true" minLength:"1" maxLength:"64"`
	Subject httpapi.Text `query:"subject" required:"true" minLength:"1" maxLength:"64"`
}

type decideOutput struct {
	Body struct {
		Allowed  bool         `json:"allowed"`
		Role     *string      `json:"role" doc:"Slug of the role that decided; null where no rule matches, so that nothing allows it"`
		RoleName *string      `json:"roleName"`
		Rule     *access.Rule `json:"rule" doc:"The rule that decided"`
	}
}

func (s *Service) decideRoute(ctx context.Context, actor *access.Actor, in *decideInput) (*decideOutput, error) {
	d, err := s.Decide(ctx, actor, in.ActorID, access.Action(in.Action.Trimmed()), access.Subject(in.Subject.Trimmed()))
	if err != nil {
		return nil, err
	}
	out := &decideOutput{}
	out.Body.Allowed, out.Body.Rule = d.Allowed, d.Rule
	if o := d.Origin; o != nil && d.Rule != nil {
		slug, name := o.Role, o.Role
		if o.Slug != nil && o.Name != nil {
			slug, name = *o.Slug, *o.Name
		}
		out.Body.Role, out.Body.RoleName = &slug, &name
	}
	return out, nil
}

func (s *Service) decideRoutes(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/access/actors/{actorId}/decision", ID: "decide-access", Tag: "Access",
		Summary:     "Tell whether an identity or a user may do something in your organization, and why",
		Description: "Answers as the check of a route would, with the rule that decided. For rules with conditions it asks whether there is any such thing that the actor may act on.",
		Permission:  httpapi.Permission{Action: access.Read, Subject: access.SubjectIdentity}}, s.decideRoute)
}
