/* Makes a disk look full to the programs that load this library first (LD_PRELOAD): while there is a file "disk.full" in
 * the working folder, no file grows, and whoever tries is told that there is no space (ENOSPC). What is there can be
 * overwritten, as on a real full disk. A library needs no rights, where a small file system would. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int full(int fd, off_t end) {
	struct stat s;
	int before = errno;
	int yes = fd > 2 && access("disk.full", F_OK) == 0 && fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && end > s.st_size;
	errno = yes ? ENOSPC : before;
	return yes;
}

static size_t total(const struct iovec *parts, int n) {
	size_t sum = 0;
	for (int i = 0; i < n; i++) sum += parts[i].iov_len;
	return sum;
}

ssize_t write(int fd, const void *from, size_t n) {
	if (full(fd, lseek(fd, 0, SEEK_CUR) + n)) return -1;
	return syscall(SYS_write, fd, from, n);
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at) {
	if (full(fd, at + n)) return -1;
	return syscall(SYS_pwrite64, fd, from, n, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at) {
	if (full(fd, at + total(parts, n))) return -1;
	return syscall(SYS_pwritev, fd, parts, n, at, 0L);
}

int posix_fallocate(int fd, off_t at, off_t n) {
	if (full(fd, at + n)) return ENOSPC;
	return syscall(SYS_fallocate, fd, 0, at, n) == 0 ? 0 : errno;
}

/* The names for 64-bit offsets mean the same on a 64-bit system. */
ssize_t pwrite64(int, const void *, size_t, off64_t) __attribute__((alias("pwrite")));
ssize_t pwritev64(int, const struct iovec *, int, off64_t) __attribute__((alias("pwritev")));
int posix_fallocate64(int, off64_t, off64_t) __attribute__((alias("posix_fallocate")));
