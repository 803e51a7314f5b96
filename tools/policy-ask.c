/* gatehouse policy get, explain, lists: what the policy in use says. */
#include <string.h>
#include <sysexits.h>

#include "policy/lists.h"
#include "text/json.h"
#include "tools/csv.h"
#include "tools/policy.h"
#include "tools/verb.h"

/* One address, one option, and all that is said about it. */
struct asked {
	const struct build_table *table;
	const struct conf_option *option;
	struct policy *policy;
	struct policy_who who;
	struct slice value;		/* as it would stand in a file */
	struct slice standard;		/* of who has nothing of his own */
	struct scope_word words[SCOPE_LEVELS];
	size_t nwords, decides;		/* nwords: the default does */
};

static const void *
field(const void *conf, const struct conf_option *o)
{
	return (const char *)conf + o->offset;
}

/* The last that sets it, up to the first that is final. */
static void
find_decider(struct asked *q)
{
	q->decides = q->nwords;
	for (size_t i = 0; i < q->nwords; i++) {
		if (q->words[i].raw.ptr != NULL)
			q->decides = i;
		if (q->words[i].final)
			break;
	}
}

static int
look_up(struct build *b, const char *address, struct asked *q)
{
	const struct build_table *t = q->table;
	void *conf = arena_alloc(b->arena, t->size + 1);
	struct scopes *scopes = build_scopes(t);
	struct slice why = SLICE("the policy map cannot be read");
	enum rc rc = policy_fits(q->policy, &b->house, t->name, t->options,
	    scopes, b->arena, &why);

	memcpy(conf, t->conf, t->size);
	q->standard = conf_shown(b->arena, q->option, field(conf, q->option));
	if (rc == RC_OK)
		rc = policy_find(q->policy, b->arena, slice_of(address),
		    &q->who);
	if (rc == RC_OK)
		rc = policy_settings(q->policy, &q->who, t->name, t->options,
		    scopes, conf, &why);
	if (rc == RC_OK)
		rc = policy_words(q->policy, &q->who, t->name,
		    q->option->name, scopes, q->words, &q->nwords);
	if (rc != RC_OK)
		return verb_fails(verb_status(rc), "%.*s", SLICE_ARG(why));
	q->value = conf_shown(b->arena, q->option, field(conf, q->option));
	find_decider(q);
	return EX_OK;
}

static int
ask(struct build *b, const struct policy_args *args, struct asked *q)
{
	int status;

	*q = (struct asked){ .value = SLICE("") };
	q->table = build_option(b, args->words[1], &q->option);
	if (q->table == NULL)
		return EX_USAGE;
	status = policy_in_use(b, &q->policy);
	if (status == EX_OK)
		status = look_up(b, args->words[0], q);
	return status;
}

/* ---- get ---- */

static void
put_answer(struct json *w, const struct build *b, const struct asked *q,
    const char *address)
{
	json_put(w, "address", slice_of(address));
	if (q->who.address.ptr != NULL)
		json_put(w, "mailbox", q->who.address);
	json_put(w, "option", arena_printf(b->arena, "%s.%s", q->table->name,
	    q->option->name));
	json_put(w, "value", q->value);
}

int
policy_get(struct build *b, const struct policy_args *args)
{
	struct buf out = buf_in(b->arena);
	struct asked q;
	struct json w;
	int status = ask(b, args, &q);

	if (status == EX_OK && args->json) {
		json_init(&w, &out);
		json_begin_object(&w);
		put_answer(&w, b, &q, args->words[0]);
		json_end(&w);
	} else {
		buf_add(&out, verb_safe(b->arena, q.value));
	}
	buf_addc(&out, '\n');
	policy_drop(q.policy);
	return status == EX_OK ? verb_print(&out) : status;
}

/* ---- explain ---- */

static struct slice
level(struct arena *a, const struct scope_word *word)
{
	return word->level == SCOPE_DEFAULT ? SLICE("default") :
	    arena_printf(a, "%s %.*s", scope_level_name(word->level),
	    SLICE_ARG(word->name));
}

