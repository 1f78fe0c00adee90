//go:build unix

package sqldb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// lockFile takes the lock that keeps a second process off a database and returns the open lock file; closing it, or the
// end of the process in any way, gives the lock back.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("%w by process %s", errLocked, holder(f))
	}
	if err == nil {
		err = sign(f)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// sign writes this process's number into its lock file, for whoever finds the lock taken.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	return err
}

// holder returns the number of the process that holds the lock, as it wrote it down.
func holder(f *os.File) string {
	b, _ := io.ReadAll(io.LimitReader(f, 20)) // unreadable: we say so
	if s := strings.TrimSpace(string(b)); s != "" {
		return s
	}
	return "(unknown)"
}
