package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
)

// shop is a project on a server, and an identity whose role in it is one with conditions.
type shop struct {
	*instance
	project string
	worker  string // the token of the identity
}

// workerRole allows everything that is measured, each under conditions that must be checked with every secret.
const workerRole = `{"slug":"worker","name":"Worker","permissions":[{"subject":"secrets",
	"action":["describeSecret","readValue","create","edit"],"conditions":{"environment":{"$in":["dev","staging"]},"secretPath":{"$glob":"/**"}}}]}`

// open makes a project and its worker.
func (s *instance) open() (*shop, error) {
	at := &shop{instance: s}
	var made struct{ Project struct{ ID string } }
	if err := s.post("/api/v1/projects", `{"projectName":"Shop"}`, &made); err != nil {
		return nil, err
	}
	at.project = made.Project.ID
	worker, err := s.identityWithTokenAuth("worker")
	if err != nil {
		return nil, err
	}
	var token struct{ AccessToken string }
	err = errors.Join(
		s.post("/api/v1/projects/"+at.project+"/roles", workerRole, &struct{}{}),
		s.post("/api/v1/projects/"+at.project+"/memberships/identities/"+worker, `{"role":"worker"}`, &struct{}{}),
		s.post("/api/v1/auth/token-auth/identities/"+worker+"/tokens", `{"name":"worker"}`, &token))
	at.worker = token.AccessToken
	return at, err
}

// value is that of the n-th secret.
func value(n int) string {
	return fmt.Sprintf("postgres://shop:c0rrect-horse-%08d@database.internal.example.com:5432/shop", n)
}

// stock creates n secrets in the root of the project, SECRET_0 and so on.
func (at *shop) stock(n int) error {
	type item struct {
		Key   string `json:"secretKey"`
		Value string `json:"secretValue"`
	}
	items := make([]item, n)
	for i := range items {
		items[i] = item{fmt.Sprint("SECRET_", i), value(i)}
	}
	body, err := json.Marshal(map[string]any{"projectId": at.project, "environment": "dev", "secrets": items})
	if err != nil {
		return err
	}
	return at.post("/api/v4/secrets/batch", string(body), &struct{}{})
}

// get is a request of the worker for a secret, or without a name for the list of a folder.
func (at *shop) get(route, path, name string) []byte {
	place := url.Values{"projectId": {at.project}, "environment": {"dev"}, "secretPath": {path}}
	if name != "" {
		route += "/" + url.PathEscape(name)
	}
	return request("GET", route+"?"+place.Encode(), at.worker, "")
}

// The routes of secrets in the versions of the API.
const (
	secretsV4 = "/api/v4/secrets"
	secretsV3 = "/api/v3/secrets/raw"
)
