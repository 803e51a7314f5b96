/* Actions of a rule: what may stand in `then`. */
#include <string.h>

#include "rules_read.h"
#include "text/address.h"
#include "text/utf8.h"

enum { TAG = 60, ROUTE = 300, REPLY = 300, FIELD = 900, FIELD_NAME = 100 };

static const char *const known[] = { "quarantine", "discard", "reject",
    "tempfail", "add_recipient", "rewrite_sender", "rewrite_recipient",
    "route", "tag_subject", "add_header", "remove_header", "disclaimer",
    "stop", NULL };

/* The verdict; a rule has one. */
static enum rc
ends(struct rules_read *r, const config_setting_t *s, struct actions *then,
    enum action action)
{
	if (then->ends)
		return tree_bad(r->tree, s, &r->why, "%s and %s in one rule; "
		    "a message can have one of them", s->name,
		    action_name(then->action));
	then->ends = true;
	then->action = action;
	then->cause = CAUSE_POLICY;
	return RC_OK;
}

static enum rc
want_true(struct rules_read *r, const config_setting_t *s)
{
	if (s->type == CONFIG_TYPE_BOOL && config_setting_get_bool(s))
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "%s wants true; what a rule "
	    "does not do is left out", s->name);
}

static enum rc
read_quarantine(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	struct slice cause;

	if (ends(r, s, then, QUARANTINE) != RC_OK)
		return RC_BAD;
	if (s->type == CONFIG_TYPE_BOOL)
		return want_true(r, s);
	if (rules_read_text(r, s, &cause) != RC_OK)
		return RC_BAD;
	if (cause_parse(cause, &then->cause) && then->cause != CAUSE_NONE)
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "quarantine is \"%.*s\"; it "
	    "wants true, or the name of a cause, as \"policy\" or \"dlp\"",
	    SLICE_ARG(cause));
}

static enum rc
read_discard(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	if (ends(r, s, then, DISCARD) != RC_OK)
		return RC_BAD;
	return want_true(r, s);
}

/* "5.7.1 text": an enhanced code of that class, then words. */
static enum rc
read_reply(struct rules_read *r, const config_setting_t *s,
    struct actions *then, char class)
{
	struct slice text, rest, code;

	if (s->type == CONFIG_TYPE_BOOL) {
		then->reply = arena_printf(r->rules->arena, "%c.7.1 message "
		    "%s by a rule of this site", class, class == '5' ?
		    "refused" : "put off");
		return want_true(r, s);
	}
	if (rules_read_text(r, s, &text) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] > '~')
			return tree_bad(r->tree, s, &r->why, "%s is told to "
			    "the client; it wants ASCII", s->name);
	if (text.len == 0 || text.len > REPLY)
		return tree_bad(r->tree, s, &r->why, "%s wants true, or a text "
		    "of at most %d bytes", s->name, REPLY);
	code = slice_cut(text, ' ', &rest);
	if (code.len >= 5 && ascii_digit(code.ptr[0]) && code.ptr[1] == '.') {
		if (code.ptr[0] != class || rest.ptr == NULL)
			return tree_bad(r->tree, s, &r->why, "%s begins with "
			    "%.*s; it wants %c.x.x and a text", s->name,
			    SLICE_ARG(code), class);
		then->reply = text;
		return RC_OK;
	}
	then->reply = arena_printf(r->rules->arena, "%c.7.1 %.*s", class,
	    SLICE_ARG(text));
	return RC_OK;
}

static enum rc
read_reject(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	if (ends(r, s, then, REJECT) != RC_OK)
		return RC_BAD;
	return read_reply(r, s, then, '5');
}

static enum rc
read_tempfail(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	if (ends(r, s, then, TEMPFAIL) != RC_OK)
		return RC_BAD;
	return read_reply(r, s, then, '4');
}

/* ---- the envelope ---- */

/* An address that goes into the envelope as it stands; star: "*@domain", which
 * keeps the local part. */
static enum rc
check_address(struct rules_read *r, const config_setting_t *s,
    struct slice address, bool star)
{
	struct slice local, domain, ascii;

