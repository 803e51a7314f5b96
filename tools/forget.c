/*
 * gatehouse forget: an address is erased from what tracking and journals hold.
 *
 * gatehouse-track does it in its database and leaves the proof; the journals
 * belong to their daemons, so this command, as root, writes over the address
 * in them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "journal/event.h"
#include "journal/journal.h"
#include "tools/quarantine.h"
#include "tools/spam.h"
#include "tools/tracked.h"
#include "track/erase.h"

enum { FOLDERS = 100, ANSWER = 4096 };

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 's' },
	{ "reports", required_argument, NULL, 'r' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse forget [--reports DIR] [--json] ADDRESS\n"
	    "\n"
	    "Erases an address from the tracking database, from all journals, "
	    "from what\n"
	    "antispam knows of senders, and from the daily reports below DIR, "
	    "and leaves a\n"
	    "proof in STATE/track/erasures.json. Refuses "
	    "while STATE/track/legal-hold covers it.\n"
	    "Postfix's own log and what a SIEM has "
	    "are not erased; see gatehouse(1). Exit status 1: refused because "
	    "of a hold.\n"
	    "\n"
	    "  --config DIR --state DIR");
	return EX_OK;
}

struct erasure {
	struct arena *a;
	const char *config, *state, *reports;
	struct slice address;
	bool json;
	size_t journals, lines;		/* files changed, places in them */
	size_t report_lines;
	unsigned histories;		/* entries of senders */
	int64_t held;			/* of his, in quarantine; -1: unknown */
	int64_t shares, sent;		/* large files: that he could have, that
					   he sent; -1: unknown */
};

