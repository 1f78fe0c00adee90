package docs

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDependabotKnowsEveryModule: each folder with a go.mod or a package.json is listed in the configuration of Dependabot,
// and each folder listed there has one.
func TestDependabotKnowsEveryModule(t *testing.T) {
	listed := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^      - (/\S*)$`).FindAllStringSubmatch(read(t, "../.github/dependabot.yml"), -1) {
		listed[found[1]] = true
	}
	for _, folder := range modules(t) {
		if !listed[folder] {
			t.Errorf(".github/dependabot.yml does not list %s. Add it under its package ecosystem", folder)
		}
		delete(listed, folder)
	}
	for folder := range listed {
		t.Errorf(".github/dependabot.yml lists %s, which has neither a go.mod nor a package.json", folder)
	}
}

// TestActionsArePinned: a workflow names the commit of each action that it uses. A tag can be moved to other code.
func TestActionsArePinned(t *testing.T) {
	workflows, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(workflows) == 0 {
		t.Fatalf("there are no workflows (%v)", err)
	}
	pinned := regexp.MustCompile(`uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	for _, workflow := range workflows {
		for line := range strings.Lines(read(t, workflow)) {
			line = strings.TrimSpace(line)
			if strings.Contains(line, "uses:") && !pinned.MatchString(line) {
				t.Errorf("%s: %q does not name a commit and its version", workflow, line)
			}
		}
	}
}

// modules returns the folders of the repository that have dependencies, as paths from its root.
func modules(t *testing.T) (folders []string) {
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != ".." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules") {
			return fs.SkipDir
		}
		if err == nil && (entry.Name() == "go.mod" || entry.Name() == "package.json") {
			folders = append(folders, "/"+strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, folder := range folders {
		folders[i] = strings.Replace(folder, "/..", "/", 1)
	}
	return folders
}
