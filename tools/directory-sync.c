#include "tools/directory-sync.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/journal.h"
#include "log/log.h"
#include "tools/directory-maps.h"
#include "tools/directory-source.h"
#include "tools/verb.h"

int
directory_load(struct sync *s)
{
	enum rc rc = directory_conf_load(verb_conf_dir(s->config), &s->house,
	    &s->conf, s->a, &s->why);

	if (rc != RC_OK)
		return verb_fails(verb_status(rc), "directory: %.*s",
		    SLICE_ARG(s->why));
	return EX_OK;
}

/* --- the new directory -------------------------------------------------- */

static enum rc
read_sources(struct sync *s)
{
	enum rc rc = RC_OK;

	s->book = directory_book_new();
	for (size_t i = 0; i < s->house.domains.count; i++) {
		struct slice domain = s->house.domains.items[i];

		const struct tenant *t = tenant_of(&s->house.tenant_list,
		    domain);

		if (t == NULL)
			book_domain(s->book, domain, SLICE_NONE, SLICE_NONE);
		else
			book_domain(s->book, domain, slice_of(t->name),
			    tenant_transport(s->a, t));
	}
	for (size_t i = 0; i < s->conf.sources.count && rc == RC_OK; i++)
		rc = source_read(&s->conf.list[i], s->book, &s->why);
	return rc == RC_OK ? book_finish(s->book, &s->why) : rc;
}

/* All mail to such a domain would be refused, as it should be when a tenant
 * leaves. */
static enum rc
check_domains(struct sync *s)
{
	for (size_t i = 0; i < s->house.domains.count; i++) {
		struct slice domain = s->house.domains.items[i];
		const struct tenant *t = tenant_of(&s->house.tenant_list,
		    domain);

		if (conf_list_has(&s->conf.open_domains, domain) ||
		    book_has_users(s->book, domain) ||
		    (t != NULL && t->leaving[0] != '\0'))
			continue;
		s->why = arena_printf(s->a, "no source has an address in %.*s, "
		    "so all mail to it would be refused; name it in "
		    "open_domains of directory.conf, or take it out of domains "
		    "in gatehouse.conf", SLICE_ARG(domain));
		return RC_BAD;
	}
	return RC_OK;
}

static enum rc
new_file(struct sync *s)
{
	const char *path = "the new directory";
	enum rc rc = RC_OK;

	if (s->dry) {
		s->fd = memfd_create("directory", MFD_CLOEXEC);
	} else {
		rc = gens_begin(&s->state, &s->folder, &s->why);
		if (rc != RC_OK)
			return rc;
		path = arena_printf(s->a, "%s/directory", s->folder).ptr;
		s->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	}
	if (s->fd < 0) {
		s->why = arena_printf(s->a, "%s: %s", path, strerror(errno));
		return RC_RETRY;
	}
	return book_write(s->book, s->fd, path, &s->why);
}

/* s->line for people: its fields apart. */
void
directory_show(struct sync *s, const char *between)
{
	struct slice rest = buf_slice(&s->line), part;

	while (rest.ptr != NULL) {
		part = slice_cut(rest, '\t', &rest);
		buf_add(&s->out, verb_safe(s->a, part));
		buf_adds(&s->out, rest.ptr != NULL ? between : "");
	}
}

static void
diff_line(void *arg, char sign, const struct directory_record *r)
{
	struct sync *s = arg;

	buf_clear(&s->line);
	directory_line(&s->line, r);
	if (s->json) {
		json_begin_object(&s->w);
		json_put(&s->w, "change", sign == '+' ? SLICE("add") :
		    SLICE("remove"));
		json_put(&s->w, "record", slice_sub(buf_slice(&s->line), 0,
		    s->line.len - 1));
		json_end(&s->w);
		return;
	}
	buf_addc(&s->out, sign);
	buf_addc(&s->out, ' ');
	directory_show(s, "  ");
}

static enum rc
compare(struct sync *s)
{
	int old = gens_current(&s->state, "directory");
	enum rc rc;

	s->diff.line = s->dry ? diff_line : NULL;
	s->diff.arg = s;
	lseek(s->fd, 0, SEEK_SET);
	if (s->json) {
		json_key(&s->w, "changes");
		json_begin_array(&s->w);
	}
	rc = directory_diff(&s->diff, old, s->fd, s->a, &s->why);
	if (s->json)
		json_end(&s->w);
	if (old >= 0)
		close(old);
	if (rc == RC_BAD && s->force) {
		s->diff = (struct directory_diff){ .arena = s->a };
		lseek(s->fd, 0, SEEK_SET);
		rc = directory_diff(&s->diff, -1, s->fd, s->a, &s->why);
		s->forced = true;
	} else if (rc == RC_BAD) {
		s->why = arena_printf(s->a, "%.*s; --force-shrink makes it "
		    "anew without looking at it", SLICE_ARG(s->why));
	}
	return rc;
}

