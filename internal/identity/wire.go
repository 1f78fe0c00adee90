package identity

import (
	"encoding/json"

	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/role"
)

var errOtherOrg = fault.New(fault.Forbidden, "Your token belongs to another organization. Pass your own organization's id.")

// wireIdentity is an identity with its metadata, as create, update and delete answer.
type wireIdentity struct {
	ID               string       `json:"id"`
	Name             string       `json:"name"`
	AuthMethod       *string      `json:"authMethod" doc:"The first of authMethods; for older clients"`
	HasProtection    bool         `json:"hasDeleteProtection"`
	OrgID            string       `json:"orgId"`
	ProjectID        *string      `json:"projectId"`
	CreatedAt        httpapi.Time `json:"createdAt"`
	UpdatedAt        httpapi.Time `json:"updatedAt"`
	AuthMethods      []string     `json:"authMethods"`
	IdentityMetadata []Metadata   `json:"metadata"`
}

func output(d *Detail, err error) (*identityOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &identityOutput{}
	out.Body.Identity = wireDetail(d)
	return out, nil
}

func wireDetail(d *Detail) wireIdentity {
	return wireIdentity{
		ID: d.ID, Name: d.Name, AuthMethod: first(d.Methods), HasProtection: d.DeleteProtection, OrgID: d.OrgID, ProjectID: d.ProjectID,
		CreatedAt: httpapi.Time(d.CreatedAt), UpdatedAt: httpapi.Time(d.UpdatedAt),
		AuthMethods: append([]string{}, d.Methods...), IdentityMetadata: append([]Metadata{}, d.Metadata...),
	}
}

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

	Roles    []role.Held `json:"roles" doc:"All roles, those that have ended too"`
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

func (c custom) wire() *wireRole {
	if c.ID == nil {
		return nil
	}
	return &wireRole{*c.ID, *c.Name, *c.Slug, *c.Description, json.RawMessage(*c.Permissions)}
}

func wireMember(m *Membership) wireMembership {
	w := wireMembership{
		ID: m.member.ID, Role: m.Role, RoleID: m.Custom.ID, CustomRole: m.Custom.wire(), OrgID: m.member.OrgID, IdentityID: m.Identity.ID,
		LastLoginMethod: m.LastLoginMethod, LastLoginTime: (*httpapi.Time)(m.LastLoginAt),
		CreatedAt: httpapi.Time(m.member.CreatedAt), UpdatedAt: httpapi.Time(m.member.UpdatedAt),
	}
	w.Identity.ID, w.Identity.Name, w.Identity.OrgID = m.Identity.ID, m.Name, m.Identity.OrgID
	w.Identity.HasProtection, w.Identity.AuthMethods, w.Identity.AuthMethod = m.DeleteProtection, m.Methods, first(m.Methods)
	w.Identity.LockedOut, w.Roles = m.LockedOut, m.Roles
	w.Identity.CreatedAt, w.Identity.UpdatedAt = httpapi.Time(m.Identity.CreatedAt), httpapi.Time(m.Identity.UpdatedAt)
	return w
}

func first(methods []string) *string {
	if len(methods) == 0 {
		return nil
	}
	return &methods[0]
}
