package pgserver

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// supervisor follows orders, one a line, and answers each. Its input ends when the process that made it is gone, for
// whatever reason; then it takes the server and all its files away. The collation is not that of bytes, as on many servers.
const supervisor = `
trap '' PIPE # nobody may be there to read an answer
dir=$1 bin=$2
create() { "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US --wal-segsize=1 --no-sync; }
copy() { "$bin/pg_basebackup" -D "$dir/data" -h "$1" -U postgres -R -c fast --no-sync; }
start() {
	"$bin/pg_ctl" start -w -t 120 -s -D "$dir/data" -l "$dir/log" -o "-k '$dir' -c listen_addresses= -c max_connections=400"
}
stop() { "$bin/pg_ctl" stop -w -t 120 -s -m "$1" -D "$dir/data"; }
follow() { touch "$dir/data/standby.signal"; }
promote() { "$bin/pg_ctl" promote -w -t 120 -s -D "$dir/data"; }
signal() {
	master=$(head -n 1 "$dir/data/postmaster.pid")
	kill -"$1" "$master" $(ps -o pid= --ppid "$master")
}
while read -r order argument; do
	if "$order" $argument </dev/null >>"$dir/log" 2>&1; then echo done; else echo failed; fi
done
signal CONT >/dev/null 2>&1
stop immediate >/dev/null 2>&1
cd /
rm -rf "$dir"
`

// supervise starts the supervisor, as a user other than root, which PostgreSQL insists on.
func (s *Server) supervise(bin, preload string) (err error) {
	cmd := exec.Command("/bin/sh", "-c", supervisor, "supervisor", s.Dir, bin)
	cmd.Env = append(os.Environ(), "LD_PRELOAD="+preload)
	cmd.Dir = s.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for the tests
	if os.Getuid() == 0 {
		if cmd.SysProcAttr.Credential, err = giveAway(s.Dir); err != nil {
			return err
		}
	}
	if s.orders, err = cmd.StdinPipe(); err != nil {
		return err
	}
	words, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	s.words = bufio.NewReader(words)
	return cmd.Start()
}

// logShown is how many bytes of the end of the server's log an error shows.
const logShown = 4 << 10

// order has the supervisor do something and returns when it is done.
func (s *Server) order(line string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.WriteString(s.orders, line+"\n"); err != nil {
		return err
	}
	if answer, _ := s.words.ReadString('\n'); answer != "done\n" {
		log, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
		return fmt.Errorf("PostgreSQL: %s failed:\n%s", line, log[max(0, len(log)-logShown):])
	}
	return nil
}

// programs returns the folder of PostgreSQL's programs: that of initdb on the path, otherwise Debian's newest.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	best, newest := "", 0
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, path := range found {
		dir := filepath.Dir(path)
		if version, _ := strconv.Atoi(strings.Split(dir, "/")[4]); version > newest {
			best, newest = dir, version
		}
	}
	if best == "" {
		return "", errors.New("PostgreSQL is not installed, and these tests need it: apt-get install postgresql")
	}
	return best, nil
}

// giveAway gives a folder to an unprivileged user and returns who that is.
func giveAway(dir string) (*syscall.Credential, error) {
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}
