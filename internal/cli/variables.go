//go:build !windows

package cli

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// otherVariables are those that no flag has: of the client, and of builds for tests.
var otherVariables = []string{"SALLYPORT_TOKEN", "SALLYPORT_TOKEN_FILE", "SALLYPORT_CLIENT_SECRET", "SALLYPORT_PROFILE", "SALLYPORT_CRASHPOINT",
	"SALLYPORT_CRASHPOINT_PACE", "SALLYPORT_NEXT_SCHEMA", "SALLYPORT_PLANTED_BUG"}

// unknownVariables returns the variables of an environment that look like settings and are none, so that a typing error does not
// go unnoticed. Kubernetes makes SALLYPORT_PORT and SALLYPORT_SERVICE_HOST for a service that is called sallyport.
func unknownVariables(root *kong.Node, environment []string) (unknown []string) {
	known := slices.Clone(otherVariables)
	var walk func(*kong.Node)
	walk = func(node *kong.Node) {
		for _, flag := range node.Flags {
			known = append(known, flag.Envs...)
		}
		for _, arg := range node.Positional {
			known = append(known, arg.Tag.Envs...)
		}
		for _, child := range node.Children {
			walk(child)
		}
	}
	walk(root)
	for _, pair := range environment {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "SALLYPORT_") && !slices.Contains(known, name) &&
			!strings.HasPrefix(name, "SALLYPORT_SERVICE_") && !strings.HasPrefix(name, "SALLYPORT_PORT") {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}
