/*
 * gatehouse spam accounts: whose mail is held, and lets it go on.
 *
 * Each daemon that hosts antispam has a table of its own, in its folder below
 * state_directory: all are shown, and an account is released in all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "text/json.h"
#include "tools/spam.h"

enum { FOLDERS = 100 };

enum accounts_do { ACCOUNTS_LIST, ACCOUNTS_SHOW, ACCOUNTS_RELEASE,
    ACCOUNTS_FORGET };

struct accounts_verb {
	struct spam_options *o;
	enum accounts_do what;
	unsigned entries;
	struct slice name;		/* empty: all that are held */
	struct json w;
	unsigned tables, found;
};

static struct slice
time_text(struct arena *a, int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	char text[32];

	if (when == 0 || gmtime_r(&t, &tm) == NULL)
		return SLICE("-");
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return arena_copy(a, slice_of(text));
}

static bool
is_held(const struct account *e)
{
	return e->blocked != 0 && e->released < e->blocked;
}

static struct slice
why_of(struct arena *a, const struct account *e)
{
	struct buf words = buf_in(a);

	account_words(e, is_held(e) ? e->signs : 0, &words);
	return buf_slice(&words);
}

static void
put_json(struct accounts_verb *v, const struct account *e)
{
	struct arena *a = v->o->a;

	json_begin_object(&v->w);
	json_put(&v->w, "account", slice_of(e->name));
	json_put_bool(&v->w, "held", is_held(e));
	json_put(&v->w, "since", time_text(a, is_held(e) ? e->blocked : 0));
	json_put_int(&v->w, "messages_held", is_held(e) && e->held >= 0 &&
	    e->held < 1e15 ? (int64_t)e->held : 0);
	json_put(&v->w, "first", time_text(a, e->first));
	json_put(&v->w, "last", time_text(a, e->counted));
	json_put(&v->w, "released", time_text(a, e->released));
	json_put(&v->w, "recent", arena_printf(a, "%.1f", e->level[0].recent));
	json_put(&v->w, "usual", arena_printf(a, "%.1f", e->level[0].usual));
	json_put(&v->w, "words", why_of(a, e));
	json_end(&v->w);
}

static void
put_account(const struct account *e, void *arg)
{
	struct accounts_verb *v = arg;
	struct arena *a = v->o->a;
	struct slice name = slice_of(e->name);

	/* A long one is cut in the table. */
	if (v->what == ACCOUNTS_SHOW ? !slice_eq_nocase(name,
	    slice_sub(v->name, 0, ACCOUNT_NAME - 1)) : !is_held(e) &&
	    !v->o->all)
		return;
	v->found++;
	if (v->o->json) {
		put_json(v, e);
		return;
	}
	buf_addf(&v->o->out, "%-8s %-20.*s %6.0f  %.*s: %.*s\n",
	    is_held(e) ? "held" : "free", SLICE_ARG(time_text(a, is_held(e) ?
	    e->blocked : e->counted)), is_held(e) ? e->held : 0,
	    SLICE_ARG(verb_safe(a, name)), SLICE_ARG(why_of(a, e)));
}

/* The table of one daemon; a folder without one is no trouble. */
static int
visit_folder(struct accounts_verb *v, const char *folder)
{
	struct arena *a = v->o->a;
	const char *dir = arena_printf(a, "%s/%s",
	    v->o->house.state_directory, folder).ptr;
	bool reads = v->what == ACCOUNTS_LIST || v->what == ACCOUNTS_SHOW;
	struct accounts *t;
	struct slice why;

	if (access(arena_printf(a, "%s/accounts", dir).ptr, F_OK) != 0 &&
	    errno != EACCES)
		return EX_OK;
	t = accounts_map(dir, v->entries, !reads, a, &why);
	if (t == NULL)
		return verb_fails(EX_NOINPUT, "%.*s", SLICE_ARG(why));
	v->tables++;
	if (reads)
		accounts_each(t, put_account, v);
	else if (v->what == ACCOUNTS_RELEASE)
		v->found += accounts_release(t, v->name, clock_wall(), a);
	else
		v->found += accounts_forget(t, v->name, a);
	accounts_drop(t);
	return EX_OK;
}

static int
visit_all(struct accounts_verb *v)
{
	const char *state = v->o->house.state_directory;
	struct dirent **entries;
	int n = scandir(state, &entries, NULL, alphasort);
	int status = EX_OK;

	if (n < 0)
		return verb_fails(EX_NOINPUT, "%s: %s", state,
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		if (status == EX_OK && entries[i]->d_name[0] != '.' &&
		    i < FOLDERS)
			status = visit_folder(v, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (status == EX_OK && v->tables == 0)
		fprintf(stderr, "gatehouse: %s: no daemon has a table there\n",
		    state);
	return status;
}

static bool
understood(struct accounts_verb *v, int argc, char **argv)
{
	static const char *const words[] = { "list", "show", "release",
	    "forget" };
	int i = 0;

	while (i <= ACCOUNTS_FORGET && (argc < 1 || strcmp(argv[0],
	    words[i]) != 0))
		i++;
	v->what = (enum accounts_do)i;
	v->name = slice_of(argc > 1 ? argv[1] : "");
	return i <= ACCOUNTS_FORGET && argc == (i == ACCOUNTS_LIST ? 1 : 2);
}

int
spam_accounts(struct spam_options *o, int argc, char **argv)
{
	struct accounts_verb v = { .o = o };
	struct antispam_conf conf = { .model = NULL };
	int status;

	if (!understood(&v, argc, argv))
		return verb_fails(EX_USAGE, "spam accounts: list, or show, "
		    "release or forget and an account, is wanted");
	status = spam_own(o, &conf);
	if (status != EX_OK)
		return status;
	v.entries = conf.accounts;
	json_init(&v.w, &o->out);
	json_pretty(&v.w);
	if (o->json)
		json_begin_array(&v.w);
	status = visit_all(&v);
	if (o->json) {
		json_end(&v.w);
		buf_addc(&o->out, '\n');
	}
	if (status == EX_OK && (v.what == ACCOUNTS_LIST ||
	    v.what == ACCOUNTS_SHOW))
		status = verb_print(&o->out);
	return status == EX_OK && v.found == 0 && v.what != ACCOUNTS_LIST ?
	    EXIT_UNEXPECTED : status;
}