/* What became of what word i says, in plain words. */
static struct slice
outcome(struct arena *a, const struct asked *q, size_t i)
{
	const struct scope_word *word = &q->words[i];
	size_t final = 0;

	while (final < q->nwords && !q->words[final].final)
		final++;
	if (i == q->decides)
		return word->final ? SLICE("decides, and is final") :
		    SLICE("decides");
	if (i > final)
		return arena_printf(a, "overruled: %.*s is final",
		    SLICE_ARG(level(a, &q->words[final])));
	if (word->raw.ptr == NULL)
		return i == final ? SLICE("final: nobody more special may say "
		    "something else") : SLICE("final, which a less special "
		    "level was before");
	return arena_printf(a, "overruled by %.*s, which is more special",
	    SLICE_ARG(level(a, &q->words[q->decides])));
}

static void
explain_json(struct buf *out, const struct build *b, const struct asked *q,
    const char *address)
{
	struct json w;

	json_init(&w, out);
	json_begin_object(&w);
	put_answer(&w, b, q, address);
	json_put(&w, "level", slice_of(scope_level_name(
	    q->decides < q->nwords ? q->words[q->decides].level :
	    SCOPE_DEFAULT)));
	json_put(&w, "default", q->standard);
	json_put_bool(&w, "map", policy_has_map(q->policy));
	json_key(&w, "levels");
	json_begin_array(&w);
	for (size_t i = 0; i < q->nwords; i++) {
		const struct scope_word *word = &q->words[i];

		json_begin_object(&w);
		json_put(&w, "level", slice_of(scope_level_name(word->level)));
		json_put(&w, "name", word->name);
		json_put(&w, "where", word->where);
		if (word->raw.ptr != NULL)
			json_put(&w, "value", word->raw);
		json_put_bool(&w, "final", word->final);
		json_put(&w, "outcome", outcome(b->arena, q, i));
		json_end(&w);
	}
	json_end(&w);
	json_end(&w);
	buf_addc(out, '\n');
}

static void
explain_text(struct buf *out, const struct build *b, const struct asked *q,
    const char *address)
{
	struct arena *a = b->arena;

	buf_addf(out, "%s.%s for %.*s: ", q->table->name, q->option->name,
	    SLICE_ARG(verb_safe(a, slice_of(address))));
	buf_add(out, verb_safe(a, q->value));
	buf_addc(out, '\n');
	for (size_t i = q->nwords; i-- > 0;) {
		const struct scope_word *word = &q->words[i];

		if (word->level == SCOPE_DEFAULT && word->raw.ptr == NULL &&
		    !word->final)
			continue;
		buf_addf(out, "  %.*s (%.*s): ", SLICE_ARG(verb_safe(a,
		    level(a, word))), SLICE_ARG(word->where));
		if (word->raw.ptr != NULL) {
			buf_add(out, verb_safe(a, word->raw));
			buf_adds(out, "; ");
		}
		buf_add(out, outcome(a, q, i));
		buf_addc(out, '\n');
	}
	buf_adds(out, "  default: ");
	buf_add(out, verb_safe(a, q->standard));
	buf_adds(out, q->decides == q->nwords ? "; decides\n" : "\n");
	if (!policy_has_map(q->policy))
		buf_addf(out, "  (no map was compiled: the scopes of %s.conf "
		    "count)\n", q->table->name);
}

int
policy_explain(struct build *b, const struct policy_args *args)
{
	struct buf out = buf_in(b->arena);
	struct asked q;
	int status = ask(b, args, &q);

	if (status == EX_OK)
		(args->json ? explain_json : explain_text)(&out, b, &q,
		    args->words[0]);
	policy_drop(q.policy);
	return status == EX_OK ? verb_print(&out) : status;
}

/* ---- lists ---- */

static const char *
word_for(enum listed listed)
{
	return listed == LISTED_ALLOW ? "allow" : listed == LISTED_BLOCK ?
	    "block" : "not listed";
}

static int
say_listed(struct build *b, const struct policy_args *args,
    enum listed listed, struct slice entry)
{
	struct buf out = buf_in(b->arena);
	struct json w;
	int status;

