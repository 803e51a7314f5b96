/* Is Postfix set up as the recipe says, and if not, what was it good for? */
#include <string.h>
#include <unistd.h>

#include "tools/doctor-chain.h"
#include "tools/maincf-edit.h"
#include "tools/postfix-files.h"

enum { MUST, SHOULD, MAY, NOTE_MUST, NOTE, CONTRADICTS, EDITED };

static const struct doctor_kind kinds[] = {
	[MUST] = { "must", DOCTOR_CRITICAL,
	    "Otherwise mail is lost, goes out in the clear or passes "
	    "unfiltered." },
	[SHOULD] = { "should", DOCTOR_WARNING,
	    "Otherwise a promise is not kept, or an attack is easier." },
	[MAY] = { "may", DOCTOR_INFO, "It is more comfortable so." },
	[NOTE_MUST] = { "cannot", DOCTOR_WARNING,
	    "The recipe cannot do it: it must be done elsewhere." },
	[NOTE] = { "note", DOCTOR_INFO,
	    "The recipe cannot do it; it is better done elsewhere." },
	[CONTRADICTS] = { "contradicts", DOCTOR_CRITICAL,
	    "As long as options contradict each other there is no recipe to "
	    "compare Postfix with, nor to set it up by." },
	[EDITED] = { "edited", DOCTOR_WARNING,
	    "postfix-config neither overwrites nor takes out what somebody "
	    "else changed, so it does nothing any more." },
	{ NULL, 0, NULL }
};

/* "300s" is "5m". */
static bool
same_word(struct slice a, struct slice b)
{
	int64_t x, y;

	return slice_eq(a, b) || (a.len > 0 && b.len > 0 &&
	    ascii_alpha(a.ptr[a.len - 1]) && ascii_alpha(b.ptr[b.len - 1]) &&
	    postconf_time(a, 's', &x) && postconf_time(b, 's', &y) && x == y);
}

/* Lists are the same however they are parted. */
static bool
same_value(struct slice a, struct slice b, bool first)
{
	struct slice x, y;
	bool braced_x, braced_y;

	for (;;) {
		bool more_a = postconf_word(&a, &x, &braced_x);
		bool more_b = postconf_word(&b, &y, &braced_y);

		if (!more_a)
			return !more_b;
		if (!more_b)
			return first;
		if (braced_x && braced_y) {
			if (!same_value(x, y, false))
				return false;
		} else if (braced_x != braced_y || !same_word(x, y)) {
			return false;
		}
	}
}

static const struct postconf_service *
find_service(const struct postconf *pc, const char *service, struct arena *a)
{
	for (size_t i = 0; i < pc->nservices; i++) {
		const struct postconf_service *s = &pc->services[i];
		struct slice name = arena_printf(a, "%.*s/%.*s",
		    SLICE_ARG(s->name), SLICE_ARG(s->type));

		if (recipe_same_service(name, slice_of(service)))
			return s;
	}
	return NULL;
}

/* What a difference means. Where nobody asked for the recipe (there is neither
 * a postfix.conf nor a mark of postfix-config) it is advice: one step less. */
static unsigned
severity(const struct doctor_report *r, const struct recipe_entry *e)
{
	const struct doctor *d = r->doctor;
	bool asked = d->applied || (d->conf_dir != NULL && access(arena_printf(
	    r->arena, "%s/postfix.conf", d->conf_dir).ptr, F_OK) == 0);

	if (asked || e->severity == RECIPE_MAY)
		return (unsigned)e->severity;
	return e->name == NULL && e->file == RECIPE_MASTER ? MAY :
	    (unsigned)e->severity + 1;
}

/* Of the recipe; NULL: it says nothing. */
static const char *
recipe_value(const struct recipe *recipe, const char *name)
{
	for (size_t i = 0; i < recipe->nentries; i++)
		if (recipe->entries[i].file == RECIPE_MAIN &&
		    strcmp(recipe->entries[i].name, name) == 0)
			return recipe->entries[i].value;
	return NULL;
}

/* The lists of milters stand in parameters of ours: those count as the recipe
 * has them, whatever main.cf says. Which one it is, or NULL. */
static const char *
our_list(const struct recipe_entry *e)
{
	static const char *const lists[] = { "gatehouse_inbound",
	    "gatehouse_outbound" };

	for (int i = 0; i < 2; i++)
		if (e->value[0] == '$' && slice_starts(slice_of(e->value + 1),
		    slice_of(lists[i])))
			return lists[i];
	return NULL;
}

static struct slice
wanted(struct doctor_report *r, const struct recipe *recipe,
    const struct recipe_entry *e, const struct postconf_service *s)
{
	const char *list = our_list(e);
	struct slice text = slice_of(e->value);

	/* What stands behind it is the administrator's. */
	if (list != NULL && recipe_value(recipe, list) != NULL)
		text = slice_of(recipe_value(recipe, list));
	return postconf_expand(r->doctor->postfix, s, text, r->arena);
}