	if (star && slice_starts(address, SLICE("*@")) &&
	    domain_ascii(r->a, slice_after(address, 2), &ascii) &&
	    slice_eq_nocase(ascii, slice_after(address, 2)))
		return RC_OK;
	if (!slice_starts(address, SLICE("*@")) &&
	    address_plain(address) && address_split(address, &local,
	    &domain) && local.len > 0 && domain_ascii(r->a, domain, &ascii))
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "%s is \"%.*s\"; it wants an "
	    "address as \"a@example.org\"%s", s->name, SLICE_ARG(address),
	    star ? ", or \"*@example.org\" to keep what stands before the @" :
	    "");
}

static enum rc
read_add(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	if (rules_read_texts(r, s, &then->add) != RC_OK)
		return RC_BAD;
	if (then->add.count > RULES_ADDED)
		return tree_bad(r->tree, s, &r->why, "add_recipient has %zu "
		    "addresses; a rule may add %d", then->add.count,
		    RULES_ADDED);
	for (size_t i = 0; i < then->add.count; i++)
		if (check_address(r, s, then->add.items[i], false) != RC_OK)
			return RC_BAD;
	return RC_OK;
}

static enum rc
read_sender(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	if (rules_read_text(r, s, &then->sender) != RC_OK)
		return RC_BAD;
	return check_address(r, s, then->sender, true);
}

static enum rc
read_recipient(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	if (rules_read_text(r, s, &then->recipient) != RC_OK)
		return RC_BAD;
	return check_address(r, s, then->recipient, true);
}

/* Postfix takes it apart: a name of master.cf, a colon, where to. */
static enum rc
read_route(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	struct slice transport, to;

	if (rules_read_text(r, s, &then->route) != RC_OK)
		return RC_BAD;
	transport = slice_cut(then->route, ':', &to);
	if (then->route.len <= ROUTE && transport.len > 0 && to.len > 0 &&
	    ascii_all_of(transport, "-_") && ascii_all_of(to, ".-:[]_/"))
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "route is \"%.*s\"; write a "
	    "transport of master.cf and where it goes, as "
	    "\"smtp:[192.0.2.7]:25\"", SLICE_ARG(then->route));
}

/* ---- header fields ---- */

static enum rc
read_tag(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	if (rules_read_text(r, s, &then->tag) != RC_OK)
		return RC_BAD;
	then->tag = slice_trim(then->tag);
	if (then->tag.len > 0 && then->tag.len <= TAG)
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "tag_subject wants a text of 1 "
	    "to %d bytes, as \"[external]\"", TAG);
}

/* Fields that are not for a rule: who wrote what, and what we live by. */
static const char *const forbidden[] = { "Received", "Return-Path",
    "DKIM-Signature", "ARC-Seal", "ARC-Message-Signature",
    "ARC-Authentication-Results", "Authentication-Results", "From", "To",
    "Cc", "Bcc", "Date", "Message-ID", "Subject", "MIME-Version",
    "Content-Type", "Content-Transfer-Encoding", NULL };

static enum rc
check_field(struct rules_read *r, const config_setting_t *s,
    struct slice name)
{
	if (name.len == 0 || name.len > FIELD_NAME ||
	    !ascii_all_of(name, "-_."))
		return tree_bad(r->tree, s, &r->why, "%s names the field "
		    "\"%.*s\"; it wants letters, digits and '-', as "
		    "\"X-Internal: yes\"", s->name, SLICE_ARG(name));
	if (slice_starts_nocase(name, SLICE("X-Gatehouse-")))
		return tree_bad(r->tree, s, &r->why, "%s: fields of the name "
		    "X-Gatehouse-* are the house's own", s->name);
	for (size_t i = 0; forbidden[i] != NULL; i++)
		if (slice_eq_nocase(name, slice_of(forbidden[i])))
			return tree_bad(r->tree, s, &r->why, "%s: %s is not "
			    "for a rule to touch", s->name, forbidden[i]);
	return RC_OK;
}

static struct rule_header *
add_field(struct rules_read *r, struct actions *then, struct slice name)
{
	struct rule_header **last = &then->headers;

	while (*last != NULL)
		last = &(*last)->next;
	*last = arena_alloc(r->rules->arena, sizeof **last);
	(*last)->name = name;
	return *last;
}

