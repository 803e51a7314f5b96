#include "wait.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/hex.h"
#include "conf/scope.h"
#include "decide.h"
#include "unpack/format.h"

/* ---- classes ---- */

static bool
class_is(struct slice class, const char *kind, struct slice *value_r)
{
	*value_r = slice_after(class, strlen(kind) + 1);
	return slice_starts(class, slice_of(kind)) && class.len >
	    strlen(kind) + 1 && class.ptr[strlen(kind)] == ':';
}

static const char *
bad_class(struct slice class)
{
	struct slice value;

	if (slice_eq(class, SLICE("any")))
		return NULL;
	if (class_is(class, "ext", &value))
		return slice_find(value, '.') < value.len ?
		    "ext: wants an extension without dots, as \"ext:exe\"" :
		    NULL;
	if (class_is(class, "mime", &value))
		return slice_find(value, '/') == value.len ?
		    "mime: wants type and subtype, as \"mime:application/zip\" "
		    "or \"mime:image/*\"" : NULL;
	if (class_is(class, "type", &value))
		return NULL;
	return "classes are \"ext:exe\", \"mime:application/zip\", "
	    "\"type:pe\", or \"any\"";
}

static enum rc
check_list(const char *option, const struct conf_list *list, struct arena *a,
    struct slice *why_r)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *bad = bad_class(list->items[i]);

		if (bad == NULL)
			continue;
		*why_r = arena_printf(a, "%s holds \"%.*s\"; %s", option,
		    SLICE_ARG(list->items[i]), bad);
		return RC_BAD;
	}
	return RC_OK;
}

struct checking {
	struct arena *a;
	struct slice *why;
};

static enum rc
check_lists(struct slice where, const void *arg, void *to)
{
	const struct antivirus_conf *conf = arg;
	struct checking *c = to;

	if (check_list("defer", &conf->defer, c->a, c->why) == RC_OK &&
	    check_list("defer_outbound", &conf->defer_out, c->a, c->why) ==
	    RC_OK && check_list("sandbox", &conf->sandbox, c->a, c->why) ==
	    RC_OK && check_list("sandbox_outbound", &conf->sandbox_out, c->a,
	    c->why) == RC_OK)
		return RC_OK;
	if (where.len > 0)
		*c->why = arena_printf(c->a, "%.*s: %.*s", SLICE_ARG(where),
		    SLICE_ARG(*c->why));
	return RC_BAD;
}

enum rc
wait_check(const struct antivirus_conf *conf, struct arena *a,
    struct slice *why_r)
{
	struct checking c = { a, why_r };

	if (check_lists(SLICE(""), conf, &c) != RC_OK)
		return RC_BAD;
	return scope_each(conf->scopes, conf, sizeof *conf, check_lists, &c);
}

static enum rc
look(struct slice where, const void *arg, void *wanted)
{
	const struct antivirus_conf *conf = arg;

	(void)where;
	if (conf->defer.count + conf->defer_out.count + conf->sandbox.count +
	    conf->sandbox_out.count > 0)
		*(bool *)wanted = true;
	return RC_OK;
}

bool
wait_wanted(const struct antivirus_conf *conf)
{
	bool wanted = false;

	look(SLICE(""), conf, &wanted);
	scope_each(conf->scopes, conf, sizeof *conf, look, &wanted);
	return wanted;
}

/* ---- what an item is ---- */

/* Programs have nothing in them, so they are no format of the unpacker. */
const char *
wait_type(struct slice bytes)
{
	const struct unpack_format *format = unpack_format_of(bytes);

	if (format != NULL)
		return format->name;
	if (slice_starts(bytes, SLICE("MZ")))
		return "pe";
	return slice_starts(bytes, SLICE("\177ELF")) ? "elf" : NULL;
}

static struct slice
extension(const struct ledger_row *row)
{
	struct slice name = row->member ? row->path :
	    row->part->filename.ptr != NULL ? row->part->filename : SLICE("");
	size_t dot;

	/* Windows drops dots and blanks at the end of a name. */
	while (name.len > 0 && (name.ptr[name.len - 1] == '.' ||
	    name.ptr[name.len - 1] == ' '))
		name.len--;
	dot = slice_find_last(name, '.');
	return dot < name.len ? slice_after(name, dot + 1) : SLICE("");
}

static bool
mime_is(const struct part *p, struct slice pattern)
{
	struct slice sub, type = slice_cut(pattern, '/', &sub);

	return slice_eq_nocase(type, p->type) && (slice_eq(sub, SLICE("*")) ||
	    slice_eq_nocase(sub, p->subtype));
}

/* Text that is read as the letter itself is none; a code to log in with is
 * such a text. */
static bool
is_attachment(const struct part *p)
{
	return !part_is(p, "text", NULL) || p->filename.ptr != NULL ||
	    (p->disposition.ptr != NULL &&
	    slice_eq(p->disposition, SLICE("attachment")));
}

static bool
in_class(const struct ledger_row *row, struct slice class)
{
	struct slice value;

	if (slice_eq(class, SLICE("any")))
		return true;
	if (class_is(class, "ext", &value))
		return slice_eq_nocase(value, extension(row));
	if (class_is(class, "mime", &value))
		return !row->member && mime_is(row->part, value);
	return class_is(class, "type", &value) && row->type != NULL &&
	    slice_eq_nocase(value, slice_of(row->type));
}

/* The class that it is of, or nothing. */
static struct slice
class_of(const struct ledger_row *row, const struct conf_list *classes)
{
	if (row->part == NULL || !is_attachment(row->part))
		return SLICE_NONE;
	for (size_t i = 0; i < classes->count; i++)
		if (in_class(row, classes->items[i]))
			return classes->items[i];
	return SLICE_NONE;
}

