package secret

import (
	"strings"

	"github.com/sallyport/sallyport/internal/project"
)

// locatedName names a secret in a project: what a reference leads to.
type locatedName struct{ environment, path, key string }

func (s *Secret) name() locatedName { return locatedName{s.Environment, s.Path, s.Key} }

// folder names the folder of a secret.
func (n locatedName) folder() locatedName {
	return locatedName{environment: n.environment, path: n.path}
}

// nextReference finds the first reference in a text: ${, one or more letters, digits, hyphens, underscores, dots or at
// signs, and } (docs/reference/secrets.md section 2.1). token is what stands between; ok is false if there is none.
func nextReference(text string) (before, token, after string, ok bool) {
	for at := 0; ; {
		i := strings.Index(text[at:], "${")
		if i < 0 {
			return "", "", "", false
		}
		start := at + i + 2
		end := start
		for end < len(text) && inReference(text[end]) {
			end++
		}
		if end > start && end < len(text) && text[end] == '}' {
			return text[:start-2], text[start:end], text[end+1:], true
		}
		at = start
	}
}

// countReferences counts the references in a text.
func countReferences(text string) (n int) {
	for {
		_, _, after, ok := nextReference(text)
		if !ok {
			return n
		}
		n, text = n+1, after
	}
}

func inReference(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '@'
}

// parseReference returns what a token leads to from a secret of a folder: without dots, to one beside it; else to the one
// whose environment comes first, then the folders of its path, then its name. ok is false for one that names another
// project (@), which leads nowhere here.
func parseReference(token, environment, path string) (to locatedName, local, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) == 1 {
		return locatedName{environment, path, token}, true, true
	}
	if strings.HasPrefix(token, "@") {
		return locatedName{}, false, false
	}
	last := len(parts) - 1
	return locatedName{parts[0], project.ParsePath(strings.Join(parts[1:last], "/")), parts[last]}, false, true
}
