/*
 * Preloaded into a process (LD_PRELOAD), writes down in order whatever changes the files below POWER_LOSS_ROOT, and when what
 * is told to be on disk, in the file POWER_LOSS_JOURNAL. `journal.ts` reads it.
 *
 * Knows the calls by which Node.js and SQLite change files. What it does not know it misses: `disk.ts` can tell, for the
 * journal then does not make what is there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* As in journal.ts. */
enum kind { CREATE = 1, WRITE, TRUNCATE, SYNC, SYNC_FOLDER, RENAME, UNLINK, MKDIR, RMDIR };

struct header {
  uint32_t kind;
  uint32_t file;
  uint64_t at;
  uint64_t length;
};

#define MAX_FDS 65536
#define MAX_FILES 1048576
#define FOLDER UINT32_MAX

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;
static char root[4096];
static size_t root_length;
/* What was opened last as each descriptor; file 0: none of ours. */
static struct {
  uint32_t file;
  char *folder;
  dev_t device;
  ino_t inode;
} of[MAX_FDS];
/* The inode of each file. One that was removed may come again, as another file. */
static ino_t inode_of[MAX_FILES];
static uint32_t files;

#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name) {
  void *found = dlsym(RTLD_NEXT, name);
  if (!found) {
    fprintf(stderr, "recorder: no %s\n", name);
    abort();
  }
  return found;
}

