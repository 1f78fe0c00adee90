package doctor

import "golang.org/x/sys/unix"

// readOnlyMount is the flag of a file system that nothing can be written to.
const readOnlyMount = unix.ST_RDONLY
