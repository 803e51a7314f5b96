#include "log/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"

enum kind { TO_STDERR = 0, TO_SOCKET, TO_FILE };

/* Prefix and text; a newline behind it. */
struct line {
	char bytes[LOG_LINE + 1];
	size_t len;
};

static struct {
	pthread_mutex_t lock;
	enum kind kind;			/* what fd is, when it is open */
	int fd;
	char program[64], host[64];
	char path[4096];		/* "-": standard error */
	dev_t dev;			/* of the file that is open */
	ino_t ino;
	bool torn;			/* our last write stopped in a line */
	uint64_t lost, told;
} out = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.fd = -1,
	.program = "gatehouse",
	.path = "-",
};

/* What stands in each line may not break it. */
static void
set_word(char *word, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < size; text++)
		word[n++] = *text > ' ' && *text <= '~' ? *text : '_';
	word[n] = '\0';
}

static void
shut(void)
{
	if (out.fd >= 0)
		close(out.fd);
	out.fd = -1;
	out.torn = false;
}

void
outlet_open(const char *program, const char *path)
{
	char host[256] = "";

	pthread_mutex_lock(&out.lock);
	shut();
	gethostname(host, sizeof host - 1);
	host[strcspn(host, ".")] = '\0';
	set_word(out.host, sizeof out.host, host[0] != '\0' ? host : "unknown");
	set_word(out.program, sizeof out.program, program);
	snprintf(out.path, sizeof out.path, "%s",
	    path != NULL && *path != '\0' ? path : "/dev/log");
	pthread_mutex_unlock(&out.lock);
}

static bool
open_socket(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (strlen(out.path) >= sizeof to.sun_path)
		return false;
	memcpy(to.sun_path, out.path, strlen(out.path));
	out.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (out.fd < 0)
		return false;
	out.kind = TO_SOCKET;
	if (connect(out.fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return true;
	shut();
	return false;
}

/*
 * Making a file where a syslog daemon wants its socket would keep it from
 * starting.
 */
static bool
may_create(void)
{
	struct slice path = slice_of(out.path);

	return !slice_starts(path, SLICE("/dev/")) &&
	    !slice_starts(path, SLICE("/run/")) &&
	    !slice_starts(path, SLICE("/var/run/"));
}

static bool
open_file(void)
{
	int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;

	out.fd = open(out.path, flags | (may_create() ? O_CREAT : 0), 0640);
	if (out.fd < 0)
		return false;
	/* A pipe whose reader goes would end us. */
	if (fstat(out.fd, &st) != 0 ||
	    !(S_ISREG(st.st_mode) || S_ISCHR(st.st_mode))) {
		shut();
		return false;
	}
	out.kind = TO_FILE;
	out.dev = st.st_dev;
	out.ino = st.st_ino;
	return true;
}

/* Is fd open, and still what the path names? */
static bool
ready(void)
{
	struct stat st;

	if (strcmp(out.path, "-") == 0) {
		out.kind = TO_STDERR;
		return true;
	}
	if (out.fd >= 0 && out.kind == TO_SOCKET)
		return true;
	if (stat(out.path, &st) != 0) {
		bool absent = errno == ENOENT;

		shut();
		return absent && open_file();
	}
	if (out.fd >= 0 && st.st_dev == out.dev && st.st_ino == out.ino)
		return true;
	shut();
	return S_ISSOCK(st.st_mode) ? open_socket() : open_file();
}

static void
put(struct line *l, struct slice s)
{
	size_t room = LOG_LINE - l->len;

	s = slice_sub(s, 0, room);
	memcpy(l->bytes + l->len, s.ptr, s.len);
	l->len += s.len;
}

static void
put_head(struct line *l, int severity)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = (time_t)clock_wall();
	char head[256];
	struct tm tm;

	if (out.kind == TO_STDERR) {
		snprintf(head, sizeof head, "%s: ", out.program);
		put(l, slice_of(head));
		return;
	}
	localtime_r(&now, &tm);
	if (out.kind == TO_SOCKET) {
		snprintf(head, sizeof head, "<%d>", LOG_MAIL | severity);
		put(l, slice_of(head));
	}
	/* English whatever the locale: RFC 3164, 4.1.2. */
	snprintf(head, sizeof head, "%.3s %2d %02d:%02d:%02d %s%s%s[%d]: ",
	    months + 3 * tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec, out.kind == TO_FILE ? out.host : "",
	    out.kind == TO_FILE ? " " : "", out.program, (int)getpid());
	put(l, slice_of(head));
}

/* No byte leaves that could end a line, or move a terminal. */
static void
put_text(struct line *l, struct slice text)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		char code[4] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

		if (l->len + 4 + 3 > LOG_LINE) {
			put(l, SLICE("..."));
			return;
		}
		if (c >= ' ' && c <= '~')
			l->bytes[l->len++] = (char)c;
		else
			put(l, slice_make(code, sizeof code));
	}
}

static bool
send_line(const struct line *l)
{
	return send(out.fd, l->bytes, l->len, MSG_NOSIGNAL) == (ssize_t)l->len;
}

/* A line cut short by a full disk is closed by the next one. */
static bool
write_line(struct line *l)
{
	int fd = out.kind == TO_STDERR ? STDERR_FILENO : out.fd;
	ssize_t n;

	if (out.torn && write(fd, "\n", 1) != 1)
		return false;
	out.torn = false;
	l->bytes[l->len] = '\n';
	do
		n = write(fd, l->bytes, l->len + 1);
	while (n < 0 && errno == EINTR);
	out.torn = n > 0 && (size_t)n < l->len + 1;
	return n == (ssize_t)l->len + 1;
}

static bool
go(int severity, struct slice text)
{
	struct line l;

	/* Twice: syslog may have started again since the last line. */
	for (int i = 0; i < 2; i++) {
		if (!ready())
			return false;
		l.len = 0;
		put_head(&l, severity);
		put_text(&l, text);
		if (out.kind != TO_SOCKET)
			return write_line(&l);
		if (send_line(&l))
			return true;
		if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE)
			return false;
		shut();
	}
	return false;
}

/* Before the first line that gets through again. */
static bool
tell_lost(void)
{
	char text[80];

	if (out.lost == out.told)
		return true;
	snprintf(text, sizeof text, "warning: log lines lost: %llu",
	    (unsigned long long)(out.lost - out.told));
	if (!go(LOG_WARNING, slice_of(text)))
		return false;
	out.told = out.lost;
	return true;
}

void
outlet_line(int severity, struct slice text)
{
	int saved = errno;

	pthread_mutex_lock(&out.lock);
	if (!tell_lost() || !go(severity, text))
		out.lost++;
	pthread_mutex_unlock(&out.lock);
	errno = saved;
}

uint64_t
outlet_lost(void)
{
	uint64_t lost;

	pthread_mutex_lock(&out.lock);
	lost = out.lost;
	pthread_mutex_unlock(&out.lock);
	return lost;
}
