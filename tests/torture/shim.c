/* Stands between a process and the files below one folder, when it is preloaded: counts every step that changes one,
   records it, and at a given step kills the process, fails, or finds the disk full. It knows nothing of what is in the
   files, and what does not change a file is not its business. For Linux with glibc; see shim.py.

   A step is: C a file is created, M a folder; W written; T cut off or lengthened; S a file synced, D a folder;
   R renamed; U removed, X a folder. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RECORD, KILL, HALF, FAIL, BUDGET };
enum { FDS = 4096, PAGE = 4096 };

static char root[PATH_MAX];
static size_t root_length;
static char *names[FDS];
static int armed, action, error, trace = -1;
static long steps, at, until;
static long long room, least; /* pages */
static char failing[16];

void shim_root(const char *path)
{
    strncpy(root, path, sizeof root - 1);
    root_length = strlen(root);
}

/* Begin to count from 0. RECORD: nothing else. KILL: the process before step `first`. HALF: the same, of a write after
   half of it. FAIL: with `code`, every step from `first` on and before `end` that is one of `which`. BUDGET: no more
   than `pages` pages can be added to files. */
void shim_begin(int what, long first, long end, int code, const char *which, long long pages, int trace_to)
{
    action = what, at = first, until = end, error = code, room = least = pages, trace = trace_to, steps = 0;
    strncpy(failing, which, sizeof failing - 1);
    armed = 1;
}

void shim_end(void) { armed = 0; }
long shim_steps(void) { return steps; }
long long shim_least(void) { return least; }

static void note(char op, const char *path, const char *other, const void *data, size_t size, long long offset)
{
    char line[96];
    if (!armed || trace < 0) return;
    size_t length = strlen(path), more = other ? strlen(other) : 0;
    int head = snprintf(line, sizeof line, "%c %ld %lld %zu %zu %zu\n", op, steps, offset, length, more, size);
    struct iovec parts[] = {{line, head}, {(void *)path, length}, {(void *)other, more}, {(void *)data, size}};
    if (syscall(SYS_writev, trace, parts, 4) < 0) abort();
}

/* A remark of the process itself, in its place among the steps. */
void shim_mark(const char *text) { note('#', text, NULL, NULL, 0, 0); }

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

