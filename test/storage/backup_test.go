package storage

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// lost is a server whose machine is lost after a backup was taken while it served.
type lost struct {
	*site
	backup, revocations string // files
	before, after, kept token  // revoked before the backup; revoked after it; never revoked
	late, lateDead      token  // made after the backup; and revoked
	login               map[string]any
}

func lose(t *testing.T) *lost {
	t.Helper()
	l := &lost{site: start(t, nil)}
	l.before, l.after, l.kept = l.mint(), l.mint(), l.mint()
	l.revoke(l.before)
	l.login = l.clientSecret()
	l.backup, l.revocations = l.path("backup.db"), l.path("revocations")
	l.underLoad(func() { l.does(l.Data, "backup", "--to", l.backup) })
	l.revoke(l.after)
	l.late, l.lateDead = l.mint(), l.mint()
	l.revoke(l.lateDead)
	secretID := l.login["id"].(string)
	delete(l.login, "id")
	l.must("POST", "/api/v1/auth/universal-auth/identities/"+l.AdminID+"/client-secrets/"+secretID+"/revoke", nil)
	l.refuses("stop every server", l.Data, "backup", "--revocations", l.revocations)
	l.Kill() // what is in its write-ahead log stays there
	l.does(l.Data, "backup", "--revocations", l.revocations)
	return l
}

// clientSecret returns what it takes to log in, and the id of the client secret.
func (s *site) clientSecret() map[string]any {
	s.t.Helper()
	base := "/api/v1/auth/universal-auth/identities/" + s.AdminID
	client := s.must("POST", base, map[string]any{}).Text("identityUniversalAuth.clientId")
	made := s.must("POST", base+"/client-secrets", map[string]any{})
	return map[string]any{"clientId": client, "clientSecret": made.Text("clientSecret"), "id": made.Text("clientSecretData.id")}
}

// underLoad does something while tokens are made and revoked.
func (s *site) underLoad(do func()) {
	s.t.Helper()
	var load sync.WaitGroup
	stop := make(chan struct{})
	load.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				s.revoke(s.mint())
			}
		}
	})
	do()
	close(stop)
	load.Wait()
}

// TestRestoreKillsEveryToken: without the log of revocations nobody knows which tokens were revoked after the backup.
func TestRestoreKillsEveryToken(t *testing.T) {
	t.Parallel()
	l := lose(t)
	s := l.on(filepath.Join(l.dir, "restored"))
	out := s.does(s.Data, "restore", "--from", l.backup)
	s.serve()
	for name, jwt := range map[string]string{"revoked before": l.before.jwt, "revoked after": l.after.jwt, "kept": l.kept.jwt,
		"late": l.late.jwt, "late and revoked": l.lateDead.jwt, "administrator's": s.Admin} {
		s.wants(401, name, jwt)
	}
	s.wants(200, "new", newToken(out))
	s.refuses("exists already", s.Data, "restore", "--from", l.backup)
}

// TestRestoreWithRevocations: what was revoked stays dead, what was not lives, whether or not the backup knew the token. The
// restore is killed as often as it takes to finish between two kills, and leaves a database only when it is whole.
func TestRestoreWithRevocations(t *testing.T) {
	t.Parallel()
	l := lose(t)
	s := l.on(filepath.Join(l.dir, "restored"))
	for after := 10 * time.Millisecond; ; after *= 2 {
		if s.killed(after, "restore", "--from", l.backup, "--revocations", l.revocations) {
			break
		}
		if _, err := os.Stat(s.file()); err == nil {
			break // it was killed after its last step
		}
	}
	s.serve()
	for name, k := range map[string]token{"revoked before": l.before, "revoked after": l.after, "late and revoked": l.lateDead} {
		s.wants(401, name, k.jwt)
	}
	for name, k := range map[string]token{"kept": l.kept, "late": l.late} {
		s.wants(200, name, k.jwt)
	}
	if a := s.ask("POST", "/api/v1/auth/universal-auth/login", l.login); a.Status != 401 {
		t.Errorf("the client secret that was revoked after the backup logs in: %d %s", a.Status, a.Body)
	}
	fresh := s.mint()
	s.wants(200, "made after the restore", fresh.jwt)
	s.revoke(fresh)
	s.must("POST", "/api/v1/identities/"+s.AdminID+"/tokens/"+l.late.id+"/revoke", nil) // the backup has no row of it
	s.wants(401, "made after the restore and revoked", fresh.jwt)
	s.wants(401, "late, revoked after the restore", l.late.jwt)
}