static enum rc
read_add_header(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	struct conf_list fields;

	if (rules_read_texts(r, s, &fields) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < fields.count; i++) {
		struct slice value, name = slice_cut(fields.items[i], ':',
		    &value);

		if (check_field(r, s, name) != RC_OK)
			return RC_BAD;
		value = slice_trim(value);
		for (size_t k = 0; k < value.len; k++)
			if (value.ptr[k] < ' ' || value.ptr[k] > '~')
				return tree_bad(r->tree, s, &r->why,
				    "add_header wants ASCII in its value");
		if (value.len == 0 || value.len > FIELD)
			return tree_bad(r->tree, s, &r->why, "add_header is "
			    "\"%.*s\"; write it as \"X-Internal: yes\", at "
			    "most %d bytes", SLICE_ARG(fields.items[i]),
			    FIELD);
		add_field(r, then, name)->body =
		    arena_printf(r->rules->arena, " %.*s", SLICE_ARG(value));
	}
	return RC_OK;
}

static enum rc
read_remove_header(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	struct conf_list fields;

	if (rules_read_texts(r, s, &fields) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < fields.count; i++) {
		if (check_field(r, s, fields.items[i]) != RC_OK)
			return RC_BAD;
		add_field(r, then, fields.items[i]);
	}
	return RC_OK;
}

static enum rc
read_disclaimer(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	return rules_read_texts(r, s, &then->disclaimers);
}

static enum rc
read_stop(struct rules_read *r, const config_setting_t *s,
    struct actions *then)
{
	(void)then;
	return want_true(r, s);
}

static enum rc (*const readers[])(struct rules_read *r,
    const config_setting_t *s, struct actions *then) = { read_quarantine,
    read_discard, read_reject, read_tempfail, read_add, read_sender,
    read_recipient, read_route, read_tag, read_add_header,
    read_remove_header, read_disclaimer, read_stop };

/* Who gets nothing needs no edits. */
static enum rc
check_together(struct rules_read *r, const config_setting_t *group,
    const struct actions *then)
{
	if (then->ends && (then->add.count > 0 || then->sender.ptr != NULL ||
	    then->recipient.ptr != NULL || then->route.ptr != NULL ||
	    then->tag.ptr != NULL || then->headers != NULL ||
	    then->disclaimers.count > 0))
		return tree_bad(r->tree, group, &r->why, "this rule ends with "
		    "%s, and changes a message that nobody gets; take one of "
		    "the two out", action_name(then->action));
	return RC_OK;
}

enum rc
rules_read_then(struct rules_read *r, const config_setting_t *group,
    struct actions *then)
{
	int n = config_setting_length(group);

	if (n == 0)
		return tree_bad(r->tree, group, &r->why, "no action; to end "
		    "the rules here and do nothing, say stop = true");
	for (int i = 0; i < n; i++) {
		const config_setting_t *s =
		    config_setting_get_elem(group, (unsigned)i);
		size_t k = 0;

		while (known[k] != NULL && strcmp(known[k], s->name) != 0)
			k++;
		if (known[k] == NULL)
			return tree_unknown(r->tree, s, known, &r->why);
		if (readers[k](r, s, then) != RC_OK)
			return RC_BAD;
	}
	return check_together(r, group, then);
}

/* ---- in words ---- */

static void
word(struct buf *out, const char *what, struct slice value)
{
	if (out->len > 0)
		buf_adds(out, ", ");
	buf_adds(out, what);
	if (value.len > 0)
		buf_addf(out, " %.*s", SLICE_ARG(value));
}

struct slice
rules_actions_text(struct arena *a, const struct rule *rule)
{
	const struct actions *t = &rule->then;
	struct buf out = buf_in(a);

	if (t->ends)
		word(&out, action_name(t->action), SLICE(""));
	for (size_t i = 0; i < t->add.count; i++)
		word(&out, "add recipient", t->add.items[i]);
	if (t->sender.ptr != NULL)
		word(&out, "rewrite sender to", t->sender);
	if (t->recipient.ptr != NULL)
		word(&out, "rewrite recipient to", t->recipient);
	if (t->route.ptr != NULL)
		word(&out, "route to", t->route);
	if (t->tag.ptr != NULL)
		word(&out, "tag subject", t->tag);
	for (const struct rule_header *h = t->headers; h != NULL; h = h->next)
		word(&out, h->body.ptr != NULL ? "add field" : "remove field",
		    h->name);
	for (size_t i = 0; i < t->disclaimers.count; i++)
		word(&out, "disclaimer", t->disclaimers.items[i]);
	if (!rule->goes_on)
		word(&out, "stop", SLICE(""));
	return buf_slice(&out);
}
