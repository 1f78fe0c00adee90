package versions

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// becomes starts a stopped replica with another program, and waits until it can work.
func (s *site) becomes(replica int, program, setting string) {
	s.t.Helper()
	if err := s.launch(replica, program, setting); err != nil {
		s.t.Fatal(err)
	}
	if err := s.Replicas[replica].Await(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) launch(replica int, program, setting string) error {
	r := s.Replicas[replica]
	r.SetProgram(program)
	r.SetEnv(setting)
	return r.Launch()
}

// isRefused starts a stopped replica with another program, which must end by itself with these words in its log.
func (s *site) isRefused(replica int, program, setting string, words ...string) {
	s.t.Helper()
	err := s.launch(replica, program, setting)
	if err == nil {
		err = s.Replicas[replica].AwaitEnd(within)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.says(replica, words...)
}

// says checks what the end of a replica's log holds.
func (s *site) says(replica int, words ...string) {
	s.t.Helper()
	log := s.Replicas[replica].Tail(3)
	for _, word := range words {
		if !strings.Contains(log, word) {
			s.t.Errorf("the log of %s ends without %q:\n%s", s.Replicas[replica].Name, word, log)
		}
	}
}

// freeze stops replicas where they stand.
func (s *site) freeze(replicas ...int) {
	s.t.Helper()
	for _, i := range replicas {
		if err := s.Replicas[i].Freeze(); err != nil {
			s.t.Fatal(err)
		}
	}
}

// thaw lets frozen replicas go on.
func (s *site) thaw(replicas ...int) {
	s.t.Helper()
	for _, i := range replicas {
		if err := s.Replicas[i].Thaw(); err != nil {
			s.t.Fatal(err)
		}
	}
}

// doctor runs this version's doctor on the database, which must find nothing wrong.
func (s *site) doctor(program, setting string) {
	s.t.Helper()
	cmd := exec.Command(program, "doctor")
	cmd.Env = append(s.Replicas[0].Env(), setting)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Errorf("doctor: %v\n%s", err, out)
	}
}

// stepVersion is the number of a step.
func stepVersion(file string) (n int64) {
	_, _ = fmt.Sscanf(filepath.Base(file), "%d", &n)
	return n
}

// states returns the oldest version whose programs may run next to a step.
func states(t *testing.T, file string) (oldest int64) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "\nUPDATE feed_head SET oldest = ")
	if _, err := fmt.Sscanf(after, "%d", &oldest); err != nil {
		t.Fatalf("%s does not state the oldest version: %v", file, err)
	}
	return oldest
}
