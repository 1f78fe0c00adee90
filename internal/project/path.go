package project

import "strings"

// What paths of folders may be at most.
const (
	MaxDepth = 100  // folders on a path
	MaxPath  = 2048 // bytes; access rules look at no more
)

// ParsePath returns a path of a request in the form that folders are stored under: a leading slash, none at the end, none
// twice; the root is "/". White space around it does not count, and nothing at all means the root.
func ParsePath(text string) string {
	parts := strings.FieldsFunc(strings.TrimSpace(text), func(r rune) bool { return r == '/' })
	return "/" + strings.Join(parts, "/")
}

// join returns the path of a folder in another one.
func join(parent, name string) string {
	if parent == "/" {
		return "/" + name
	}
	return parent + "/" + name
}

// depth returns how many folders a path names; 0 for the root.
func depth(path string) int {
	if path == "/" {
		return 0
	}
	return strings.Count(path, "/")
}

// below returns what the paths of all folders in a folder begin with.
func below(path string) string {
	if path == "/" {
		return "/"
	}
	return path + "/"
}

// parentOf returns the path of the folder that one lies in.
func parentOf(path string) string {
	return path[:max(1, strings.LastIndexByte(path, '/'))]
}