__attribute__((constructor)) static void begin(void) {
  const char *below = getenv("POWER_LOSS_ROOT"), *into = getenv("POWER_LOSS_JOURNAL");
  if (!below || !into) return;
  root_length = strlen(below);
  if (root_length == 0 || root_length >= sizeof root) abort();
  memcpy(root, below, root_length + 1);
  journal = (int)syscall(SYS_openat, AT_FDCWD, into, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (journal < 0) abort();
}

static void put(const void *bytes, size_t length) {
  for (size_t done = 0; done < length;) {
    long wrote = syscall(SYS_write, journal, (const char *)bytes + done, length - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) abort();
    done += (size_t)wrote;
  }
}

static void record(enum kind kind, uint32_t file, uint64_t at, const void *bytes, size_t length) {
  struct header header = {kind, file, at, length};
  int before = errno;
  put(&header, sizeof header);
  put(bytes, length);
  errno = before;
}

/* The path below the root; NULL: it is elsewhere. */
static const char *below(const char *path) {
  if (journal < 0 || !path || strncmp(path, root, root_length) != 0) return NULL;
  if (path[root_length] == '\0') return "";
  return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

/* Node.js closes descriptors past libc, so that one may be something else by now. */
static uint32_t ours(int fd) {
  struct stat now;
  if (journal < 0 || fd < 0 || fd >= MAX_FDS || of[fd].file == 0) return 0;
  int is_same = fstat(fd, &now) == 0 && now.st_dev == of[fd].device && now.st_ino == of[fd].inode;
  return is_same ? of[fd].file : 0;
}

static uint32_t known(ino_t inode) {
  for (uint32_t file = files; file > 0; file--)
    if (inode_of[file] == inode) return file;
  return 0;
}

static void opened(int fd, const char *path, int flags, int existed) {
  struct stat now;
  if (fd < 0 || fd >= MAX_FDS || fstat(fd, &now) != 0) return;
  free(of[fd].folder);
  of[fd].folder = NULL;
  of[fd].file = 0;
  of[fd].device = now.st_dev;
  of[fd].inode = now.st_ino;
  if (S_ISDIR(now.st_mode)) {
    of[fd].file = FOLDER;
    of[fd].folder = strdup(path);
    return;
  }
  if (!S_ISREG(now.st_mode)) return;
  if (!existed) {
    if (++files >= MAX_FILES) abort();
    inode_of[files] = now.st_ino;
    record(CREATE, files, 0, path, strlen(path));
  }
  of[fd].file = existed ? known(now.st_ino) : files;
  if (existed && (flags & O_TRUNC)) record(TRUNCATE, of[fd].file, 0, NULL, 0);
}

static int open_with(int (*open_it)(const char *, int, ...), const char *path, int flags, mode_t mode) {
  const char *inside = below(path);
  if (!inside) return open_it(path, flags, mode);
  pthread_mutex_lock(&lock);
  int existed = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  int fd = open_it(path, flags, mode);
  int failure = errno;
  opened(fd, inside, flags, existed);
  errno = failure;
  pthread_mutex_unlock(&lock);
  return fd;
}

static mode_t mode_in(int flags, va_list more) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = mode_in(flags, more);
  va_end(more);
  return open_with(REAL(open), path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  mode_t mode = mode_in(flags, more);
  va_end(more);
  return open_with(REAL(open64), path, flags, mode);
}

/* Where the next write without a place goes. */
static off_t end_of(int fd) {
  struct stat now;
  if (!(fcntl(fd, F_GETFL) & O_APPEND)) return lseek(fd, 0, SEEK_CUR);
  return fstat(fd, &now) == 0 ? now.st_size : 0;
}

static ssize_t wrote(int fd, off_t at, const void *bytes, ssize_t length) {
  if (length > 0) record(WRITE, of[fd].file, (uint64_t)at, bytes, (size_t)length);
  return length;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  if (!ours(fd)) return REAL(write)(fd, bytes, length);
  pthread_mutex_lock(&lock);
  off_t at = end_of(fd);
  ssize_t done = wrote(fd, at, bytes, REAL(write)(fd, bytes, length));
  pthread_mutex_unlock(&lock);
  return done;
}

static ssize_t pwrite_with(ssize_t (*write_it)(int, const void *, size_t, off_t), int fd, const void *bytes, size_t length, off_t at) {
  if (!ours(fd)) return write_it(fd, bytes, length, at);
  pthread_mutex_lock(&lock);
  ssize_t done = wrote(fd, at, bytes, write_it(fd, bytes, length, at));
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
  return pwrite_with(REAL(pwrite), fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  return pwrite_with((ssize_t(*)(int, const void *, size_t, off_t))REAL(pwrite64), fd, bytes, length, (off_t)at);
}

/* Of several pieces only as much as the call says that it wrote. */
static ssize_t wrote_pieces(int fd, off_t at, const struct iovec *pieces, ssize_t length) {
  for (ssize_t left = length; left > 0; pieces++) {
    size_t part = (size_t)left < pieces->iov_len ? (size_t)left : pieces->iov_len;
    wrote(fd, at, pieces->iov_base, (ssize_t)part);
    at += (off_t)part;
    left -= (ssize_t)part;
  }
  return length;
}

ssize_t writev(int fd, const struct iovec *pieces, int count) {
  if (!ours(fd)) return REAL(writev)(fd, pieces, count);
  pthread_mutex_lock(&lock);
  off_t at = end_of(fd);
  ssize_t done = wrote_pieces(fd, at, pieces, REAL(writev)(fd, pieces, count));
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t at) {
  if (!ours(fd)) return REAL(pwritev64)(fd, pieces, count, at);
  pthread_mutex_lock(&lock);
  ssize_t done = wrote_pieces(fd, (off_t)at, pieces, REAL(pwritev64)(fd, pieces, count, at));
  pthread_mutex_unlock(&lock);
  return done;
}

int ftruncate64(int fd, off64_t size) {
  if (!ours(fd)) return REAL(ftruncate64)(fd, size);
  pthread_mutex_lock(&lock);
  int result = REAL(ftruncate64)(fd, size);
  if (result == 0) record(TRUNCATE, of[fd].file, (uint64_t)size, NULL, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

static int sync_with(int (*sync_it)(int), int fd) {
  if (!ours(fd)) return sync_it(fd);
  pthread_mutex_lock(&lock);
  int result = sync_it(fd);
  const char *folder = of[fd].folder;
  if (result == 0 && folder) record(SYNC_FOLDER, 0, 0, folder, strlen(folder));
  else if (result == 0) record(SYNC, of[fd].file, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

int fsync(int fd) { return sync_with(REAL(fsync), fd); }

int fdatasync(int fd) { return sync_with(REAL(fdatasync), fd); }

static int path_with(enum kind kind, const char *path, int result) {
  const char *inside = below(path);
  if (result == 0 && inside) record(kind, 0, 0, inside, strlen(inside));
  return result;
}

int rename(const char *from, const char *to) {
  pthread_mutex_lock(&lock);
  int result = REAL(rename)(from, to);
  const char *source = below(from), *target = below(to);
  if (result == 0 && (!source) != (!target)) abort();
  if (result == 0 && source) {
    char both[8192];
    int length = snprintf(both, sizeof both, "%s%c%s", source, 0, target);
    if (length < 0 || (size_t)length >= sizeof both) abort();
    record(RENAME, 0, 0, both, (size_t)length);
  }
  pthread_mutex_unlock(&lock);
  return result;
}

int unlink(const char *path) {
  pthread_mutex_lock(&lock);
  int result = path_with(UNLINK, path, REAL(unlink)(path));
  pthread_mutex_unlock(&lock);
  return result;
}

int rmdir(const char *path) {
  pthread_mutex_lock(&lock);
  int result = path_with(RMDIR, path, REAL(rmdir)(path));
  pthread_mutex_unlock(&lock);
  return result;
}

int mkdir(const char *path, mode_t mode) {
  pthread_mutex_lock(&lock);
  int result = path_with(MKDIR, path, REAL(mkdir)(path, mode));
  pthread_mutex_unlock(&lock);
  return result;
}
