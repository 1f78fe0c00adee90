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

// openMark stands in the lock file while the database is open, and stays there after a crash: then the write-ahead log
// holds commits that are nowhere else.
const openMark = " open"

// lockFile takes the lock that keeps a second process off a database and returns the open lock file; closing it, or the
// end of the process in any way, gives the lock back. crashed reports whether whoever had it before did not close the
// database.
func lockFile(path string) (f *os.File, crashed bool, err error) {
	f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		process, _ := holder(f)
		err = fmt.Errorf("%w by process %s", errLocked, process)
	}
	if err == nil {
		_, crashed = holder(f)
		err = sign(f, crashed)
	}
	if err != nil {
		_ = f.Close()
		return nil, false, err
	}
	return f, crashed, nil
}

// sign writes this process's number into its lock file, for whoever finds the lock taken, and whether the write-ahead log
// is needed if this process ends now.
func sign(f *os.File, open bool) error {
	text := strconv.Itoa(os.Getpid())
	if open {
		text += openMark
	}
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return errors.Join(f.Truncate(int64(len(text))), f.Sync())
}

// holder returns the number of the process that holds the lock, or had it last, as it wrote it down, and whether it has, or
// had, the database open.
func holder(f *os.File) (process string, open bool) {
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, 40)) // unreadable: we say so
	process, open = strings.CutSuffix(strings.TrimSpace(string(b)), openMark)
	if process == "" {
		process = "(unknown)"
	}
	return process, open
}
