package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// place says which folder of secrets a command works on. Commands embed it.
type place struct {
	Project     string `short:"p" env:"SALLYPORT_PROJECT" complete:"project" placeholder:"PROJECT" group:"Secrets" help:"ID or slug of the project."`
	Environment string `name:"env" short:"e" env:"SALLYPORT_ENVIRONMENT" complete:"environment" placeholder:"SLUG" group:"Secrets" help:"Slug of the environment, such as dev, staging or prod."`
	Path        string `default:"/" env:"SALLYPORT_PATH" group:"Secrets" help:"Path of the folder."`
}

// check asks for what is missing.
func (p place) check() error {
	switch {
	case p.Project == "":
		return terminal.Exit(terminal.WrongCall, errors.New("name a project with --project or SALLYPORT_PROJECT"))
	case p.Environment == "":
		return terminal.Exit(terminal.WrongCall, errors.New("name an environment with --env or SALLYPORT_ENVIRONMENT"))
	}
	return nil
}

func (p place) projectKey() string {
	if isID(p.Project) {
		return "projectId"
	}
	return "projectSlug"
}

// query names the folder in a URL.
func (p place) query() url.Values {
	return url.Values{p.projectKey(): {p.Project}, "environment": {p.Environment}, "secretPath": {p.Path}}
}

// body names the folder in a body.
func (p place) body(more map[string]any) map[string]any {
	more[p.projectKey()], more["environment"], more["secretPath"] = p.Project, p.Environment, p.Path
	return more
}

// secret is a secret as the server answers it.
type secret struct {
	Key     string `json:"secretKey"`
	Value   string `json:"secretValue"`
	Hidden  bool   `json:"secretValueHidden"`
	Broken  string `json:"secretReferenceError"`
	Version int    `json:"version"`
	Path    string `json:"secretPath"`
}

// The routes of secrets.
const secrets = "/api/v4/secrets"

func secretPath(key string) string { return secrets + "/" + url.PathEscape(key) }

// values reads the secrets of a folder with what it imports, as programs get them: references are expanded, and the folder's
// own secrets go before those of imports, of which the last goes first. Secrets that may not be read are an error.
func (se *session) values(p place, expand bool) ([]secret, error) {
	query := p.query()
	query.Set("expandSecretReferences", strconv.FormatBool(expand))
	query.Set("includeImports", "true")
	var answer struct {
		Secrets []secret `json:"secrets"`
		Imports []struct {
			Secrets []secret `json:"secrets"`
		} `json:"imports"`
	}
	if err := se.Get(se.con.Ctx, secrets+"?"+query.Encode(), &answer); err != nil {
		return nil, err
	}
	all := answer.Secrets
	for _, imported := range slices.Backward(answer.Imports) {
		all = append(all, imported.Secrets...)
	}
	seen := map[string]bool{}
	all = slices.DeleteFunc(all, func(s secret) bool {
		double := seen[s.Key]
		seen[s.Key] = true
		return double
	})
	slices.SortFunc(all, func(a, b secret) int { return strings.Compare(a.Key, b.Key) })
	return all, readable(all)
}

// readable refuses secrets whose value the server did not tell: a program must not get a mask in their place.
func readable(all []secret) error {
	for _, s := range all {
		if s.Hidden {
			return terminal.Exit(terminal.NotAllowed, fmt.Errorf("you may not read the value of %s; ask a project administrator for the permission to read secret values", s.Key))
		}
		if s.Broken != "" {
			return terminal.Exit(terminal.Refused, fmt.Errorf("a reference in the value of %s cannot be resolved: %s", s.Key, s.Broken))
		}
	}
	return nil
}

// secretsOf decodes the secrets of an answer.
func secretsOf(raw json.RawMessage) (all []secret, err error) {
	err = json.Unmarshal(raw, &all)
	return all, err
}
