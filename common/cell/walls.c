#include "cell/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MB	((uint64_t)1024 * 1024)

/* What a parser of bytes in memory needs: memory, its files, the clock. No
 * socket, no exec, no clone, no ioctl, nothing that names another process. */
static const int calls[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev), SCMP_SYS(lseek), SCMP_SYS(close),
	SCMP_SYS(close_range), SCMP_SYS(openat), SCMP_SYS(open),
	SCMP_SYS(creat), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(lstat), SCMP_SYS(statx),
	SCMP_SYS(newfstatat), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(getdents64), SCMP_SYS(getcwd), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(ftruncate), SCMP_SYS(fallocate),
	SCMP_SYS(fadvise64), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(fcntl), SCMP_SYS(flock), SCMP_SYS(dup), SCMP_SYS(dup2),
	SCMP_SYS(dup3), SCMP_SYS(umask),
	SCMP_SYS(memfd_create), SCMP_SYS(munmap),
	SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(futex), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times),
	SCMP_SYS(getrusage), SCMP_SYS(getrandom), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(sched_yield), SCMP_SYS(rseq),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static bool
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? write(fd, text, strlen(text)) : -1;

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text);
}

/* Who may do nothing at all outside is somebody inside. */
static bool
own_namespaces(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET |
	    CLONE_NEWIPC) != 0)
		return false;
	snprintf(map, sizeof map, "%u %u 1", uid, uid);
	if (!write_text("/proc/self/uid_map", map) ||
	    !write_text("/proc/self/setgroups", "deny"))
		return false;
	snprintf(map, sizeof map, "%u %u 1", gid, gid);
	return write_text("/proc/self/gid_map", map);
}

static long
landlock_version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
}

/* A file system in memory over the folder; nobody else sees it. */
static bool
mount_scratch(const struct walls *w, const char *scratch)
{
	char options[64];
	uint64_t size = w->scratch != 0 ? w->scratch : 512 * MB;

	snprintf(options, sizeof options, "size=%llu,nr_inodes=20000,mode=700",
	    (unsigned long long)size);
	return own_namespaces() &&
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("scratch", scratch, "tmpfs", MS_NOSUID | MS_NODEV |
	    MS_NOEXEC, options) == 0;
}

/* Tried by a child, since there is no way back. */
static bool
namespaces_work(const char *scratch)
{
	const struct walls any = { 0 };
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(mount_scratch(&any, scratch) ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

bool
walls_prepare(const char *scratch, struct slice *told_r, struct arena *a)
{
	bool namespaces = namespaces_work(scratch);

	*told_r = arena_printf(a, "seccomp%s%s", namespaces ?
	    ", namespaces" : "", landlock_version() > 0 ? ", landlock" : "");
	return namespaces;
}

static enum rc
failed(const char *what, struct arena *a, struct slice *why_r)
{
	*why_r = arena_printf(a, "%s: %s", what, strerror(errno));
	return RC_BAD;
}

/* Address space that is mapped now: signatures and libraries. */
static uint64_t
memory_now(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f != NULL && fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	if (f != NULL)
		fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static bool
limit(int what, uint64_t value)
{
	const struct rlimit r = { value, value };

	return setrlimit((__rlimit_resource_t)what, &r) == 0;
}

static enum rc
set_limits(const struct walls *w, struct arena *a, struct slice *why_r)
{
	uint64_t memory = w->memory != 0 ? w->memory : 512 * MB;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	/* A sanitizer maps terabytes for its own books. */
	memory = 0;
#endif
	if (memory != 0 && !limit(RLIMIT_AS, memory_now() + memory))
		return failed("RLIMIT_AS", a, why_r);
	if (!limit(RLIMIT_FSIZE, w->file != 0 ? w->file : 256 * MB) ||
	    !limit(RLIMIT_CPU, w->cpu != 0 ? w->cpu : 600) ||
	    !limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NOFILE, 256))
		return failed("limits", a, why_r);
	return RC_OK;
}

/* Files can be opened below scratch and nowhere else. */
static bool
lock_files(const char *scratch)
{
	uint64_t all = LANDLOCK_ACCESS_FS_EXECUTE |
	    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
	    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
	    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
	    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
	struct landlock_ruleset_attr rules = { .handled_access_fs = all };
	struct landlock_path_beneath_attr below = {
		.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE |
		    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
		    LANDLOCK_ACCESS_FS_REMOVE_DIR |
		    LANDLOCK_ACCESS_FS_REMOVE_FILE |
		    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG,
	};
	long set = syscall(SYS_landlock_create_ruleset, &rules, sizeof rules,
	    0);
	bool done;

	if (set < 0)
		return false;
	below.parent_fd = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
	done = below.parent_fd >= 0 &&
	    syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH,
	    &below, 0) == 0 &&
	    syscall(SYS_landlock_restrict_self, set, 0) == 0;
	if (below.parent_fd >= 0)
		close(below.parent_fd);
	close((int)set);
	return done;
}

/* Libraries ask for these in passing; they may go on without. A mode is changed
 * by path, which Landlock does not look at. */
static int
refuse(scmp_filter_ctx filter)
{
	static const int refused[] = { SCMP_SYS(prlimit64), SCMP_SYS(ioctl),
	    SCMP_SYS(chmod), SCMP_SYS(fchmodat), SCMP_SYS(prctl),
	    SCMP_SYS(set_robust_list) };
	int rc = 0;

	for (size_t i = 0; i < sizeof refused / sizeof refused[0] && rc == 0;
	    i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM),
		    refused[i], 0);
	return rc;
}

static int
allow(scmp_filter_ctx filter, const struct walls *w)
{
	/* There is no new code: neither from memory nor from a file. */
	const struct scmp_arg_cmp no_code = { .arg = 2,
	    .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0 };
	/* abort(3) sends itself a signal; to others there is no way. */
	const struct scmp_arg_cmp itself = { .arg = 0, .op = SCMP_CMP_EQ,
	    .datum_a = (scmp_datum_t)getpid() };
	int rc = 0;

	for (size_t i = 0; i < sizeof calls / sizeof calls[0] && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	for (const int *c = w->calls; c != NULL && *c >= 0 && rc == 0; c++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, *c, 0);
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap),
		    1, no_code);
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(mprotect), 1, no_code);
	if (rc == 0)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(tgkill), 1, itself);
	return rc;
}

static enum rc
lock_calls(const struct walls *w, struct arena *a, struct slice *why_r)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (filter == NULL) {
		*why_r = SLICE("seccomp: no memory");
		return RC_BAD;
	}
	rc = refuse(filter);
	if (rc == 0)
		rc = allow(filter, w);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	if (rc == 0)
		return RC_OK;
	errno = -rc;
	return failed("seccomp", a, why_r);
}

enum rc
walls_raise(const struct walls *w, const char *scratch, bool namespaces,
    struct arena *a, struct slice *why_r)
{
	enum rc rc;

	if (namespaces && !mount_scratch(w, scratch))
		return failed("private file system", a, why_r);
	if (chdir(scratch) != 0)
		return failed(scratch, a, why_r);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return failed("prctl", a, why_r);
	rc = set_limits(w, a, why_r);
	if (rc != RC_OK)
		return rc;
	if (landlock_version() > 0 && !lock_files(scratch))
		return failed("landlock", a, why_r);
	return lock_calls(w, a, why_r);
}