// killed runs a command and kills it after a while; done reports whether it had finished.
func (s *site) killed(after time.Duration, args ...string) (done bool) {
	s.t.Helper()
	cmd := command(s.Data, args...)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	return cmd.Wait() == nil
}

// TestBackupKilled: a backup that was cut short has no file under its name.
func TestBackupKilled(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	to := s.path("backup.db")
	for after := 5 * time.Millisecond; ; after *= 2 {
		done := s.killed(after, "backup", "--to", to)
		if _, err := os.Stat(to); err == nil {
			break
		}
		if done {
			t.Fatal("a backup was written, and is not there")
		}
	}
	about, err := os.Stat(to)
	if err != nil || about.Mode().Perm() != 0o600 {
		t.Errorf("the backup has the mode %v, %v; want 0600", about.Mode(), err)
	}
	restored := filepath.Join(s.dir, "restored")
	s.does(restored, "restore", "--from", to)
	s.refuses("exists already", s.Data, "backup", "--to", to)
}

// TestBackupIsNotServed: whoever copies a backup into a data folder is told what to do first.
func TestBackupIsNotServed(t *testing.T) {
	t.Parallel()
	l := lose(t)
	s := l.on(filepath.Join(l.dir, "copied"))
	copyTo(t, l.backup, s.file())
	s.refusesToServe("run sallyport recover")
	s.does(s.Data, "recover", "--revocations", l.revocations)
	s.serve()
	s.wants(401, "revoked after", l.after.jwt)
	s.wants(200, "kept", l.kept.jwt)
}

// TestRestoreRefuses: nothing is put in place when something is wrong.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	l := lose(t)
	other := lose(t)
	damaged, cut, old := l.path("damaged.db"), l.path("cut"), l.path("old")
	copyTo(t, l.backup, damaged)
	change(t, damaged, func(b []byte) []byte { return flip(t, b, []byte(l.AdminID)) })
	copyTo(t, l.revocations, cut)
	change(t, cut, func(b []byte) []byte { return b[:len(b)*2/3] })
	copyTo(t, l.revocations, old)
	change(t, old, func(b []byte) []byte { return flip(t, b, []byte(`"head":`)) })
	for name, c := range map[string]struct {
		words string
		args  []string
	}{
		"refused/backup with a flipped bit":       {"not a usable backup", []string{"--from", damaged}},
		"refused/no backup":                       {"no such file", []string{"--from", l.path("none")}},
		"refused/database that is no backup":      {"sallyport backup did not make it", []string{"--from", l.closed()}},
		"refused/revocations cut short":           {"the log of revocations is not complete", []string{"--from", l.backup, "--revocations", cut}},
		"refused/revocations changed":             {"the log of revocations is not complete", []string{"--from", l.backup, "--revocations", old}},
		"refused/revocations of another server":   {"from another installation", []string{"--from", l.backup, "--revocations", other.revocations}},
		"refused/revocations that are the backup": {"the log of revocations is not complete", []string{"--from", l.backup, "--revocations", l.backup}},
	} {
		t.Run(name, func(t *testing.T) {
			s := *l.site
			s.t = t
			data := filepath.Join(t.TempDir(), "data")
			s.refuses(c.words, data, append([]string{"restore"}, c.args...)...)
			if left, err := os.ReadDir(data); err != nil || len(left) > 0 {
				t.Errorf("the data folder has %v, %v", left, err)
			}
		})
	}
}

// closed starts and stops the server, and returns its database, which is one file then.
func (s *site) closed() string {
	s.t.Helper()
	s.serve()
	s.Stop()
	return s.file()
}