/* ---- the decision for one set of options ---- */

struct wait {
	enum cause cause;		/* CAUSE_NONE: it passes */
	struct slice reason;
	const struct conf_list *classes;
};

static void
judge_list(const struct ledger *l, const struct conf_list *classes,
    enum cause cause, struct wait *w)
{
	if (w->cause != CAUSE_NONE || classes->count == 0)
		return;
	for (const struct ledger_row *row = l->rows; row != NULL;
	    row = row->next) {
		struct slice class = class_of(row, classes);

		if (class.ptr == NULL)
			continue;
		w->cause = cause;
		w->classes = classes;
		w->reason = arena_printf(l->arena, "%.*s in %.*s",
		    SLICE_ARG(class), SLICE_ARG(slice_sub(row->path, 0, 200)));
		return;
	}
}

static void
judge(const struct job *job, const struct antivirus_conf *conf,
    const struct ledger *l, struct wait *w)
{
	bool out = job->direction == DIRECTION_OUT;

	*w = (struct wait){ .cause = CAUSE_NONE };
	judge_list(l, out ? &conf->sandbox_out : &conf->sandbox,
	    CAUSE_SANDBOX, w);
	judge_list(l, out ? &conf->defer_out : &conf->defer, CAUSE_DEFERRED,
	    w);
}

/* ---- what is submitted ---- */

/* One that is there twice is looked at once. */
static void
add_digest(struct buf *out, struct slice bytes)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	char hex[65];

	if (EVP_Digest(bytes.ptr != NULL ? bytes.ptr : "", bytes.len, sum,
	    NULL, EVP_sha256(), NULL) != 1)
		return;
	hex_write(hex, sum, 32);
	for (size_t at = 0; at + 64 <= out->len; at += 65)
		if (memcmp(out->ptr + at, hex, 64) == 0)
			return;
	if (out->len > 0)
		buf_addc(out, ' ');
	buf_adds(out, out->len < 65 * WAIT_PARTS ? hex : WAIT_MORE);
}

static bool
is_full(const struct buf *out)
{
	return slice_ends(buf_slice(out), SLICE(WAIT_MORE));
}

/* The attachments that are of these classes, or have members that are. */
static void
add_parts(struct buf *out, const struct ledger *l,
    const struct conf_list *classes)
{
	const struct ledger_row *whole = NULL;

	for (const struct ledger_row *row = l->rows; row != NULL &&
	    !is_full(out); row = row->next) {
		if (!row->member)
			whole = row;
		if (whole == NULL || class_of(row, classes).ptr == NULL)
			continue;
		add_digest(out, whole->bytes);
		whole = NULL;		/* its next members add nothing */
	}
}

/* ---- the plan ---- */

enum antivirus_action
wait_action(const struct job *job, enum antivirus_action action)
{
	return job->release != NULL && cause_waits(job->release->cause) &&
	    action == ANTIVIRUS_REJECT ? ANTIVIRUS_QUARANTINE : action;
}

bool
wait_over(const struct job *job)
{
	return job->release != NULL && job->release->last;
}

void
wait_remember(struct plan *p, const struct job *job)
{
	if (job->release == NULL || !job->release->waited)
		return;
	plan_finding(p, MARK_WAITED, SLICE("yes"));
	plan_fact(p, "gatehouse.antivirus.again",
	    slice_of(cause_name(job->release->cause)));
}

static void
set_verdict(struct verdict *v, const struct wait *w)
{
	v->action = QUARANTINE;
	v->cause = w->cause;
	v->rule = cause_name(w->cause);
	v->reason = w->reason;
}

/* Whose options they are: outbound the sender's. */
static const struct antivirus_conf *
conf_of(const struct job *job, size_t i)
{
	const struct antivirus_answers *seen = job->answers;

	return owners_conf(job, &seen->owners, i);
}

static bool
counts(const struct job *job, const struct recipient *r)
{
	return !slice_eq(r->mailer, SLICE("error")) &&
	    (job->release == NULL || !job->release->waited ||
	    !mark_has(job->release, r->address));
}

static bool
same_lists(const struct antivirus_conf *a, const struct antivirus_conf *b)
{
	return a->defer.items == b->defer.items &&
	    a->defer_out.items == b->defer_out.items &&
	    a->sandbox.items == b->sandbox.items &&
	    a->sandbox_out.items == b->sandbox_out.items;
}

static void
tell_parts(struct plan *p, const struct buf *parts)
{
	if (parts->len == 0)
		return;
	plan_finding(p, "sandbox", buf_slice(parts));
	plan_fact(p, "gatehouse.antivirus.sandbox", buf_slice(parts));
}

void
wait_decide(struct plan *p, const struct job *job)
{
	const struct antivirus_answers *seen = job->answers;
	const struct antivirus_conf *his, *before = NULL;
	const struct envelope *e = job->envelope;
	struct buf parts = buf_in(job->arena);
	struct wait w = { .cause = CAUSE_NONE };

	for (size_t i = 0; job->store && i < e->nrecipients; i++) {
		if (plan_verdict(p, i)->action != ACCEPT ||
		    !counts(job, &e->recipients[i]))
			continue;
		his = conf_of(job, i);
		if (before == NULL || !same_lists(his, before)) {
			judge(job, his, &seen->ledger, &w);
			if (w.cause == CAUSE_SANDBOX)
				add_parts(&parts, &seen->ledger, w.classes);
		}
		before = his;
		if (w.cause != CAUSE_NONE)
			set_verdict(plan_recipient(p, i), &w);
	}
	tell_parts(p, &parts);
}
