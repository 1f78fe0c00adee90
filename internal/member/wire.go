package member

import (
	"encoding/json"

	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// wireMembership is an identity's place in its organization, as read, list and search answer.
type wireMembership struct {
	ID              string        `json:"id" doc:"Of the membership"`
	Role            string        `json:"role" doc:"The oldest one that has not ended"`
	RoleID          *string       `json:"roleId"`
	CustomRole      *wireRole     `json:"customRole,omitempty"`
	OrgID           string        `json:"orgId"`
	IdentityID      string        `json:"identityId"`
	LastLoginMethod *string       `json:"lastLoginAuthMethod"`
	LastLoginTime   *httpapi.Time `json:"lastLoginTime"`
	CreatedAt       httpapi.Time  `json:"createdAt"`
	UpdatedAt       httpapi.Time  `json:"updatedAt"`
	Metadata        *[]Metadata   `json:"metadata,omitempty"`

	Roles    []Held `json:"roles" doc:"All roles, those that have ended too"`
	Identity struct {
		ID            string   `json:"id"`
		Name          string   `json:"name"`
		OrgID         string   `json:"orgId"`
		HasProtection bool     `json:"hasDeleteProtection"`
		AuthMethod    *string  `json:"authMethod" doc:"The first of authMethods; for older clients"`
		AuthMethods   []string `json:"authMethods"`
		LockedOut     []string `json:"activeLockoutAuthMethods"`

		CreatedAt httpapi.Time `json:"createdAt"`
		UpdatedAt httpapi.Time `json:"updatedAt"`
	} `json:"identity"`
}

// wireRole is a custom role that an identity has.
type wireRole struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Slug        string          `json:"slug"`
	Description string          `json:"description"`
	Permissions json.RawMessage `json:"permissions"`
}

func (c CustomRole) wire() *wireRole {
	if c.ID == nil {
		return nil
	}
	return &wireRole{*c.ID, *c.Name, *c.Slug, *c.Description, json.RawMessage(*c.Permissions)}
}

func wireMembershipOf(m *Member) wireMembership {
	w := wireMembership{
		ID: m.ID, Role: m.Role, RoleID: m.Custom.ID, CustomRole: m.Custom.wire(), OrgID: m.OrgID, IdentityID: m.Identity.ID,
		LastLoginMethod: m.LastLoginMethod, LastLoginTime: (*httpapi.Time)(m.LastLoginAt),
		CreatedAt: httpapi.Time(m.CreatedAt), UpdatedAt: httpapi.Time(m.UpdatedAt),
	}
	w.Identity.ID, w.Identity.Name, w.Identity.OrgID = m.Identity.ID, m.Identity.Name, m.Identity.OrgID
	w.Identity.HasProtection, w.Identity.AuthMethods, w.Identity.AuthMethod = m.Identity.DeleteProtection, append([]string{}, m.Methods...), first(m.Methods)
	w.Identity.LockedOut, w.Roles = append([]string{}, m.LockedOut...), append([]Held{}, m.Roles...)
	w.Identity.CreatedAt, w.Identity.UpdatedAt = httpapi.Time(m.Identity.CreatedAt), httpapi.Time(m.Identity.UpdatedAt)
	return w
}

func wireMemberships(members []Member) []wireMembership {
	all := make([]wireMembership, len(members))
	for i := range members {
		all[i] = wireMembershipOf(&members[i])
	}
	return all
}

func first(methods []string) *string {
	if len(methods) == 0 {
		return nil
	}
	return &methods[0]
}
