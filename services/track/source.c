#include "services/track/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "journal/event.h"
#include "journal/journal.h"
#include "log/log.h"
#include "services/track/child.h"
#include "track/follow.h"

enum { LOG_LONGEST = 32768, PASS = 20000, SAY_EVERY = 60 * 1000 };

struct source {
	enum { SOURCE_LOG, SOURCE_JOURNAL, SOURCE_JOURNALD } kind;
	char *name, *dir, *file;
	const struct postfix_names *names;
	struct follow *follow;
	struct child *child;
	struct stamp stamp;
	int64_t since;			/* seconds */
	bool peeked, busy;
	int64_t ms;
	struct postfix_line line;	/* of a log */
	struct slice text;		/* of a journal */
	json_t *event;
	char place[FOLLOW_PLACE];	/* as it was asked for last */
	char cursor[600];		/* of what was peeked */
	char done[600];			/* of what was taken */
	uint64_t lost, torn;
	int64_t said;
};

static struct source *
make(int kind, const char *name, int64_t since)
{
	struct source *s = mem_alloc(sizeof *s);

	memset(s, 0, sizeof *s);
	s->kind = (unsigned)kind;
	s->name = strdup(name);
	s->since = since;
	s->said = -SAY_EVERY;
	return s;
}

struct source *
source_log(const char *path, const struct postfix_names *names, int64_t since)
{
	struct source *s = make(SOURCE_LOG, path, since);
	const char *slash = strrchr(path, '/');

	s->names = names;
	s->dir = slash == path ? strdup("/") :
	    strndup(path, (size_t)(slash - path));
	s->file = strdup(slash + 1);
	source_at(s, SLICE(""));
	return s;
}

struct source *
source_journal(const char *dir, const char *name, int64_t since)
{
	struct source *s = make(SOURCE_JOURNAL, name, since);

	s->dir = strdup(dir);
	s->file = strdup("journal.json");
	source_at(s, SLICE(""));
	return s;
}

struct source *
source_journald(const char *journalctl, const struct postfix_names *names,
    int64_t since)
{
	struct source *s = make(SOURCE_JOURNALD, "journald", since);

	s->names = names;
	s->child = child_new(journalctl, since);
	return s;
}

void
source_free(struct source *s)
{
	if (s == NULL)
		return;
	json_decref(s->event);
	follow_free(s->follow);
	child_free(s->child);
	free(s->name);
	free(s->dir);
	free(s->file);
	free(s);
}

const char *
source_name(const struct source *s)
{
	return s->name;
}

bool
source_busy(const struct source *s)
{
	return s->peeked || s->busy;
}

static void
unpeek(struct source *s)
{
	json_decref(s->event);
	s->event = NULL;
	s->peeked = false;
}

void
source_at(struct source *s, struct slice place)
{
	unpeek(s);
	s->busy = false;
	if (s->kind == SOURCE_JOURNALD) {
		snprintf(s->done, sizeof s->done, "%.*s", SLICE_ARG(place));
		child_stop(s->child, place);
		return;
	}
	follow_free(s->follow);
	s->follow = follow_new(s->dir, s->file, s->kind == SOURCE_JOURNAL ?
	    JOURNAL_LINE : LOG_LONGEST, s->since);
	if (place.len > 0 && !follow_from(s->follow, place))
		log_warning("%s: the place in track.db makes no sense; it is "
		    "read from its beginning", s->name);
	s->lost = 0;
}

const char *
source_place(struct source *s)
{
	if (s->kind == SOURCE_JOURNALD)
		return s->done;
	if (s->peeked)
		follow_before(s->follow, s->place);
	else
		follow_place(s->follow, s->place);
	return s->place;
}

/* What is wrong with a source is said once a minute. */
static bool
may_say(struct source *s)
{
	if (clock_mono() - s->said < SAY_EVERY)
		return false;
	s->said = clock_mono();
	return true;
}

static void
say(struct source *s, const char *what)
{
	if (may_say(s))
		log_warning("%s: %s", s->name, what);
}

/* A journal's line as an event with its time. */
static bool
event_of(struct source *s, struct slice line)
{
	char text[64];
	struct slice when;

	if (slice_trim(line).len == 0)
		return false;
	s->event = event_read(line);
	if (s->event == NULL) {
		s->torn++;
		return false;
	}
	when = event_text(s->event, "@timestamp");
	snprintf(text, sizeof text, "%.*s ", (int)(when.len < 60 ? when.len :
	    60), when.len > 0 ? when.ptr : "");
	when = slice_of(text);
	if (stamp_read(&s->stamp, &when, &s->ms)) {
		s->text = line;
		return true;
	}
	json_decref(s->event);
	s->event = NULL;
	s->torn++;
	return false;
}

static bool
useful(const struct source *s, enum postfix_kind kind)
{
	return kind > POSTFIX_OTHER && s->ms >= s->since * 1000;
}

static bool
peek_file(struct source *s)
{
	struct slice line;

	for (int n = 0; n < PASS; n++) {
		switch (follow_next(s->follow, &line)) {
		case FOLLOW_TROUBLE:
			say(s, follow_why(s->follow));
			return false;
		case FOLLOW_END:
			return false;
		case FOLLOW_LINE:
			break;
		}
		if (follow_lost(s->follow) != s->lost) {
			s->lost = follow_lost(s->follow);
			log_warning("%s: what was read before is gone; lines "
			    "may be missing", s->name);
		}
		if (s->kind == SOURCE_JOURNAL) {
			if (event_of(s, line) && s->ms >= s->since * 1000)
				return true;
			json_decref(s->event);
			s->event = NULL;
			continue;
		}
		if (postfix_read(&s->stamp, s->names, line, &s->line) ==
		    POSTFIX_ALIEN)
			continue;
		s->ms = s->line.time;
		if (useful(s, s->line.kind))
			return true;
	}
	s->busy = true;
	return false;
}

static bool
peek_journald(struct source *s)
{
	struct export_entry e;

	for (int n = 0; n < PASS; n++) {
		if (!child_next(s->child, &e))
			return false;
		snprintf(s->cursor, sizeof s->cursor, "%.*s",
		    SLICE_ARG(slice_sub(e.cursor, 0, sizeof s->cursor - 1)));
		s->line = (struct postfix_line){ .time = e.ms };
		s->ms = e.ms;
		if (useful(s, postfix_text(s->names, e.tag, e.pid, e.text,
		    &s->line)))
			return true;
		/* Of no use: passed over for good. */
		memcpy(s->done, s->cursor, sizeof s->done);
	}
	s->busy = true;
	return false;
}

bool
source_peek(struct source *s, int64_t now, int64_t *ms_r)
{
	if (!s->peeked) {
		s->busy = false;
		s->stamp.now = now;
		s->peeked = s->kind == SOURCE_JOURNALD ? peek_journald(s) :
		    peek_file(s);
	}
	*ms_r = s->ms;
	return s->peeked;
}

void
source_take(struct source *s, struct track_book *b)
{
	if (s->kind == SOURCE_JOURNAL)
		book_event(b, s->event, s->text, s->ms);
	else
		book_line(b, &s->line);
	if (s->kind == SOURCE_JOURNALD)
		memcpy(s->done, s->cursor, sizeof s->done);
	unpeek(s);
}