	if (args->json) {
		json_init(&w, &out);
		json_begin_object(&w);
		json_put(&w, "sender", slice_of(args->words[0]));
		json_put(&w, "recipient", slice_of(args->recipient));
		json_put(&w, "result", slice_of(word_for(listed)));
		json_put(&w, "entry", entry);
		json_end(&w);
	} else {
		buf_adds(&out, word_for(listed));
		if (entry.len > 0)
			buf_addf(&out, ": %.*s", SLICE_ARG(verb_safe(b->arena,
			    entry)));
	}
	buf_addc(&out, '\n');
	status = verb_print(&out);
	return status == EX_OK && listed == LISTED_BLOCK ? EXIT_UNEXPECTED :
	    status;
}

int
policy_lists_check(struct build *b, const struct policy_args *args)
{
	struct policy_sender from = { .address = slice_of(args->words[0]),
	    .aligned = args->authenticated };
	enum listed listed = LISTED_NOT;
	struct slice entry = SLICE("");
	struct policy_who who;
	struct policy *p;
	enum rc rc;
	int status;

	if (args->recipient == NULL)
		return verb_fails(EX_USAGE, "policy lists check wants --for "
		    "RECIPIENT");
	if (args->ip != NULL && !ip_parse(slice_of(args->ip), &from.ip))
		return verb_fails(EX_USAGE, "--ip %s: no address", args->ip);
	status = policy_in_use(b, &p);
	if (status != EX_OK)
		return status;
	rc = policy_find(p, b->arena, slice_of(args->recipient), &who);
	if (rc == RC_OK)
		rc = policy_listed(p, &who, &from, &listed, &entry);
	status = rc == RC_OK ? say_listed(b, args, listed, entry) :
	    verb_fails(verb_status(rc), "the policy map cannot be read");
	policy_drop(p);
	return status;
}

static void
export_json(struct json *w, const struct lists_entry *e, struct slice sender)
{
	json_begin_object(w);
	json_put(w, "verdict", slice_of(word_for(e->verdict)));
	json_put(w, "level", e->level == SCOPE_DEFAULT ? SLICE("all") :
	    slice_of(scope_level_name(e->level)));
	json_put(w, "name", e->name);
	json_put(w, "sender", sender);
	json_put(w, "comment", e->comment);
	json_put_int(w, "line", e->line);
	json_end(w);
}

static void
export_csv(struct buf *out, const struct build *b,
    const struct lists_entry *e, struct slice sender)
{
	csv_cell(out, slice_of(word_for(e->verdict)), false);
	csv_cell(out, e->level == SCOPE_DEFAULT ? SLICE("all") :
	    slice_of(scope_level_name(e->level)), false);
	csv_cell(out, e->name, false);
	csv_cell(out, sender, false);
	csv_cell(out, e->comment, false);
	csv_cell(out, arena_printf(b->arena, "%u", e->line), true);
}

int
policy_lists_export(struct build *b, const struct policy_args *args)
{
	static const char *const names[] = { "verdict", "level", "name",
	    "sender", "comment", "line" };
	struct buf out = buf_in(b->arena);
	struct slice text = SLICE("");
	struct lists_entry e;
	struct lists l;
	struct json w;
	int status = b->lists != NULL ? verb_read(b->lists, b->arena, &text) :
	    EX_OK;

	if (status != EX_OK)
		return status;
	json_init(&w, &out);
	if (args->json)
		json_begin_array(&w);
	else
		csv_row(&out, names, 6);
	lists_open(&l, b->arena, b->lists != NULL ? b->lists : "", text);
	while (lists_next(&l, &e)) {
		struct slice sender = arena_printf(b->arena, "%s%.*s",
		    e.kind == 's' ? "." : "", SLICE_ARG(e.sender));

		if (args->json)
			export_json(&w, &e, sender);
		else
			export_csv(&out, b, &e, sender);
	}
	if (l.why.len > 0)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(l.why));
	if (args->json) {
		json_end(&w);
		buf_addc(&out, '\n');
	}
	return verb_print(&out);
}