static enum rc
guard(struct sync *s)
{
	struct slice why = SLICE("");

	if (!directory_shrinks(&s->diff, &s->conf, s->a, &why))
		return RC_OK;
	s->forced = s->force;
	if (s->force)
		return RC_OK;
	s->why = arena_printf(s->a, "%.*s; nothing was changed. Look at "
	    "gatehouse directory sync --dry-run; if that is right, "
	    "--force-shrink lets it happen once", SLICE_ARG(why));
	return RC_BAD;
}

/* Are the maps there, of the type that is wanted? */
static bool
maps_there(struct sync *s)
{
	for (int i = 0; i < MAPS && s->conf.maps; i++) {
		int fd = gens_current(&s->state, arena_printf(s->a, "%s%s",
		    maps_file[i], directory_map_suffixes[s->conf.map_type])
		    .ptr);

		if (fd < 0)
			return false;
		close(fd);
	}
	return true;
}

static bool
unchanged(struct sync *s)
{
	const struct directory_diff *d = &s->diff;

	return s->state.number != 0 && !s->forced && d->added + d->removed +
	    d->changed + d->others == 0 && maps_there(s);
}

static enum rc
commit(struct sync *s)
{
	enum rc rc = RC_OK;

	if (unchanged(s)) {
		gens_abandon(&s->state);
		return RC_OK;
	}
	lseek(s->fd, 0, SEEK_SET);
	if (s->conf.maps)
		rc = maps_write(&s->conf, s->folder, s->fd, s->a, &s->why);
	if (rc == RC_OK)
		rc = gens_commit(&s->state, &s->why);
	s->written = rc == RC_OK;
	return rc;
}

static enum rc
make(struct sync *s)
{
	enum rc rc = read_sources(s);

	if (rc == RC_OK)
		rc = check_domains(s);
	if (rc == RC_OK)
		rc = new_file(s);
	if (rc == RC_OK)
		rc = compare(s);
	if (rc == RC_OK)
		rc = guard(s);
	if (rc == RC_OK && !s->dry)
		rc = commit(s);
	return rc;
}

/* --- telling ------------------------------------------------------------ */

static const char *
who(struct arena *a)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *pw = getpwuid(getuid());

	if (sudo != NULL && sudo[0] != '\0')
		return arena_str(a, log_safe(a, slice_of(sudo), 100));
	return pw != NULL ? arena_str(a, slice_of(pw->pw_name)) :
	    arena_printf(a, "%u", (unsigned)getuid()).ptr;
}

static void
json_counts(struct json *w, const struct directory_diff *d)
{
	json_put_int(w, "gatehouse.directory.addresses", (int64_t)d->after);
	json_put_int(w, "gatehouse.directory.added", (int64_t)d->added);
	json_put_int(w, "gatehouse.directory.removed", (int64_t)d->removed);
	json_put_int(w, "gatehouse.directory.changed", (int64_t)d->changed);
}

static void
json_event(struct sync *s, struct json *w, enum rc rc)
{
	time_t now = (time_t)clock_wall();
	char when[40];
	struct tm tm;

	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ",
	    gmtime_r(&now, &tm));
	json_begin_object(w);
	json_put(w, "@timestamp", slice_of(when));
	json_put(w, "event.action", SLICE("directory-synced"));
	json_put(w, "event.outcome", rc == RC_OK ? SLICE("success") :
	    SLICE("failure"));
	json_put(w, "user.name", slice_of(who(s->a)));
	if (rc != RC_OK)
		json_put(w, "error.message", s->why);
	if (rc == RC_OK) {
		json_put_int(w, "gatehouse.directory.generation",
		    (int64_t)s->state.number);
		json_counts(w, &s->diff);
		json_put_bool(w, "gatehouse.directory.forced", s->forced);
		json_key(w, "gatehouse.directory.keys");
		json_begin_array(w);
		for (size_t i = 0; i < s->diff.nkeys; i++)
			json_text(w, s->diff.keys[i]);
		json_end(w);
	}
	json_end(w);
}

static void
journal(struct sync *s, struct slice event)
{
	static const char *const files[] = { "journal.json",
	    "journal.json.age" };
	const struct journal_limits limits = { s->house.journal_size,
	    s->house.journal_keep, s->house.journal_age / 1000 };
	struct slice why;
	struct journal *j = journal_open(s->state.dir, "journal", &limits,
	    s->a, &why);

	if (j == NULL) {
		log_warning("%.*s", SLICE_ARG(why));
		return;
	}
	journal_write(j, event);
	journal_close(j);
	/* The timer's user goes on with what root has begun. */
	for (int i = 0; i < 2; i++)
		if (fchownat(s->state.fd, files[i], s->state.uid, s->state.gid,
		    AT_SYMLINK_NOFOLLOW) != 0 && errno != EPERM &&
		    errno != ENOENT)
			log_warning("%s/%s: %s", s->state.dir, files[i],
			    strerror(errno));
}

