package crashpoints

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sallyport/sallyport/test/ledger"
)

// revived starts the server, to die at a point unless that is "", and compares it with the ledger. It returns nil if it
// died while it started.
func (h *host) revived(at string) (*life, error) {
	if h.ledger == nil && at != "" { // the first life sets up the instance, which dieNew is for
		if err := h.check(); err != nil {
			return nil, err
		}
	}
	s, err := h.start(at)
	if err != nil {
		return nil, err
	}
	ready, err := s.ready()
	if err != nil || !ready {
		return nil, err
	}
	if h.ledger == nil {
		if h.ledger, err = ledger.SetUp(s.known()); err != nil {
			return nil, errors.Join(err, s.kill())
		}
	}
	if err := h.ledger.Revive(s.known(), h.db, h.random, false); err != nil && !s.gone() {
		return nil, errors.Join(err, s.kill())
	}
	return s, nil
}

func (s *life) gone() bool { return s.known().Gone() }

// check starts the server once more, to live, and stops it: everything that was acknowledged must be there.
func (h *host) check() error {
	s, err := h.revived("")
	if err != nil || s == nil {
		return err
	}
	return s.stop()
}

// dieWorking kills a server while it starts or works. What it left is compared at the next start.
func (h *host) dieWorking(d Death) error {
	s, err := h.revived(d.at())
	if err != nil || s == nil {
		return err
	}
	return s.die(func() { h.ledger.Load(s.known(), h.random.Uint64()) })
}

// dieCleaning is dieWorking with something to clean up.
func (h *host) dieCleaning(d Death) error {
	err := h.check()
	if err == nil {
		err = h.expire()
	}
	if err != nil {
		return err
	}
	return h.dieWorking(d)
}

// dieEnding kills a server that was told to end.
func (h *host) dieEnding(d Death) error {
	s, err := h.revived(d.at())
	if err != nil || s == nil {
		return err
	}
	return s.die(func() { _ = s.stop() })
}

// dieRotating kills a server that rotates its keys, one rotation after the other, while it works.
func (h *host) dieRotating(d Death) error {
	if h.ledger == nil { // there must be a key to rotate
		if err := h.check(); err != nil {
			return err
		}
	}
	if h.engine == Postgres {
		if err := h.addRootKey(); err != nil {
			return err
		}
	}
	s, err := h.revived(d.at())
	if err != nil || s == nil {
		return err
	}
	return s.die(func() {
		var beside sync.WaitGroup
		beside.Go(func() { h.ledger.Load(s.known(), h.random.Uint64()) })
		h.ledger.Rotate(s.known())
		beside.Wait()
	})
}

// dieNew kills a server that starts for the first time, or is set up. The next start must go on where it died.
func (h *host) dieNew(d Death) error {
	n, err := h.newHost()
	if err != nil {
		return err
	}
	err = n.dieYoung(d)
	if n.ledger != nil {
		h.contradictions = append(h.contradictions, n.ledger.Contradictions()...)
	}
	return errors.Join(err, n.close())
}

func (h *host) dieYoung(d Death) error {
	s, err := h.start(d.at())
	if err != nil {
		return err
	}
	ready, err := s.ready()
	if err != nil {
		return err
	}
	if ready {
		var cut error // what the caller saw of the death
		if err := s.die(func() { _, cut = ledger.SetUp(s.known()) }); err != nil {
			return errors.Join(err, cut)
		}
	}
	if s, err = h.start(""); err != nil {
		return err
	}
	if ready, err := s.ready(); err != nil || !ready {
		return errors.Join(errors.New("the server did not start again"), err)
	}
	done, err := ledger.Founded(h.db)
	if err == nil && !done {
		if h.ledger, err = ledger.SetUp(s.known()); err == nil {
			err = h.ledger.Revive(s.known(), h.db, h.random, true)
		}
	}
	return errors.Join(err, s.stop(), h.doctor())
}

// dieBackingUp kills a backup beside a server that works: there is no backup then, or a whole one.
func (h *host) dieBackingUp(d Death) error {
	s, err := h.revived("")
	if err != nil {
		return err
	}
	to := h.fresh("backup")
	var died error
	work := make(chan struct{})
	go func() {
		defer close(work)
		h.ledger.Load(s.known(), h.random.Uint64())
	}()
	died = h.diesAt(d, "backup", "--to", to)
	if died == nil {
		died = h.once(to, "backup", "--to", to)
	}
	s.told.Store(true)
	died = errors.Join(died, s.kill())
	<-work
	return errors.Join(died, h.whole(to))
}

