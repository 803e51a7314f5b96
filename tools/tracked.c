#include "tools/tracked.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/house.h"
#include "tools/dmarc-events.h"

int
tracked_state(const char *config, const char *state, const char **state_r,
    struct arena *a)
{
	struct house_conf house;
	struct conf_section sections[] = { { house_options, &house },
	    { NULL, NULL } };
	struct slice why;

	*state_r = state;
	if (state != NULL)
		return EX_OK;
	if (conf_load(a, verb_house_file(verb_conf_dir(config), a), sections,
	    &why) != RC_OK)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	*state_r = house.state_directory;
	return EX_OK;
}

int
tracked_open(const char *state, struct db **db_r, bool *absent_r,
    struct arena *a)
{
	const char *path = arena_printf(a, "%s/track/track.db", state).ptr;
	struct slice why;

	*db_r = NULL;
	*absent_r = access(path, F_OK) != 0 && errno == ENOENT;
	if (*absent_r)
		return EX_OK;
	if (track_db_open(state, DB_READ, db_r, a, &why) == RC_OK)
		return EX_OK;
	return verb_fails(EX_NOINPUT, "%.*s", SLICE_ARG(why));
}

bool
tracked_when(const char *text, int64_t *ms_r)
{
	static const struct { char unit; int64_t seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
	};
	struct slice s = slice_of(text);
	int64_t seconds;
	uint64_t n;

	if (strcmp(text, "now") == 0) {
		/* This second too. */
		*ms_r = clock_wall() * 1000 + 1000;
		return true;
	}
	for (int i = 0; i < 4; i++) {
		if (s.len < 2 || s.ptr[s.len - 1] != units[i].unit ||
		    !slice_number(slice_sub(s, 0, s.len - 1), 1000000, &n))
			continue;
		*ms_r = (clock_wall() - (int64_t)n * units[i].seconds) * 1000;
		return true;
	}
	if (!dmarc_time_parse(s, &seconds))
		return false;
	*ms_r = seconds * 1000;
	return true;
}

struct slice
tracked_stamp(struct arena *a, int64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	char text[40];
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(text, sizeof text,
	    "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return SLICE("-");
	return arena_printf(a, "%s.%03dZ", text, (int)(ms % 1000));
}

static void
put(struct json *w, const char *key, struct slice value)
{
	if (value.ptr != NULL)
		json_put(w, key, value);
}

void
tracked_json(struct json *w, const struct track_message *m, struct arena *a)
{
	json_put(w, "time", tracked_stamp(a, track_ms(m->mid)));
	json_put(w, "last", tracked_stamp(a, m->last));
	json_put(w, "state", slice_of(track_state_name(m->state)));
	put(w, "queue_id", m->qid);
	put(w, "id", m->gid);
	put(w, "instance", m->instance);
	put(w, "service", m->service);
	put(w, "parent", m->parent);
	put(w, "relation", m->relation);
	put(w, "direction", m->direction);
	put(w, "from", m->sender);
	put(w, "message_id", m->msgid);
	put(w, "subject", m->subject);
	put(w, "client", m->client);
	put(w, "ip", m->ip);
	put(w, "helo", m->helo);
	put(w, "user", m->user);
	put(w, "tls", m->tls);
	if (m->size >= 0)
		json_put_int(w, "size", m->size);
	if (m->nrcpt >= 0)
		json_put_int(w, "nrcpt", m->nrcpt);
}

void
tracked_json_rcpt(struct json *w, const struct track_recipient *r,
    struct arena *a)
{
	json_put(w, "to", r->rcpt);
	put(w, "original", r->orig);
	json_put(w, "fate", slice_of(track_end_name(r->fate)));
	json_put_bool(w, "final", track_end_final(r->fate));
	json_put(w, "fate_time", tracked_stamp(a, r->t));
	put(w, "relay", r->relay);
	put(w, "dsn", r->dsn);
	put(w, "reply", r->reply);
	put(w, "relay_tls", r->tls);
	put(w, "next_queue_id", r->next);
	json_put_int(w, "tries", r->tries);
	if (r->delay >= 0)
		json_put_int(w, "delay_ms", r->delay);
}
