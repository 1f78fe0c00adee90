package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/sallyport/sallyport/internal/cli/terminal"
)

// pageSize is how many items of a list are asked for at once.
const pageSize = 100

// one reads the object that an answer has under a key.
func (se *session) one(path, key string) (json.RawMessage, error) {
	answer := map[string]json.RawMessage{}
	err := se.Get(se.con.Ctx, path, &answer)
	return answer[key], err
}

// send is one for a change.
func (se *session) send(method, path string, body any, key string) (json.RawMessage, error) {
	answer := map[string]json.RawMessage{}
	err := se.Send(se.con.Ctx, method, path, body, &answer)
	return answer[key], err
}

// all reads a list to its end, page by page, and returns it as one.
func (se *session) all(path string, query url.Values, key string) (json.RawMessage, error) {
	all := []json.RawMessage{}
	if query == nil {
		query = url.Values{}
	}
	query.Set("limit", strconv.Itoa(pageSize))
	for {
		query.Set("offset", strconv.Itoa(len(all)))
		raw, err := se.one(path+"?"+query.Encode(), key)
		if err != nil {
			return nil, err
		}
		var page []json.RawMessage
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < pageSize {
			return json.Marshal(all)
		}
	}
}

// isID tells ids from names.
func isID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i, r := range text {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (r == '-') || !dash && !(r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F') {
			return false
		}
	}
	return true
}

// named is an item of a list.
type named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Slug string `json:"slug"`
}

// identity returns the id of an identity that is named by its id or its name.
func (se *session) identity(name string) (string, error) {
	if isID(name) {
		return name, nil
	}
	raw, err := se.all("/api/v1/organization/identities", url.Values{"search": {name}}, "identities")
	if err != nil {
		return "", err
	}
	var found []named
	if err := json.Unmarshal(raw, &found); err != nil {
		return "", err
	}
	id := ""
	for _, i := range found {
		if i.Name == name && id != "" {
			return "", fmt.Errorf("several identities have the name %q; use the ID of one of them", name)
		}
		if i.Name == name {
			id = i.ID
		}
	}
	if id == "" {
		return "", notFound(fmt.Errorf("there is no identity %q; sallyport identity list shows them", name))
	}
	return id, nil
}

// project returns the id of a project that is named by its id or its slug.
func (se *session) project(name string) (string, error) {
	if name == "" {
		return "", terminal.Exit(terminal.WrongCall, errors.New("name a project with --project or SALLYPORT_PROJECT"))
	}
	if isID(name) {
		return name, nil
	}
	var found named
	err := se.Get(se.con.Ctx, "/api/v1/projects/slug/"+url.PathEscape(name), &found)
	return found.ID, err
}

// environments returns the environments of a project.
func (se *session) environments(projectID string) (json.RawMessage, error) {
	raw, err := se.one(projectPath(projectID), "project")
	if err != nil {
		return nil, err
	}
	var found struct {
		Environments json.RawMessage `json:"environments"`
	}
	err = json.Unmarshal(raw, &found)
	return found.Environments, err
}
