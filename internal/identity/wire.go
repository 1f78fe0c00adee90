package identity

import (
	"github.com/sallyport/sallyport/internal/base/fault"
	"github.com/sallyport/sallyport/internal/base/httpapi"
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

func first(methods []string) *string {
	if len(methods) == 0 {
		return nil
	}
	return &methods[0]
}
