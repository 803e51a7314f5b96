#include "tools/dmarc-mail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/write.h"
#include "text/transfer.h"

enum { ID_BYTES = 16 };

struct slice
dmarc_report_id(struct arena *a, const char *submitter,
    const struct dmarc_report *r)
{
	struct slice what = arena_printf(a, "%s %.*s %" PRId64 " %" PRId64,
	    submitter, SLICE_ARG(r->domain), r->begin, r->end);
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct buf id = buf_in(a);

	SHA256((const unsigned char *)what.ptr, what.len, hash);
	for (int i = 0; i < ID_BYTES; i++)
		buf_addf(&id, "%02x", hash[i]);
	return buf_slice(&id);
}

struct slice
dmarc_file_name(struct arena *a, const char *submitter,
    const struct dmarc_report *r)
{
	return arena_printf(a, "%s!%.*s!%" PRId64 "!%" PRId64 "!%.*s.xml.gz",
	    submitter, SLICE_ARG(r->domain), r->begin, r->end - 1,
	    SLICE_ARG(dmarc_report_id(a, submitter, r)));
}

void
dmarc_gzip(struct buf *out, struct slice text)
{
	enum { GZIP = 16 };
	z_stream z = { 0 };
	size_t most;

	/* It fails for want of memory alone, and then nothing else goes on
	 * either (base/arena.h). */
	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP,
	    MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	most = deflateBound(&z, text.len);
	z.next_in = (Bytef *)(uintptr_t)text.ptr;
	z.avail_in = (uInt)text.len;
	z.next_out = (Bytef *)buf_room(out, most);
	z.avail_out = (uInt)most;
	if (text.len > UINT32_MAX || most > UINT32_MAX ||
	    deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	buf_took(out, z.total_out);
	deflateEnd(&z);
}

static void
add_date(struct buf *out, int64_t now)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
	    "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t t = (time_t)now;
	struct tm tm = { 0 };

	gmtime_r(&t, &tm);
	buf_addf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\n",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The same report to the same address is the same message. */
static struct slice
message_id(struct arena *a, const char *submitter, struct slice id,
    struct slice to)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)to.ptr, to.len, hash);
	return arena_printf(a, "%.*s.%02x%02x%02x%02x@%s", SLICE_ARG(id),
	    hash[0], hash[1], hash[2], hash[3], submitter);
}

void
dmarc_message(struct buf *out, struct arena *a,
    const struct dmarc_report_conf *conf, const struct dmarc_report *r,
    struct slice to, struct slice gzip, int64_t now)
{
	struct slice id = dmarc_report_id(a, conf->submitter, r);
	struct slice file = dmarc_file_name(a, conf->submitter, r);
	struct buf coded = buf_in(a);

	buf_addf(out, "From: <%s>\nTo: <%.*s>\n", conf->email,
	    SLICE_ARG(to));
	add_date(out, now);
	buf_addf(out, "Message-ID: <%.*s>\n", SLICE_ARG(message_id(a,
	    conf->submitter, id, to)));
	buf_addf(out, "Subject: Report Domain: %.*s\n Submitter: %s\n "
	    "Report-ID: <%.*s>\n", SLICE_ARG(r->domain), conf->submitter,
	    SLICE_ARG(id));
	buf_addf(out, "Auto-Submitted: auto-generated\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: application/gzip;\n name=\"%.*s\"\n"
	    "Content-Disposition: attachment;\n filename=\"%.*s\"\n"
	    "Content-Transfer-Encoding: base64\n\n", SLICE_ARG(file),
	    SLICE_ARG(file));
	encode_base64(&coded, gzip);
	for (size_t i = 0; i < coded.len; i++)
		if (coded.ptr[i] != '\r')
			buf_addc(out, coded.ptr[i]);
	buf_addc(out, '\n');
}

/* The message as a file that has no name; -1 with errno. */
static int
message_file(struct slice message)
{
	int fd = memfd_create("dmarc-report", MFD_CLOEXEC);

	if (fd >= 0 && (!write_all(fd, message) ||
	    lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Only calls that are safe behind fork(2). What the program says on standard
 * error is ours. */
static void
become(const char *program, char *const argv[], int in)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = { path, NULL };
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0 && dup2(in, STDIN_FILENO) >= 0 &&
	    dup2(null, STDOUT_FILENO) >= 0)
		execve(program, argv, env);
	_exit(EX_UNAVAILABLE);
}

static enum dmarc_handed
judge(struct arena *a, const char *program, int status, struct slice *why_r)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EX_OK)
		return HANDED;
	if (WIFEXITED(status)) {
		*why_r = arena_printf(a, "%s ended with %d", program,
		    WEXITSTATUS(status));
		return NOT_HANDED;
	}
	*why_r = arena_printf(a, "%s was ended by signal %d", program,
	    WTERMSIG(status));
	return HANDED_PERHAPS;
}

static enum dmarc_handed
wait_for(struct arena *a, const char *program, pid_t pid,
    struct slice *why_r)
{
	int fd = pidfd_open(pid, 0), status = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	deadline_t until = deadline_in(SENDMAIL_MS);
	bool late = false;

	/* Without a pidfd (an old kernel) it is waited for without a limit. */
	while (fd >= 0 && !late && poll(&p, 1,
	    (int)deadline_left(until)) <= 0)
		late = deadline_left(until) == 0;
	if (late)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (fd >= 0)
		close(fd);
	if (!late)
		return judge(a, program, status, why_r);
	*why_r = arena_printf(a, "%s said nothing for %d seconds", program,
	    SENDMAIL_MS / 1000);
	return HANDED_PERHAPS;
}

enum dmarc_handed
dmarc_sendmail(struct arena *a, const char *program, const char *sender,
    struct slice to, struct slice message, struct slice *why_r)
{
	char *argv[] = { arena_str(a, SLICE("sendmail")),
	    arena_str(a, SLICE("-i")), arena_str(a, SLICE("-f")),
	    arena_str(a, slice_of(sender)), arena_str(a, SLICE("--")),
	    arena_str(a, to), NULL };
	int in = message_file(message);
	pid_t pid;

	if (in < 0 || access(program, X_OK) != 0) {
		*why_r = arena_printf(a, "%s: %s", program, strerror(errno));
		if (in >= 0)
			close(in);
		return NOT_HANDED;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(program, argv, in);
	close(in);
	if (pid < 0) {
		*why_r = arena_printf(a, "%s: %s", program, strerror(errno));
		return NOT_HANDED;
	}
	return wait_for(a, program, pid, why_r);
}
