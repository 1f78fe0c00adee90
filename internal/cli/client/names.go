package client

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"strings"
	"time"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// namesWithin is how long a shell waits for names, while its user waits for the shell.
const namesWithin = 2 * time.Second

// Names returns names of a kind for a command line that is being typed: context, identity, project, environment, role or secret.
// It returns nothing where they cannot be read.
func Names(con *terminal.Console, kind string, words []string) []string {
	ctx, cancel := context.WithTimeout(con.Ctx, namesWithin)
	defer cancel()
	quiet := *con
	quiet.Ctx = ctx
	if kind == "context" {
		return contexts()
	}
	typed := func(names ...string) string { return valueOf(words, names...) }
	se, err := Server{URL: cmp.Or(typed("--url"), os.Getenv("SALLYPORT_URL")), Context: cmp.Or(typed("--context"), os.Getenv("SALLYPORT_CONTEXT")),
		CACert: os.Getenv("SALLYPORT_CA_CERT"), PlainHTTP: os.Getenv("SALLYPORT_PLAIN_HTTP") == "true"}.open(&quiet)
	if err != nil {
		return nil
	}
	p := place{Project: cmp.Or(typed("--project", "-p"), os.Getenv("SALLYPORT_PROJECT")),
		Environment: cmp.Or(typed("--env", "-e"), os.Getenv("SALLYPORT_ENVIRONMENT")), Path: cmp.Or(typed("--path"), os.Getenv("SALLYPORT_PATH"), "/")}
	raw, key, err := se.listOf(kind, p)
	if err != nil {
		return nil
	}
	var items []map[string]any
	if json.Unmarshal(raw, &items) != nil {
		return nil
	}
	names := []string{}
	for _, item := range items {
		if name, ok := item[key].(string); ok {
			names = append(names, name)
		}
	}
	return names
}

// listOf reads a list, and returns under which key its items have their names.
func (se *session) listOf(kind string, p place) (raw json.RawMessage, key string, err error) {
	switch kind {
	case "identity":
		raw, err = se.all("/api/v1/organization/identities", nil, "identities")
		return raw, "name", err
	case "project":
		raw, err = se.one(projects, "projects")
		return raw, "slug", err
	case "secret":
		query := p.query()
		query.Set("viewSecretValue", "false")
		raw, err = se.one(secrets+"?"+query.Encode(), "secrets")
		return raw, "secretKey", err
	case "role":
		path := "/api/v1/organization/roles"
		if p.Project != "" {
			id, err := se.project(p.Project)
			if err != nil {
				return nil, "", err
			}
			path = projectPath(id) + "/roles"
		}
		raw, err = se.one(path, "roles")
		return raw, "slug", err
	}
	id, err := se.project(p.Project)
	if err != nil {
		return nil, "", err
	}
	raw, err = se.environments(id)
	return raw, "slug", err
}

// valueOf returns the value that a flag has on the command line.
func valueOf(words []string, names ...string) string {
	for i, word := range words {
		for _, name := range names {
			if word == name && i+1 < len(words)-1 {
				return words[i+1]
			}
			if value, found := strings.CutPrefix(word, name+"="); found {
				return value
			}
		}
	}
	return ""
}

func contexts() (names []string) {
	p, err := load()
	if err != nil {
		return nil
	}
	for _, c := range p.Contexts {
		names = append(names, c.Name)
	}
	return names
}