static void
log_result(struct sync *s, enum rc rc)
{
	const struct directory_diff *d = &s->diff;
	struct log_line line;

	if (rc != RC_OK) {
		log_warning("directory sync by %s: nothing was changed: %.*s",
		    who(s->a), SLICE_ARG(log_safe(s->a, s->why, LOG_VALUE)));
		return;
	}
	log_begin(&line, s->a, SLICE("directory"));
	log_pairf(&line, "by", "%s", who(s->a));
	log_pairf(&line, "addresses", "%zu", d->after);
	log_pairf(&line, "added", "%zu", d->added);
	log_pairf(&line, "removed", "%zu", d->removed);
	log_pairf(&line, "changed", "%zu", d->changed);
	log_pairf(&line, "contradictions", "%zu", s->book->contradictions);
	if (s->forced)
		log_pairf(&line, "forced", "yes");
	log_end(&line, s->written ? SLICE("synced") : SLICE("as it was"));
}

/* What others may read later: last or failed, the journal, the log. */
static void
leave(struct sync *s, enum rc rc)
{
	struct buf event = buf_in(s->a);
	struct slice why;
	struct json w;

	if (s->dry || s->state.fd < 0)
		return;
	json_init(&w, &event);
	json_event(s, &w, rc);
	if (s->written || rc != RC_OK)
		journal(s, buf_slice(&event));
	buf_addc(&event, '\n');
	if (gens_told(&s->state, rc == RC_OK, buf_slice(&event), &why) !=
	    RC_OK)
		log_warning("%.*s", SLICE_ARG(why));
	log_result(s, rc);
}

static void
print_notes(struct sync *s)
{
	const struct book *b = s->book;

	if (s->json) {
		json_key(&s->w, "notes");
		json_begin_array(&s->w);
		for (size_t i = 0; i < b->nnotes; i++)
			json_text(&s->w, b->notes[i]);
		json_end(&s->w);
		return;
	}
	for (size_t i = 0; i < b->nnotes; i++) {
		buf_adds(&s->out, "note: ");
		buf_add(&s->out, verb_safe(s->a, b->notes[i]));
		buf_addc(&s->out, '\n');
	}
	if (b->more_notes > 0)
		buf_addf(&s->out, "note: %zu more of these\n", b->more_notes);
	for (unsigned i = 1; i < b->nsources; i++)
		if (b->sources[i].skipped > 10)
			buf_addf(&s->out, "note: %s: %zu addresses in all were "
			    "passed over\n", b->sources[i].name,
			    b->sources[i].skipped);
}

static void
print_counts(struct sync *s)
{
	const struct directory_diff *d = &s->diff;

	if (s->json) {
		json_put_int(&s->w, "addresses", (int64_t)d->after);
		json_put_int(&s->w, "added", (int64_t)d->added);
		json_put_int(&s->w, "removed", (int64_t)d->removed);
		json_put_int(&s->w, "changed", (int64_t)d->changed);
		json_put_int(&s->w, "contradictions",
		    (int64_t)s->book->contradictions);
		json_put_int(&s->w, "generation", (int64_t)s->state.number);
		json_put_bool(&s->w, "written", s->written);
		return;
	}
	buf_addf(&s->out, "%zu addresses: %zu added, %zu removed, %zu "
	    "changed%s\n", d->after, d->added, d->removed, d->changed,
	    s->dry ? " (nothing was written)" : s->written ? "" :
	    " (as it was)");
}

static int
answer(struct sync *s, enum rc rc)
{
	int status = EX_OK;

	if (s->book != NULL)
		print_notes(s);
	if (rc == RC_OK)
		print_counts(s);
	if (s->json) {
		json_put_bool(&s->w, "ok", rc == RC_OK);
		if (rc != RC_OK)
			json_put(&s->w, "error", s->why);
		json_end(&s->w);
		buf_addc(&s->out, '\n');
	}
	status = verb_print(&s->out);
	if (rc == RC_OK)
		return status;
	return verb_fails(verb_status(rc), "directory: %.*s",
	    SLICE_ARG(verb_safe(s->a, s->why)));
}

int
directory_sync(struct sync *s)
{
	int status = directory_load(s);
	enum rc rc;

	if (status != EX_OK)
		return status;
	if (!s->conf.configured)
		return verb_fails(EX_CONFIG, "directory: directory.conf names "
		    "no sources; gatehouse directory --sample prints one");
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	log_open("gatehouse-directory", s->house.syslog);
	if (s->json) {
		json_pretty(&s->w);
		json_begin_object(&s->w);
	}
	rc = gens_open(&s->state, arena_printf(s->a, "%s/directory",
	    s->house.state_directory).ptr, s->dry, s->a, &s->why);
	if (rc == RC_OK) {
		rc = make(s);
		leave(s, rc);
	}
	status = answer(s, rc);
	if (!s->dry)
		gens_abandon(&s->state);
	if (s->fd >= 0)
		close(s->fd);
	directory_book_free(s->book);
	buf_free(&s->line);
	gens_close(&s->state);
	return status;
}

