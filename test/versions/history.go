package versions

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// root is the folder of the repository, and steps the folder of its schema. The schema was in another folder once; everSteps
// matches each.
const (
	root      = "../.."
	steps     = "internal/base/sqldb/migrations"
	everSteps = ":(glob)internal/**/sqldb/migrations/"
)

// git runs git in the repository and returns what it says.
func git(args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-c", "safe.directory=*", "-C", root}, args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// newestStep returns the newest step of the schema, as a path in the repository.
func newestStep() (string, error) {
	found, err := filepath.Glob(filepath.Join(root, steps, "*.sql"))
	if err != nil || len(found) == 0 {
		return "", errors.Join(errors.New("there is no step of the schema"), err)
	}
	return path.Join(steps, filepath.Base(slices.Max(found))), nil
}

// errNoHistory says that the server cannot be built as it was before.
var errNoHistory = errors.New("this copy of the repository has no history; clone it, or run git fetch --unshallow")

// deepen gets the history of the repository where it is missing.
func deepen() error {
	if shallow, err := git("rev-parse", "--is-shallow-repository"); err == nil && shallow == "false" {
		return nil
	}
	if _, err := git("fetch", "--unshallow", "--quiet"); err != nil {
		return fmt.Errorf("%w: %w", errNoHistory, err)
	}
	return nil
}

// before returns the commit before the one that brought a file; the newest one while the file is not committed. The error is
// errNoHistory where nobody can tell.
func before(file string) (commit string, err error) {
	if err := deepen(); err != nil {
		return "", err
	}
	brought, err := git("log", "--diff-filter=A", "--format=%H", "--", everSteps+path.Base(file))
	if err != nil {
		return "", err
	}
	if brought == "" {
		return git("rev-parse", "HEAD")
	}
	return git("rev-parse", brought[strings.LastIndexByte(brought, '\n')+1:]+"^")
}

// buildBefore builds the server into a folder as it was before the commit that brought a file, and returns the program's path.
func buildBefore(dir, file string) (program string, err error) {
	commit, err := before(file)
	if err != nil {
		return "", err
	}
	program = filepath.Join(dir, "sallyport-"+commit)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	source, err := os.MkdirTemp(dir, "source-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(source)) }()
	archive := filepath.Join(source, "archive.tar")
	if _, err := git("archive", "--format=tar", "--output="+archive, commit); err != nil {
		return "", err
	}
	for _, command := range [][]string{
		{"tar", "-x", "-f", "archive.tar"},
		{"go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-w", "-o", program, "./cmd/sallyport"},
	} {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = source
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("building the server as of %s: %w\n%s", commit, err, out)
		}
	}
	return program, nil
}
