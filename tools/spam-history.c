/*
 * gatehouse spam history: what the daemons know of a sender.
 *
 * Each daemon that hosts antispam has a history of its own, in its folder below
 * state_directory: all are asked, and an address is forgotten in all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "milters/antispam/history.h"
#include "text/address.h"
#include "text/json.h"
#include "tools/spam.h"

enum { FOLDERS = 100 };

/* Calls visit for each history there is. */
static int
each(const char *state, bool write, struct arena *a,
    void (*visit)(struct history *h, const char *folder, void *arg),
    void *arg)
{
	struct dirent **entries;
	int n = scandir(state, &entries, NULL, alphasort), status = EX_OK;

	if (n < 0)
		return verb_fails(EX_NOINPUT, "%s: %s", state,
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		const char *dir = arena_printf(a, "%s/%s", state, name).ptr;
		struct history *h = NULL;
		struct slice why;

		if (name[0] != '.' && i < FOLDERS && access(arena_printf(a,
		    "%s/history", dir).ptr, F_OK) == 0) {
			h = history_map(dir, write, a, &why);
			if (h == NULL)
				status = verb_fails(EX_NOINPUT, "%.*s",
				    SLICE_ARG(why));
		}
		if (h != NULL)
			visit(h, arena_printf(a, "%s", name).ptr, arg);
		history_drop(h);
		free(entries[i]);
	}
	free(entries);
	return status;
}

/* Of an address, or of a domain alone. */
static bool
read_who(struct arena *a, const char *text, struct history_who *who_r)
{
	struct slice local, domain, ascii, why, org;
	struct suffixes *suffixes;
	bool address = address_split(slice_of(text), &local, &domain) &&
	    local.len > 0;

	*who_r = (struct history_who){ SLICE_NONE, SLICE_NONE };
	if (!domain_ascii(a, address ? domain : slice_of(text), &ascii))
		return false;
	suffixes = suffixes_open("", a, &why);
	org = suffixes != NULL ? suffixes_org(suffixes, ascii) : SLICE_NONE;
	who_r->domain = arena_copy(a, org.ptr != NULL ? org : ascii);
	suffixes_close(suffixes);
	if (address)
		who_r->address = history_address(a, address_unquote(a, local),
		    ascii);
	return true;
}

/* ---- showing ---- */

struct shown {
	struct spam_options *o;
	struct history_who who;
	struct json w;
	unsigned found;
};

static struct slice
day(struct arena *a, int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	char text[32];

	if (gmtime_r(&t, &tm) == NULL)
		return SLICE("?");
	strftime(text, sizeof text, "%Y-%m-%d", &tm);
	return arena_copy(a, slice_of(text));
}

static void
show_json(struct shown *s, struct slice name, const struct history_view *v,
    const char *folder)
{
	struct arena *a = s->o->a;

	json_begin_object(&s->w);
	json_put(&s->w, "daemon", slice_of(folder));
	json_put(&s->w, "name", name);
	json_put(&s->w, "since", day(a, v->first));
	json_put(&s->w, "last", day(a, v->last));
	json_put_int(&s->w, "messages", v->messages);
	json_put_int(&s->w, "spam", v->spam);
	json_put_int(&s->w, "days", v->days);
	json_put_int(&s->w, "recipients", v->recipients);
	json_put_int(&s->w, "written", v->sent);
	json_put_int(&s->w, "accounts", v->accounts);
	json_end(&s->w);
}

static void
show(struct shown *s, struct slice name, const struct history_view *v,
    const char *folder)
{
	struct arena *a = s->o->a;
	struct buf *out = &s->o->out;

	if (name.ptr == NULL || !v->known)
		return;
	s->found++;
	if (s->o->json) {
		show_json(s, name, v, folder);
		return;
	}
	buf_addf(out, "%.*s (%s): since %.*s, last %.*s; ", SLICE_ARG(name),
	    folder, SLICE_ARG(day(a, v->first)), SLICE_ARG(day(a, v->last)));
	buf_addf(out, "%u messages on %u days, %u of them spam, to about %u "
	    "of yours", v->messages, v->days, v->spam, v->recipients);
	if (v->sent > 0)
		buf_addf(out, "; written to %u times, last %.*s", v->sent,
		    SLICE_ARG(day(a, v->sent_last)));
	if (v->accounts > 0)
		buf_addf(out, "; has named %u accounts", v->accounts);
	buf_addc(out, '\n');
}

static void
show_one(struct history *h, const char *folder, void *arg)
{
	struct shown *s = arg;
	struct history_view address, domain;

	history_look(h, &s->who, &address, &domain);
	show(s, s->who.address, &address, folder);
	show(s, s->who.domain, &domain, folder);
}

int
spam_history(struct spam_options *o, const char *name)
{
	struct shown s = { .o = o };
	int status;

	if (!read_who(o->a, name, &s.who))
		return verb_fails(EX_USAGE, "spam history: \"%s\" is no "
		    "address and no domain", name);
	json_init(&s.w, &o->out);
	if (o->json)
		json_begin_array(&s.w);
	status = each(o->house.state_directory, false, o->a, show_one, &s);
	if (o->json)
		json_end(&s.w);
	if (status != EX_OK)
		return status;
	if (s.found == 0 && !o->json)
		buf_addf(&o->out, "%s: nothing is known\n", name);
	if (o->json)
		buf_addc(&o->out, '\n');
	status = verb_print(&o->out);
	return status != EX_OK || s.found > 0 ? status : EXIT_UNEXPECTED;
}

/* ---- forgetting ---- */

struct forgetting {
	struct history_who who;
	unsigned n;
};

static void
forget_one(struct history *h, const char *folder, void *arg)
{
	struct forgetting *f = arg;

	(void)folder;
	f->n += history_forget(h, &f->who, false);
}

int
spam_history_forget(const char *state, const char *address, struct arena *a,
    unsigned *n_r)
{
	struct forgetting f = { .n = 0 };
	int status = EX_OK;

	if (read_who(a, address, &f.who))
		status = each(state, true, a, forget_one, &f);
	*n_r = f.n;
	return status;
}
