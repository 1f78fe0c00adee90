package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// instance is a server that was set up: who administers it.
type instance struct {
	*process
	dir      string // its data folder
	url      string // of its PostgreSQL database; empty for SQLite in the folder
	token    string
	identity string
	org      string
}

// setUp starts a server on a new folder and bootstraps it.
func (b *bench) setUp() (*instance, error) { return b.setUpOn("") }

// setUpOn is setUp with the database at a URL; empty for SQLite.
func (b *bench) setUpOn(url string) (*instance, error) {
	dir, err := b.folder()
	if err != nil {
		return nil, err
	}
	s := &instance{dir: dir, url: url}
	if s.process, err = b.serveOn(dir, url); err != nil {
		return nil, err
	}
	var setup struct {
		Organization struct{ ID string }
		Identity     struct {
			ID          string
			Credentials struct{ Token string }
		}
	}
	err = s.post("/api/v1/admin/bootstrap", `{"email":"a@example.com","password":"correct horse","organization":"Bench"}`, &setup)
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.org, s.identity, s.token = setup.Organization.ID, setup.Identity.ID, setup.Identity.Credentials.Token
	return s, nil
}

// post sends one request as the administrator and reads its answer into out.
func (s *instance) post(path, body string, out any) error {
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	answer, err := c.do(request("POST", path, s.token, body))
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	return json.Unmarshal(answer, out)
}
