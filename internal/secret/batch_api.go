package secret

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

// batchRoutes mounts the routes that change several secrets at once.
func (s *Service) batchRoutes(api *httpapi.API, d dialect) {
	route := func(method, id, summary string, action access.Action) httpapi.Route {
		return httpapi.Route{Method: method, Path: d.batch, ID: id + "-" + d.version, Tag: tag, Summary: summary,
			Permission: httpapi.Permission{Action: action, Subject: access.SubjectSecrets}}
	}
	httpapi.Handle(api, route(http.MethodPost, "create-secrets", "Create several secrets, all or none", access.Create), s.createAllRoute)
	httpapi.Handle(api, route(http.MethodPatch, "update-secrets", "Change several secrets, all or none", access.Edit), s.updateAllRoute)
	httpapi.Handle(api, route(http.MethodDelete, "delete-secrets", "Delete several secrets, all or none", access.Delete), s.deleteAllRoute)
}

type secretsOutput struct {
	Body struct {
		Secrets []wireSecret `json:"secrets"`
	}
}

func outputAll(secrets []*Secret, err error) (*secretsOutput, error) {
	if err != nil {
		return nil, err
	}
	out := &secretsOutput{}
	out.Body.Secrets = wireAll(secrets)
	return out, nil
}

type createAllInput struct {
	Body struct {
		PlaceBody
		Secrets []CreateItem `json:"secrets" minItems:"1" maxItems:"1000"`
	}
}

// CreateItem is one secret of several that are created.
type CreateItem struct {
	FieldsBody
	Key   httpapi.Name `json:"secretKey" minLength:"1" maxLength:"512"`
	Value string       `json:"secretValue"`
}

func (s *Service) createAllRoute(ctx context.Context, actor *access.Actor, in *createAllInput) (*secretsOutput, error) {
	items := make([]Item, len(in.Body.Secrets))
	for i := range in.Body.Secrets {
		item := &in.Body.Secrets[i]
		items[i].Changes = item.changes(string(item.Key), &item.Value)
	}
	return outputAll(s.CreateAll(ctx, actor, in.Body.place(), items))
}

type updateAllInput struct {
	Body struct {
		PlaceBody
		Mode    string       `json:"mode,omitempty" enum:"failOnNotFound,ignore,upsert" default:"failOnNotFound" doc:"What to do if a secret does not exist: change nothing at all, skip it, or create it"`
		Secrets []UpdateItem `json:"secrets" minItems:"1" maxItems:"1000"`
	}
}

// UpdateItem is one secret of several that are changed.
type UpdateItem struct {
	FieldsBody
	Key        httpapi.Name  `json:"secretKey" minLength:"1" maxLength:"512"`
	SecretPath httpapi.Text  `json:"secretPath,omitempty" maxLength:"2048" doc:"Path of its folder; default that of the request"`
	Value      *string       `json:"secretValue,omitempty"`
	NewName    *httpapi.Name `json:"newSecretName,omitempty" minLength:"1" maxLength:"512"`
}

func (s *Service) updateAllRoute(ctx context.Context, actor *access.Actor, in *updateAllInput) (*secretsOutput, error) {
	items := make([]Item, len(in.Body.Secrets))
	for i := range in.Body.Secrets {
		item := &in.Body.Secrets[i]
		items[i] = Item{string(item.SecretPath), item.changes(string(item.Key), item.Value)}
		items[i].NewName = (*string)(item.NewName)
	}
	return outputAll(s.UpdateAll(ctx, actor, in.Body.place(), Mode(in.Body.Mode), items))
}

type deleteAllInput struct {
	Body struct {
		PlaceBody
		Secrets []DeleteItem `json:"secrets" minItems:"1" maxItems:"1000"`
	}
}

// DeleteItem is one secret of several that are deleted.
type DeleteItem struct {
	Key  httpapi.Name `json:"secretKey" minLength:"1" maxLength:"512"`
	Type *string      `json:"type,omitempty" enum:"shared,personal" doc:"Default shared"`
}

func (s *Service) deleteAllRoute(ctx context.Context, actor *access.Actor, in *deleteAllInput) (*secretsOutput, error) {
	items := make([]Item, len(in.Body.Secrets))
	for i, item := range in.Body.Secrets {
		items[i].Name, items[i].Personal = string(item.Key), item.Type != nil && *item.Type == personal
	}
	return outputAll(s.DeleteAll(ctx, actor, in.Body.place(), items))
}