// dieSavingRevocations kills the writing of a log of revocations, behind a server that was killed.
func (h *host) dieSavingRevocations(d Death) error {
	s, err := h.revived("")
	if err != nil {
		return err
	}
	s.told.Store(true)
	to := h.fresh("revocations")
	args := []string{"backup", "--revocations", to}
	err = errors.Join(s.kill(), h.diesAt(d, args...))
	// A beat that the server sent before it died may be committed after it: it seems to run then, for a moment.
	for tries := 0; tries < 5 && err != nil && strings.Contains(err.Error(), "a server still runs"); tries++ {
		err = h.diesAt(d, args...)
	}
	if err == nil {
		err = h.once(to, args...)
	}
	return errors.Join(err, os.Remove(to))
}

// dieRestoring kills a restore: there is no database then, or a whole one that is safe to serve.
func (h *host) dieRestoring(d Death) error {
	s, err := h.revived("")
	if err != nil {
		return err
	}
	from, into := h.fresh("backup"), h.fresh("restored")
	args := []string{"restore", "--from", from, "--data-dir", into, "--root-key-file", filepath.Join(h.data(), "root.key")}
	err = errors.Join(h.does("backup", "--to", from), s.stop())
	if err == nil {
		err = h.diesAt(d, args...)
	}
	if err == nil {
		err = h.once(filepath.Join(into, "sallyport.db"), args...)
	}
	if err == nil {
		err = tidy(into)
	}
	if err == nil {
		err = h.doctor("--data-dir", into, "--root-key-file", filepath.Join(h.data(), "root.key"))
	}
	return errors.Join(err, os.RemoveAll(into), os.Remove(from))
}

// dieRecovering kills a recovery, which the next one has to bring to its end: then no token from before is alive.
func (h *host) dieRecovering(d Death) error {
	n, err := h.newHost()
	if err != nil {
		return err
	}
	return errors.Join(n.dieInRecovery(d), n.close())
}

func (h *host) dieInRecovery(d Death) error {
	s, err := h.revived("")
	if err != nil {
		return err
	}
	over := time.AfterFunc(100*time.Millisecond, func() { s.told.Store(true); _ = s.kill() })
	h.ledger.Load(s.known(), h.random.Uint64())
	over.Stop()
	if err = errors.Join(s.kill(), h.diesAt(d, "recover")); err == nil {
		err = h.does("recover")
	}
	if err != nil {
		return err
	}
	if s, err = h.start(""); err != nil {
		return err
	}
	if ready, err := s.ready(); err != nil || !ready {
		return errors.Join(errors.New("the server did not start after a recovery"), err)
	}
	h.ledger.AllDead(s.known())
	h.contradictions = append(h.contradictions, h.ledger.Contradictions()...)
	return errors.Join(s.stop(), h.doctor())
}

// once runs a command again that was killed, unless it had already made its file.
func (h *host) once(file string, args ...string) error {
	if _, err := os.Lstat(file); err == nil {
		return nil
	}
	return h.does(args...)
}

// whole restores a backup, which reads all of it, and takes it away.
func (h *host) whole(from string) error {
	into := h.fresh("restored")
	err := h.does("restore", "--from", from, "--data-dir", into, "--root-key-file", filepath.Join(h.data(), "root.key"))
	return errors.Join(err, os.RemoveAll(into), os.Remove(from))
}

// tidy takes away what a restore left that was killed, as doctor tells operators to.
func tidy(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, "restoring-*"))
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

// doctor has doctor look, which must find nothing. In PostgreSQL's register a replica that was killed stands until the next
// change strikes it off, and doctor says so: that is all it may say.
func (h *host) doctor(args ...string) error {
	out, err := h.command("", append([]string{"doctor"}, args...)...).CombinedOutput()
	if n := bytes.Count(out, []byte("WRONG")); err != nil && h.engine == Postgres && n == 1 && bytes.Contains(out, []byte("WRONG replicas")) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sallyport doctor: %w: %s", err, out)
	}
	return nil
}

// fresh returns a path where nothing is.
func (h *host) fresh(name string) string {
	h.files++
	return filepath.Join(h.dir, fmt.Sprint(name, h.files))
}
