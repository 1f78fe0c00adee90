package importer

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// left lists what requests that make things can carry and an import does not set, with the reason.
var left = map[string]map[string]string{
	projectsPath: {
		"hasDeleteProtection": "set in the end: it would forbid to finish an import that was interrupted",
		"kmsKeyId":            "keys are the target's own",
		"template":            "what a template made is at the source, and is copied from there",
		"type":                "there is one type",
	},
	projectsPath + "/{projectId}/tags":         {},
	projectsPath + "/{projectId}/environments": {},
	projectsPath + "/{projectId}/roles":        {},
	projectsPath + "/{projectId}/identities":   {"roles": "set by a change of the membership, as those of other identities"},
	identitiesPath:                             {"role": "set by a change of the membership, with all other roles"},
	orgRolesPath:                               {},
	"/api/v2/folders":                          {"directory": "another name of path", "workspaceId": "another name of projectId"},
	"/api/v2/secret-imports": {"isReplication": "told in the report: a replica becomes a plain import", "projectSlug": "projectId says it",
		"workspaceId": "another name of projectId"},
	privilegesPath:          {},
	"/api/v4/secrets/batch": {"projectSlug": "projectId says it", "workspaceId": "another name of projectId"},
}

type schema struct {
	Ref        string            `json:"$ref"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
}

// TestEveryFieldIsCarried: an import sets each field of each request that makes something, or left says why not. A field that is new
// in the API fails this test until one of the two is done.
func TestEveryFieldIsCarried(t *testing.T) {
	text, err := os.ReadFile("../../../api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct{ Schema schema }
			}
		}
		Components struct{ Schemas map[string]schema }
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	resolve := func(s schema) schema {
		for s.Ref != "" {
			s = document.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
		}
		return s
	}
	source := sources(t)
	for path, reasons := range left {
		body := resolve(document.Paths[path]["post"].RequestBody.Content["application/json"].Schema)
		if len(body.Properties) == 0 {
			t.Errorf("POST %s takes no fields, or is gone", path)
		}
		fields := maps.Clone(body.Properties)
		if items := body.Properties["secrets"].Items; items != nil {
			maps.Copy(fields, resolve(*items).Properties)
		}
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			carried := strings.Contains(source, `"`+field+`"`) || strings.Contains(source, `"`+field+`,omitempty"`)
			if reasons[field] == "" && !carried {
				t.Errorf("POST %s takes %s, and an import does not set it: carry it, or say in this test why not", path, field)
			}
		}
		for field := range reasons {
			if _, there := fields[field]; !there {
				t.Errorf("POST %s takes no %s any more", path, field)
			}
		}
	}
}

// sources returns the code of the package.
func sources(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