/* The daemon's answer to a request; NULL with the status told. */
static json_t *
ask(struct erasure *e, const char *verb, int *status)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *path = arena_printf(e->a, "%s/track/control",
	    e->state).ptr;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct buf out = buf_in(e->a);
	struct json w;
	char room[ANSWER];
	size_t len = 0;
	ssize_t n = 1;

	json_init(&w, &out);
	json_begin_object(&w);
	json_put(&w, "verb", slice_of(verb));
	json_put(&w, "address", e->address);
	json_end(&w);
	buf_addc(&out, '\n');
	snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof un) != 0 ||
	    send(fd, out.ptr, out.len, MSG_NOSIGNAL) != (ssize_t)out.len) {
		*status = verb_fails(EX_TEMPFAIL, "%s: %s; gatehouse-track "
		    "must run", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	while (n > 0 && len < sizeof room) {
		n = recv(fd, room + len, sizeof room - len, 0);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	*status = EX_OK;
	if (len == 0)
		*status = verb_fails(EX_TEMPFAIL, "gatehouse-track gave no "
		    "answer");
	return len > 0 ? event_read(slice_trim(slice_make(room, len))) : NULL;
}

static int
erase_in_file(struct erasure *e, int dir, const char *name, size_t *places)
{
	int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? EX_OK : verb_fails(EX_NOINPUT,
		    "%s: %s", name, strerror(errno));
	n = erase_file(fd, e->address);
	if (n > 0 && fsync(fd) != 0)
		n = -1;
	if (n < 0)
		verb_fails(EX_IOERR, "%s: %s", name, strerror(errno));
	else
		*places += (size_t)n;
	close(fd);
	return n < 0 ? EX_IOERR : EX_OK;
}

/* All files of one journal, whatever number they have by now. */
static int
journal_of(struct erasure *e, const char *folder)
{
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = EX_OK;
	size_t before = e->lines;

	if (dir < 0)
		return errno == ENOTDIR ? EX_OK : verb_fails(EX_NOINPUT,
		    "%s: %s", folder, strerror(errno));
	/* Oldest first, as rotation goes the other way: none is missed. */
	for (int n = JOURNAL_KEEP; n >= 0 && status == EX_OK; n--) {
		const char *name = n == 0 ? "journal.json" :
		    arena_printf(e->a, "journal.json.%d", n).ptr;

		status = erase_in_file(e, dir, name, &e->lines);
	}
	if (status == EX_OK)
		status = erase_in_file(e, dir, "journal.json.1", &e->lines);
	e->journals += e->lines > before;
	close(dir);
	return status;
}

static int
all_journals(struct erasure *e)
{
	struct dirent **entries;
	int n = scandir(e->state, &entries, NULL, alphasort), status = EX_OK;

	if (n < 0)
		return verb_fails(EX_NOINPUT, "%s: %s", e->state,
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.' && i < FOLDERS &&
		    status == EX_OK)
			status = journal_of(e, arena_printf(e->a, "%s/%s",
			    e->state, entries[i]->d_name).ptr);
		free(entries[i]);
	}
	free(entries);
	return status;
}

static int
all_reports(struct erasure *e)
{
	struct dirent **entries;
	int n, dir, status = EX_OK;

	if (e->reports == NULL)
		return EX_OK;
	dir = open(e->reports, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	n = dir < 0 ? -1 : scandir(e->reports, &entries, NULL, alphasort);
	if (n < 0)
		status = verb_fails(EX_NOINPUT, "%s: %s", e->reports,
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		struct slice name = slice_of(entries[i]->d_name);

		if (status == EX_OK && slice_starts(name,
		    SLICE("gatehouse-")) && slice_ends(name, SLICE(".csv")))
			status = erase_in_file(e, dir, entries[i]->d_name,
			    &e->report_lines);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	if (dir >= 0)
		close(dir);
	return status;
}

/* What he could have by a link is not his any more; a file that nobody else can
 * have goes. Those that he sent are others' as well: they expire. */
static void
forget_files(struct erasure *e, struct asking *q)
{
	asking_begin(q, "file-forget");
	asking_put(q, "recipient", arena_str(e->a, e->address));
	if (asking_ask(q) != EX_OK)
		return;
	e->shares = json_integer_value(json_object_get(q->answer, "shares"));
	e->sent = json_integer_value(json_object_get(q->answer, "sent"));
}

/*
 * Held mail is not ours to erase: it expires, or an administrator deletes it.
 * How much there is for him is said, up to a page of it.
 */
static void
ask_quarantine(struct erasure *e)
{
	enum { WAIT_MS = 20000, MOST = 1000 };
	struct asking q = { .a = e->a, .state = e->state };
	struct slice why;

	e->held = e->shares = e->sent = -1;
	if (ask_open(arena_printf(e->a, "%s/store/sock", e->state).ptr,
	    WAIT_MS, &q.ask, e->a, &why) != RC_OK)
		return;
	asking_begin(&q, "list");
	asking_put(&q, "recipient", arena_str(e->a, e->address));
	json_put_int(&q.w, "limit", MOST);
	if (asking_ask(&q) == EX_OK)
		e->held = (int64_t)json_array_size(json_object_get(q.answer,
		    "rows"));
	forget_files(e, &q);
	asking_close(&q);
}

static int
tell(struct erasure *e, const json_t *answer)
{
	static const char *const keys[] = { "messages", "recipients",
	    "events", "steps", "waiting" };
	struct buf out = buf_in(e->a);
	struct json w;

	if (e->json) {
		json_init(&w, &out);
		json_begin_object(&w);
		for (int i = 0; i < 5; i++)
			json_put_int(&w, keys[i], event_int(answer, keys[i],
			    0));
		json_put_int(&w, "journals", (int64_t)e->journals);
		json_put_int(&w, "journal_places", (int64_t)e->lines);
		json_put_int(&w, "report_places", (int64_t)e->report_lines);
		json_put_int(&w, "histories", e->histories);
		if (e->held >= 0)
			json_put_int(&w, "quarantine", e->held);
		if (e->shares >= 0) {
			json_put_int(&w, "file_shares", e->shares);
			json_put_int(&w, "files_sent", e->sent);
		}
		json_end(&w);
		buf_addc(&out, '\n');
		return verb_print(&out);
	}
	for (int i = 0; i < 5; i++)
		buf_addf(&out, "%-12s %lld\n", keys[i], (long long)
		    event_int(answer, keys[i], 0));
	buf_addf(&out, "%-12s %zu, in %zu journals\n", "journals", e->lines,
	    e->journals);
	buf_addf(&out, "%-12s %u\n", "histories", e->histories);
	if (e->reports != NULL)
		buf_addf(&out, "%-12s %zu\n", "reports", e->report_lines);
	if (e->held >= 0)
		buf_addf(&out, "%-12s %lld, not erased: gatehouse quarantine "
		    "list --recipient\n", "quarantine", (long long)e->held);
	if (e->shares >= 0)
		buf_addf(&out, "%-12s %lld links; %lld that it sent stay "
		    "until they expire, without the name\n", "files",
		    (long long)e->shares, (long long)e->sent);
	return verb_print(&out);
}

/* One request; *answer_r only when the answer is yes. */
static int
request(struct erasure *e, const char *verb, json_t **answer_r)
{
	int status;
	json_t *answer = ask(e, verb, &status);
	bool held;

	if (answer == NULL)
		return status != EX_OK ? status : EX_TEMPFAIL;
	if (json_is_true(json_object_get(answer, "ok"))) {
		*answer_r = answer;
		return EX_OK;
	}
	held = json_is_true(json_object_get(answer, "held"));
	status = verb_fails(held ? EXIT_UNEXPECTED : EX_TEMPFAIL,
	    "not erased: %.*s", SLICE_ARG(verb_safe(e->a, event_text(answer,
	    "why"))));
	json_decref(answer);
	return status;
}

/* Journals first, so that nothing of them comes into the database again. */
static int
run(struct erasure *e)
{
	json_t *answer = NULL;
	int status = request(e, "may-forget", &answer);

	json_decref(answer);
	answer = NULL;
	if (status == EX_OK)
		status = all_journals(e);
	if (status == EX_OK)
		status = all_reports(e);
	if (status == EX_OK)
		status = spam_history_forget(e->state, arena_str(e->a,
		    e->address), e->a, &e->histories);
	if (status == EX_OK)
		status = request(e, "forget", &answer);
	if (status == EX_OK) {
		ask_quarantine(e);
		status = tell(e, answer);
	}
	json_decref(answer);
	return status;
}

int
verb_forget(int argc, char **argv, struct arena *a)
{
	struct erasure *e = arena_alloc(a, sizeof *e);
	int o, status;

	e->a = a;
	optind = 1;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'c': e->config = optarg; break;
		case 's': e->state = optarg; break;
		case 'r': e->reports = optarg; break;
		case 'j': e->json = true; break;
		case 'h': return help();
		default: return EX_USAGE;
		}
	}
	if (argc - optind != 1 || !erase_fit(slice_of(argv[optind])))
		return verb_fails(EX_USAGE, "forget: one address is wanted, "
		    "without brackets or quotes");
	e->address = slice_of(argv[optind]);
	status = tracked_state(e->config, e->state, &e->state, a);
	return status == EX_OK ? run(e) : status;
}