/* Is it as it should be? */
static bool
is_right(struct doctor_report *r, const struct recipe *recipe,
    const struct recipe_entry *e, const struct postconf_service *s)
{
	const struct postconf *pc = r->doctor->postfix;
	struct slice is = postconf_get(pc, s, slice_of(e->name));

	/* What stands there only when nothing else does is nobody's fault. */
	if (e->mode == RECIPE_DEFAULT)
		return true;
	/* Nobody refers to it: then those that should are told of. */
	if (is.ptr == NULL && slice_starts(slice_of(e->name),
	    SLICE("gatehouse_")))
		return true;
	return same_value(postconf_expand(pc, s, is, r->arena),
	    wanted(r, recipe, e, s), e->mode == RECIPE_FIRST ||
	    our_list(e) != NULL);
}

/* What it should be, in words. */
static const char *
should_be(struct doctor_report *r, const struct recipe_entry *e)
{
	if (our_list(e) != NULL)
		return doctor_type(r, "begins with \"$%s\"", our_list(e));
	return doctor_type(r, "%s \"%s\"", e->mode == RECIPE_FIRST ?
	    "begins with" : "has", e->value);
}

/* As arguments of postconf -e. A limit of all mail above that of mailboxes
 * stops local(8), so they are set together. */
static const char *
set_main(struct doctor_report *r, const struct recipe *recipe,
    const struct recipe_entry *e, struct slice is)
{
	static const char *const limits[] = { "mailbox_size_limit",
	    "virtual_mailbox_limit" };
	struct buf out = buf_in(r->arena);

	buf_adds(&out, doctor_shell(r, arena_printf(r->arena,
	    e->mode == RECIPE_FIRST && is.len > 0 ? "%s=%s, %.*s" : "%s=%s",
	    e->name, e->value, SLICE_ARG(is))));
	for (int i = 0; i < 2 && strcmp(e->name, "message_size_limit") == 0;
	    i++)
		if (recipe_value(recipe, limits[i]) != NULL)
			buf_addf(&out, " %s=%s", limits[i], recipe_value(
			    recipe, limits[i]));
	return arena_str(r->arena, buf_slice(&out));
}

static void
compare_main(struct doctor_report *r, const struct recipe *recipe,
    const struct recipe_entry *e)
{
	struct slice is = postconf_main(r->doctor->postfix, e->name);

	if (is_right(r, recipe, e, NULL))
		return;
	doctor_say(r, severity(r, e), our_list(e) != NULL ?
	    chain_mend_list(r, NULL, e->name, true) : chain_mend(r,
	    doctor_type(r, "postconf%s -e %s && postfix%s reload",
	    doctor_instance(r), set_main(r, recipe, e, is),
	    doctor_instance(r))), "%s is \"%.*s\", the recipe %s: %s", e->name,
	    SLICE_ARG(is), should_be(r, e), e->reason);
}

static void
compare_option(struct doctor_report *r, const struct recipe *recipe,
    const struct recipe_entry *e, const struct postconf_service *s)
{
	struct slice is = postconf_get(r->doctor->postfix, s,
	    slice_of(e->name));
	const char *set = arena_printf(r->arena, "%.*s/%.*s/%s=%.*s",
	    SLICE_ARG(s->name), SLICE_ARG(s->type), e->name, SLICE_ARG(
	    postconf_packed(slice_of(e->value), r->arena))).ptr;

	if (is_right(r, recipe, e, s))
		return;
	doctor_say(r, severity(r, e), our_list(e) != NULL ?
	    chain_mend_list(r, s, e->name, strcmp(our_list(e),
	    "gatehouse_outbound") == 0) : chain_mend(r, doctor_type(r,
	    "postconf%s -P %s && postfix%s reload", doctor_instance(r),
	    doctor_shell(r, slice_of(set)), doctor_instance(r))),
	    "%s of %s is \"%.*s\", the recipe %s: %s", e->name, e->service,
	    SLICE_ARG(is), should_be(r, e), e->reason);
}

/* A service that is not there, with all of its options in one line: without
 * them it would be a door that nobody guards. */
static void
miss_service(struct doctor_report *r, const struct recipe *recipe, size_t at)
{
	const struct recipe_entry *e = &recipe->entries[at];
	const char *dir = doctor_instance(r);
	struct slice name = slice_of(e->service);
	struct buf before = buf_in(r->arena), out = buf_in(r->arena);

	name.len = slice_find_last(name, '/');
	buf_addf(&out, "postconf%s -M %s", dir, doctor_shell(r, arena_printf(
	    r->arena, "%s=%.*s %s", e->service, SLICE_ARG(name), e->value)));
	for (size_t i = at + 1; i < recipe->nentries; i++) {
		const struct recipe_entry *o = &recipe->entries[i];

		if (o->file != RECIPE_MASTER || o->name == NULL)
			break;
		if (our_list(o) != NULL && recipe_value(recipe, our_list(o)) !=
		    NULL)
			buf_addf(&before, "postconf%s -e %s && ", dir,
			    doctor_shell(r, arena_printf(r->arena, "%s=%s",
			    our_list(o), recipe_value(recipe, our_list(o)))));
		buf_addf(&out, " && postconf%s -P %s", dir, doctor_shell(r,
		    arena_printf(r->arena, "%s/%s=%.*s", e->service, o->name,
		    SLICE_ARG(postconf_packed(slice_of(o->value),
		    r->arena)))));
	}
	buf_add(&before, buf_slice(&out));
	doctor_say(r, severity(r, e), chain_mend(r, doctor_type(r, "%.*s && "
	    "postfix%s reload", (int)before.len, before.ptr, dir)),
	    "master.cf has no service %s: %s", e->service, e->reason);
}

