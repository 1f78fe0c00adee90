package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Obedient are the build tags of a server that can be told to have a bug, where to die, and to be of a later release; see internal/testhook/bug,
// internal/testhook/crashpoint and internal/base/sqldb/next_on.go. Untold it does as every other. It is one, since building takes longer than most tests.
const Obedient = "crashpoints,plantedbugs,nextschema"

// Programs is the environment variable that names a folder which all tests of a run share, so that each server is built
// once a run. Whoever sets it sees to it that the folder is empty at the start and gone at the end.
const Programs = "SALLYPORT_TEST_PROGRAMS"

// Build builds the server into a folder, or into the one that Programs names unless somebody did so before, and returns the
// program's path. tags may be "" or build tags.
func Build(dir, tags string) (program string, err error) {
	shared := os.Getenv(Programs)
	if shared == "" {
		return build(dir, tags)
	}
	lock, err := os.OpenFile(filepath.Join(shared, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close() // and with it the lock goes
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("waiting for another test to build the server: %w", err)
	}
	program = named(shared, tags)
	if _, err := os.Stat(program); !errors.Is(err, os.ErrNotExist) {
		return program, err
	}
	return build(shared, tags)
}

func named(dir, tags string) string { return filepath.Join(dir, "sallyport-"+tags) }

func build(dir, tags string) (program string, err error) {
	program = named(dir, tags)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-w", "-tags", tags, "-o", program, "github.com/sallyport/sallyport/cmd/sallyport")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("building the server: %w\n%s", err, out), os.RemoveAll(program))
	}
	return program, nil
}