static int below(const char *path)
{
    return path && root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static const char *named(int fd) { return armed && fd >= 0 && fd < FDS ? names[fd] : NULL; }

static const char *full(int folder, const char *path, char *space)
{
    if (path[0] == '/') return path;
    if (folder < 0 || folder >= FDS || !names[folder]) return NULL;
    snprintf(space, PATH_MAX, "%s/%s", names[folder], path);
    return space;
}

static void remember(int fd, const char *path)
{
    if (fd < 0 || fd >= FDS) return;
    free(names[fd]);
    names[fd] = path ? strdup(path) : NULL;
}

/* Whether the step may be made: 0 yes, 1 half of it, -1 no, and errno says why. */
static int step(char op)
{
    long number = __atomic_add_fetch(&steps, 1, __ATOMIC_SEQ_CST);
    if (action == KILL && number == at) die();
    if (action == HALF && number == at) return 1;
    int fails = action == FAIL && number >= at && number < until && strchr(failing, op);
    if (fails || (action == BUDGET && room <= 0 && strchr("CM", op))) {
        errno = fails ? error : ENOSPC;
        return -1;
    }
    return 0;
}

static long long pages(long long size) { return (size + PAGE - 1) / PAGE; }

static void give_back(const char *path)
{
    struct stat found;
    if (armed && action == BUDGET && !stat(path, &found) && S_ISREG(found.st_mode)) room += pages(found.st_size);
}

/* How much of a write there is room for. */
static size_t fits(int fd, size_t size, long long offset)
{
    struct stat found;
    if (action != BUDGET || fstat(fd, &found)) return size;
    long long held = pages(found.st_size), growth = pages(offset + size) - held;
    if (growth <= room) {
        room -= growth > 0 ? growth : 0;
        least = room < least ? room : least;
        return size;
    }
    long long last = (held + room) * PAGE;
    room = 0;
    return last > offset ? last - offset : 0;
}

static ssize_t put(int fd, const void *data, size_t size, long long offset, int positioned)
{
    const char *path = named(fd);
    if (!path) return positioned ? syscall(SYS_pwrite64, fd, data, size, offset) : syscall(SYS_write, fd, data, size);
    int how = step('W');
    if (how < 0) return -1;
    if (!positioned) offset = lseek(fd, 0, fcntl(fd, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
    size_t part = how ? size / 2 : fits(fd, size, offset);
    if (size && !part && !how) {
        errno = ENOSPC;
        return -1;
    }
    ssize_t done = positioned ? syscall(SYS_pwrite64, fd, data, part, offset) : syscall(SYS_write, fd, data, part);
    if (done > 0) note('W', path, NULL, data, done, offset);
    if (how) die();
    return done;
}

ssize_t write(int fd, const void *data, size_t size) { return put(fd, data, size, 0, 0); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return put(fd, data, size, offset, 1); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return put(fd, data, size, offset, 1); }

static int opened(int folder, const char *path, int flags, mode_t mode)
{
    char space[PATH_MAX], op = 0;
    const char *whole = full(folder, path, space);
    struct stat found;
    if (!below(whole)) whole = NULL;
    if (armed && whole) {
        int exists = !stat(whole, &found);
        if (!exists && flags & O_CREAT) op = 'C';
        if (exists && flags & O_TRUNC && S_ISREG(found.st_mode) && found.st_size) op = 'T';
    }
    if (op && step(op) < 0) return -1;
    if (op == 'T') give_back(whole);
    int fd = syscall(SYS_openat, folder, path, flags, mode);
    if (fd >= 0) remember(fd, whole);
    if (fd >= 0 && op) note(op, whole, NULL, NULL, 0, 0);
    return fd;
}

#define MODE(last) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, last); mode = va_arg(more, int); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return opened(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return opened(folder, path, flags, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }

int close(int fd)
{
    remember(fd, NULL);
    return syscall(SYS_close, fd);
}

static int synced(int fd, long call)
{
    const char *path = named(fd);
    struct stat found;
    if (!path) return syscall(call, fd);
    char op = !fstat(fd, &found) && S_ISDIR(found.st_mode) ? 'D' : 'S';
    if (step(op) < 0) return -1;
    note(op, path, NULL, NULL, 0, 0); /* the disk below is not what is tried here, and to wait for it takes long */
    return 0;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int ftruncate64(int fd, off64_t size)
{
    const char *path = named(fd);
    struct stat found;
    if (!path) return syscall(SYS_ftruncate, fd, size);
    if (step('T') < 0) return -1;
    if (action == BUDGET && !fstat(fd, &found) && size < found.st_size) room += pages(found.st_size) - pages(size);
    int failed = syscall(SYS_ftruncate, fd, size);
    if (!failed) note('T', path, NULL, NULL, 0, size);
    return failed;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
    char one[PATH_MAX], two[PATH_MAX];
    const char *source = full(from, old, one), *target = full(to, new, two);
    int ours = armed && below(source) && below(target);
    if (ours && step('R') < 0) return -1;
    if (ours) give_back(target);
    int failed = syscall(SYS_renameat2, from, old, to, new, flags);
    if (!failed && ours) note('R', source, target, NULL, 0, 0);
    return failed;
}

int rename(const char *old, const char *new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }
int renameat(int from, const char *old, int to, const char *new) { return renameat2(from, old, to, new, 0); }

int unlinkat(int folder, const char *path, int flags)
{
    char space[PATH_MAX], op = flags & AT_REMOVEDIR ? 'X' : 'U';
    const char *whole = full(folder, path, space);
    struct stat found;
    int ours = armed && below(whole) && !lstat(whole, &found);
    if (ours && step(op) < 0) return -1;
    if (ours) give_back(whole);
    int failed = syscall(SYS_unlinkat, folder, path, flags);
    if (!failed && ours) note(op, whole, NULL, NULL, 0, 0);
    return failed;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int folder, const char *path, mode_t mode)
{
    char space[PATH_MAX];
    const char *whole = full(folder, path, space);
    struct stat found;
    int ours = armed && below(whole) && stat(whole, &found);
    if (ours && step('M') < 0) return -1;
    int failed = syscall(SYS_mkdirat, folder, path, mode);
    if (!failed && ours) note('M', whole, NULL, NULL, 0, 0);
    return failed;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* What is written through stdio leaves glibc by a way of its own, so such a file is given one that leads through here. */
static ssize_t cookie_write(void *cookie, const char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t part = write((int)(long)cookie, data + done, size - done);
        if (part <= 0) break;
        done += part;
    }
    return done;
}

static int cookie_close(void *cookie) { return close((int)(long)cookie); }

FILE *fopen(const char *path, const char *mode)
{
    if (!armed || !below(path) || mode[0] != 'w') {
        FILE *(*original)(const char *, const char *) = dlsym(RTLD_NEXT, "fopen");
        return original(path, mode);
    }
    int fd = opened(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    cookie_io_functions_t functions = {.write = cookie_write, .close = cookie_close};
    return fd < 0 ? NULL : fopencookie((void *)(long)fd, mode, functions);
}

FILE *fopen64(const char *path, const char *mode) { return fopen(path, mode); }