/* Comments say who wrote it; what counts is the rest. */
static bool
file_holds(struct doctor_report *r, const char *path, struct slice want)
{
	struct slice text = SLICE(""), line, why;
	struct buf rest = buf_in(r->arena);
	bool there = false;

	if (file_read(r->arena, path, &text, &there, &why) != RC_OK || !there)
		return false;
	while (slice_line(&text, &line)) {
		if (slice_starts(line, SLICE("#")))
			continue;
		buf_add(&rest, line);
		buf_addc(&rest, '\n');
	}
	return slice_eq(buf_slice(&rest), want);
}

/* Each line of it as a word for a shell. */
static const char *
words(struct doctor_report *r, struct slice text)
{
	struct buf out = buf_in(r->arena);
	struct slice line;

	while (slice_line(&text, &line))
		buf_addf(&out, " %s", doctor_shell(r, line));
	return arena_str(r->arena, buf_slice(&out));
}

static void
compare_map(struct doctor_report *r, const struct recipe_entry *e)
{
	struct slice dir = postconf_value(r->doctor->postfix, NULL,
	    "config_directory", r->arena);
	const char *path = arena_printf(r->arena, "%.*s/gatehouse/%s",
	    SLICE_ARG(dir), e->service).ptr;

	if (!file_holds(r, path, slice_of(e->value)))
		doctor_say(r, severity(r, e), chain_mend(r, doctor_type(
		    r, "mkdir -p %.*s/gatehouse && printf '%%s\\n'%s > %s",
		    SLICE_ARG(dir), words(r, cf_map_text(r->arena, e)),
		    doctor_shell(r, slice_of(path)))), "%s is not there, or "
		    "is not what it should be: %s", path, e->reason);
}

static void
compare(struct doctor_report *r, const struct recipe *recipe, bool notes)
{
	const struct postconf_service *service = NULL;

	for (size_t i = 0; i < recipe->nentries; i++) {
		const struct recipe_entry *e = &recipe->entries[i];

		switch (e->file) {
		case RECIPE_MAIN:
			compare_main(r, recipe, e);
			break;
		case RECIPE_MAP:
			compare_map(r, e);
			break;
		case RECIPE_MASTER:
			if (e->name != NULL) {
				if (service != NULL)
					compare_option(r, recipe, e,
					    service);
				break;
			}
			/* Its options are told when it is there. */
			service = find_service(r->doctor->postfix, e->service,
			    r->arena);
			if (service == NULL)
				miss_service(r, recipe, i);
			break;
		}
	}
	for (size_t i = 0; notes && i < recipe->nnotes; i++) {
		const struct recipe_note *n = &recipe->notes[i];

		doctor_say(r, n->severity == RECIPE_MUST ? NOTE_MUST : NOTE,
		    NULL, "%s: %s", n->about, n->text);
	}
	doctor_saw(r, "%zu settings, tables and services",
	    recipe->nentries);
}

static void
run(struct doctor_report *r)
{
	struct recipe recipe;
	struct slice why = SLICE(""), edited = SLICE("");
	enum rc rc = chain_recipe(r, &recipe, &edited, &why);

	if (rc == RC_RETRY) {
		doctor_unseen(r, "%.*s", SLICE_ARG(why));
		return;
	}
	if (edited.len > 0)
		doctor_say(r, EDITED, "# put back what stood in the lines with "
		    "-, and write what you want below the marks, or into "
		    "postfix.conf", "%.*s", SLICE_ARG(edited));
	/* What notes say of main.cf is not known where it was edited. */
	if (rc == RC_OK)
		compare(r, &recipe, edited.len == 0);
	else
		doctor_say(r, CONTRADICTS, doctor_type(r,
		    "# correct the options that it names, in postfix.conf or "
		    "gatehouse.conf; see gatehouse-postfix.conf(5)"),
		    "%.*s", SLICE_ARG(why));
}

const struct doctor_check doctor_recipe = {
	"recipe", "compares main.cf and master.cf, line for line, with what "
	"gatehouse postfix-config would write", kinds,
	DOCTOR_HOUSE | DOCTOR_POSTFIX, run,
};
