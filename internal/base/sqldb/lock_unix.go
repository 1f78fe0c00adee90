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

// mark says in the lock file what would be missing if the write-ahead log were gone.
type mark string

// The marks.
const (
	closedMark mark = ""      // nothing: the database was closed
	openMark   mark = " open" // commits that are nowhere else: it is open, or was when its process crashed
	lostMark   mark = " lost" // nothing more: such a log was lost before, and the recovery from that has not come to its end
)

// lockFile takes the lock that keeps a second process off a database and returns the open lock file; closing it, or the
// end of the process in any way, gives the lock back. left is the mark of whoever had it before.
func lockFile(path string) (f *os.File, left mark, err error) {
	f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, "", err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		process, _ := holder(f)
		err = fmt.Errorf("%w by process %s", errLocked, process)
	}
	if err == nil {
		_, left = holder(f)
		err = sign(f, left)
	}
	if err != nil {
		_ = f.Close()
		return nil, "", err
	}
	return f, left, nil
}

// unlock gives the lock back and closes its file. Closing alone would not do: a program that is just being started has the file
// open, too, until it runs, and with it the lock.
func unlock(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}

// sign writes this process's number into its lock file, for whoever finds the lock taken, and what holds if this process
// ends now.
func sign(f *os.File, m mark) error {
	text := strconv.Itoa(os.Getpid()) + string(m)
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		return err
	}
	return errors.Join(f.Truncate(int64(len(text))), f.Sync())
}

// holder returns the number of the process that holds the lock, or had it last, as it wrote it down, and its mark.
func holder(f *os.File) (process string, left mark) {
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, 40)) // unreadable: we say so
	process, word, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	if process == "" {
		process = "(unknown)"
	}
	if word != "" {
		left = mark(" " + word)
	}
	return process, left
}
