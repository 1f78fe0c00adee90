package cluster

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
)

// Main runs the tests of a package around what they share, and ends the program with their status. setUp makes that in a
// folder that everybody may read, since PostgreSQL runs as somebody else; tearDown, which may be nil, ends it.
func Main(m *testing.M, setUp func(dir string) (tearDown func() error, err error)) {
	flag.Parse()
	code, err := around(m, setUp)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func around(m *testing.M, setUp func(dir string) (func() error, error)) (code int, err error) {
	dir, err := os.MkdirTemp("", "sallyport-test-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o755); err != nil {
		return 0, err
	}
	tearDown, err := setUp(dir)
	if err != nil {
		return 0, err
	}
	if tearDown != nil {
		defer func() { err = errors.Join(err, tearDown()) }()
	}
	return m.Run(), nil
}
