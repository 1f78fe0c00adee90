package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Below this much room a disk is worth a word, in bytes.
const littleRoom = 256 << 20

// files looks at the data folder and what lies in it.
func (x *examination) files() {
	dir := x.Storage.DataDir
	if _, err := os.Stat(dir); err != nil {
		if strings.HasPrefix(x.URL, "sqlite:") {
			x.add("data folder", err.Error(), "name the data folder of the server with --data-dir")
		}
		return // on PostgreSQL there need not be one
	}
	x.add("data folder", dir, x.private(dir))
	for _, pattern := range []string{"sallyport.db", "sallyport.db-wal"} {
		path := filepath.Join(dir, pattern)
		if do := x.private(path); do != "" {
			x.add("file mode", path+" is open to others", do)
		}
	}
	left, _ := filepath.Glob(filepath.Join(dir, "restoring-*")) // the pattern is a good one
	for _, path := range left {
		x.add("leftover", path+" belongs to a restore that is running or was interrupted", "if no restore runs, delete it: it holds a whole database")
	}
	x.room(dir)
}

// private returns what to do about a file or folder that other users can open; "" if they cannot, or it is not there.
func (x *examination) private(path string) string {
	about, err := os.Stat(path)
	if err != nil || about.Mode().Perm()&0o077 == 0 {
		return ""
	}
	mode := "600"
	if about.IsDir() {
		mode = "700"
	}
	return fmt.Sprintf("others can open it (mode %#o): chmod %s %s", about.Mode().Perm(), mode, path)
}

// room looks at the room on the disk of a folder.
func (x *examination) room(dir string) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		x.add("disk", err.Error(), "look at the disk of "+dir)
		return
	}
	free, do := disk.Bavail*uint64(disk.Bsize), "" //nolint:gosec // block sizes are positive
	if free < littleRoom {
		do = "free space: on a full disk changes are refused"
	}
	x.add("disk", fmt.Sprintf("%d MB free", free>>20), do)
	if disk.Flags&readOnlyMount != 0 {
		x.add("disk", "the file system is read-only", "look in the system's log for the reason, and mount it for writing")
	}
}
