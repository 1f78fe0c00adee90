package versions

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/test/cluster"
)

// mustDecideNothing asks replicas that are too old, again and again for some leases: none may accept a token, dead or alive, nor say that
// something is not there, nor change anything. They may also be gone.
func (s *site) mustDecideNothing(dead string, replicas ...int) {
	s.t.Helper()
	for deadline := time.Now().Add(3 * lease); time.Now().Before(deadline); {
		for _, i := range replicas {
			for _, ask := range []func() *cluster.Answer{
				func() *cluster.Answer { return s.call(i, "GET", details, dead, nil) },
				func() *cluster.Answer { return s.call(i, "GET", details, s.Admin, nil) },
				func() *cluster.Answer { return s.call(i, "GET", s.secret("AFTER"), s.Admin, nil) },
				func() *cluster.Answer {
					return s.call(i, "POST", "/api/v1/auth/token-auth/identities/"+s.AdminID+"/tokens", s.Admin, map[string]any{})
				},
			} {
				if answer := ask(); answered(answer) {
					s.t.Fatalf("%s is too old, and answered %d %s", s.Replicas[i].Name, answer.Status, answer.Body)
				}
			}
		}
	}
}

// struckOff freezes a replica and has another one strike it off, so that it has no row in the register.
func (s *site) struckOff(replica, other int) {
	s.t.Helper()
	s.freeze(replica)
	s.wants(other, 200, "POST", revoke, "", map[string]any{"accessToken": s.token(other)})
}

// TestVersionsWithoutTheGuardAreFenced: this version does not start next to one that cannot be told to end, and once it has started,
// such a one decides nothing: one that was frozen with a row in the register, and one that had been struck off.
func TestVersionsWithoutTheGuardAreFenced(t *testing.T) {
	t.Parallel()
	s := start(t, guardless, 3)
	for _, name := range []string{"A", "B"} {
		s.write(0, name)
	}
	dead := s.token(0)
	end := s.run("A", "B")
	s.Replicas[0].Stop()
	s.isRefused(0, settable, today, "too old to run next to this version", s.Replicas[1].Addr, s.Replicas[2].Addr, "Stop them")
	end(t)
	s.struckOff(1, 2)
	s.freeze(2)
	s.becomes(0, settable, today)
	s.reads(0, "A", "B")
	s.write(0, "AFTER")
	s.wants(0, 200, "POST", revoke, "", map[string]any{"accessToken": dead})
	s.thaw(1, 2)
	s.mustDecideNothing(dead, 1, 2)
	for _, i := range []int{1, 2} {
		s.Replicas[i].Kill()
		s.becomes(i, settable, today)
		s.reads(i, "A", "B", "AFTER")
		s.wants(i, 401, "GET", details, dead, nil)
	}
	s.write(0, "LAST") // strikes off the rows of those that were killed
	s.doctor(settable, today)
}

// TestPreviousVersion replaces the version before the newest step by this one, replica by replica if that step states that they may run
// next to each other; otherwise the first is refused until the others are stopped.
func TestPreviousVersion(t *testing.T) {
	t.Parallel()
	s := start(t, previous, 3)
	s.write(0, "A")
	newest, err := newestStep()
	if err != nil {
		t.Fatal(err)
	}
	sideBySide := states(t, newest) < stepVersion(newest)
	end := s.run("A")
	s.Replicas[0].Stop()
	if !sideBySide {
		s.isRefused(0, settable, today, "too old to run next to this version")
		end(t)
		s.Replicas[1].Stop()
		s.Replicas[2].Kill() // its row stays
		end = s.run("A")
	}
	for i := range s.Replicas {
		s.Replicas[i].Stop()
		s.becomes(i, settable, today)
	}
	end(t)
	for i := range s.Replicas {
		s.reads(i, "A")
	}
	s.write(0, "LAST")
	s.doctor(settable, today)
}

// TestNextVersion goes up to a version that states today's may run next to it, back down, up to one that states that of the next one
// alone, and up to one that states none.
func TestNextVersion(t *testing.T) {
	t.Parallel()
	s := start(t, settable, 3)
	s.write(0, "A")
	end := s.run("A")
	for i, setting := range []string{next, next, next} {
		s.Replicas[i].Stop()
		s.becomes(i, settable, setting)
	}
	s.Replicas[0].Stop()
	s.becomes(0, settable, today) // back down: the step states it
	s.Replicas[1].Stop()
	s.isRefused(1, settable, after, "too old to run next to this version", s.Replicas[0].Addr, "which knows schema version")
	s.Replicas[0].Stop()
	s.becomes(1, settable, after)
	s.isRefused(0, settable, today, "version 9001 or newer", "as new as")
	s.becomes(0, settable, next)
	end(t)

	dead := s.token(2)
	s.struckOff(0, 2) // one without a row in the register
	s.freeze(2)       // one with its row
	s.Replicas[1].Stop()
	s.becomes(1, settable, later)
	s.reads(1, "A")
	s.write(1, "AFTER")
	s.wants(1, 200, "POST", revoke, "", map[string]any{"accessToken": dead})
	s.thaw(0, 2)
	s.mustDecideNothing(dead, 0, 2)
	for i, setting := range map[int]string{0: today, 2: after} {
		if err := s.Replicas[i].AwaitEnd(within); err != nil {
			t.Fatal(err)
		}
		s.says(i, "version 9003 or newer", "as new as")
		s.isRefused(i, settable, setting, "version 9003", "as new as") // going down over a step that does not state it
		s.becomes(i, settable, later)
		s.reads(i, "A", "AFTER")
		s.wants(i, 401, "GET", details, dead, nil)
	}
	s.doctor(settable, later)
}

// TestSQLite goes up and down on the embedded database.
func TestSQLite(t *testing.T) {
	t.Parallel()
	s := start(t, previous, 1)
	s.write(0, "A")
	dead := s.token(0)
	s.wants(0, 200, "POST", revoke, "", map[string]any{"accessToken": dead})
	for _, step := range []struct {
		setting string
		refused bool
	}{{today, false}, {next, false}, {today, false}, {after, false}, {today, true}, {next, false}, {later, false}, {after, true}, {later, false}} {
		s.Replicas[0].Stop()
		if step.refused {
			s.isRefused(0, settable, step.setting, "can be served by programs that know version", "as new as")
			continue
		}
		s.becomes(0, settable, step.setting)
		s.reads(0, "A")
		s.wants(0, 401, "GET", details, dead, nil)
		s.doctor(settable, step.setting)
	}
}
