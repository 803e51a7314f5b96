/* Which rules a message meets. */
#include <stdatomic.h>

#include "base/clock.h"
#include "detect/plain.h"
#include "html/links.h"
#include "log/log.h"
#include "rules.h"
#include "text/encoded.h"

enum { URL = 500, HOUR_MS = 3600 * 1000 };

struct look {
	struct spam_hits *hits;
	struct regex_scan *scan;
	struct arena *a;
	size_t left[RULE_WHERES];	/* bytes of each place */
};

/* All rules that look at this kind of text. */
static void
match(struct look *k, enum rule_where where, struct slice text)
{
	const struct spam_rules *rules = k->hits->rules;
	uint64_t may[NEEDS_WORDS];

	text = slice_sub(text, 0, k->left[where]);
	k->left[where] -= where == RULE_LINK ? 0 : text.len;
	if (text.len == 0)
		return;
	needs_look(&rules->needs, text, may);
	for (unsigned i = 0; i < rules->n; i++) {
		struct slice hit;
		size_t at = 0;

		if ((may[i / 64] >> i % 64 & 1) == 0 || rules->rule[i].where != where || k->hits->met[i] ||
		    k->hits->limited[i])
			continue;
		switch (regex_next(rules->rule[i].regex, k->scan, text, &at,
		    &hit)) {
		case REGEX_HIT:
			k->hits->met[i] = true;
			break;
		case REGEX_LIMIT:
			k->hits->limited[i] = true;
			break;
		case REGEX_NONE:
			break;
		}
	}
}

static struct slice
decoded(struct look *k, const struct field *f)
{
	unsigned flags;

	return plain_text(k->a, encoded_decode(k->a, field_value(k->a, f),
	    &flags));
}

static void
match_fields(struct look *k, const struct message *msg)
{
	const struct spam_rules *rules = k->hits->rules;
	const struct field *from = message_field(msg, SLICE("From"), 0);

	if (from != NULL)
		match(k, RULE_FROM, decoded(k, from));
	match(k, RULE_HEAD, msg->head);
	match(k, RULE_BODY, msg->body);
	for (unsigned i = 0; i < rules->n; i++) {
		const struct spam_rule *rule = &rules->rule[i];
		const struct field *f = rule->where == RULE_FIELD ?
		    message_field(msg, rule->field, 0) : NULL;
		struct slice hit;
		size_t at = 0;
		enum regex_found found;

		if (f == NULL)
			continue;
		found = regex_next(rule->regex, k->scan, slice_sub(decoded(k,
		    f), 0, RULES_TEXT), &at, &hit);
		k->hits->met[i] = found == REGEX_HIT;
		k->hits->limited[i] = found == REGEX_LIMIT;
	}
}

static void
match_links(struct look *k, const struct content_text *html)
{
	struct buf url = buf_in(k->a);
	unsigned n;
	const struct html_link *links = content_hrefs(k->a, html, &n);

	for (unsigned i = 0; i < n && i < RULES_LINKS; i++) {
		if (links[i].kind != HTML_LINK_CLICK)
			continue;
		buf_clear(&url);
		html_link_url(html->charset, &links[i], URL, &url);
		match(k, RULE_LINK, buf_slice(&url));
	}
}

static void
match_text(struct look *k, const struct content_text *t)
{
	switch (t->kind) {
	case CONTENT_SUBJECT:
		match(k, RULE_SUBJECT, t->text);
		break;
	case CONTENT_PLAIN:
		match(k, RULE_TEXT, t->text);
		break;
	case CONTENT_HTML:
		match(k, RULE_TEXT, t->text);
		match(k, RULE_HTML, t->markup);
		match_links(k, t);
		break;
	case CONTENT_HIDDEN:
		match(k, RULE_HIDDEN, t->text);
		break;
	case CONTENT_NAME:
		match(k, RULE_FILE, t->text);
		break;
	}
}

struct spam_hits *
spam_rules_look(struct spam_rules *rules, struct message *msg,
    const struct content *content)
{
	struct look k = { .a = msg->arena };
	unsigned texts = 0;

	k.hits = arena_alloc(k.a, sizeof *k.hits);
	k.hits->rules = rules;
	k.scan = regex_scan_new(k.a);
	for (int where = 0; where < RULE_WHERES; where++)
		k.left[where] = RULES_TEXT;
	for (unsigned i = 0; i < rules->n; i++)
		if (rules->rule[i].where == RULE_FACT)
			k.hits->met[i] = rule_fact(rules->rule[i].fact, msg,
			    content);
	match_fields(&k, msg);
	for (const struct content_text *t = content->first; t != NULL &&
	    texts++ < RULES_TEXTS; t = t->next)
		match_text(&k, t);
	return k.hits;
}

/* A regex that hostile text drives into its limits is worth a line, and not one
 * for each message. */
static void
warn(struct spam_rule *rule)
{
	int64_t now = clock_mono(), last = rule->warned;

	if ((last == 0 || now - last >= HOUR_MS) &&
	    atomic_compare_exchange_strong(&rule->warned, &last, now))
		log_warning("rule %s (%.*s) ran into the limit of its regex "
		    "and counts as not met; write it so that it needs less "
		    "backtracking", rule->name, SLICE_ARG(rule->place));
}

void
spam_rules_clues(const struct spam_hits *hits, struct clues *clues)
{
	for (unsigned i = 0; i < hits->rules->n; i++) {
		struct spam_rule *rule = &hits->rules->rule[i];

		if (hits->limited[i])
			warn(rule);
		if (hits->met[i] && rule->weighted)
			clues_add(clues, rule->name, rule->weight, rule->of,
			    rule->words);
	}
}

void
spam_rules_learn(const struct spam_hits *hits, struct arena *a,
    struct features *f)
{
	for (unsigned i = 0; i < hits->rules->n; i++) {
		const struct spam_rule *rule = &hits->rules->rule[i];

		if (hits->met[i] && !rule->weighted)
			features_add(f, a, FAMILY_RULES, rule->name,
			    rule->words);
	}
}

struct slice
spam_rules_words(const struct spam_hits *hits, uint32_t feature)
{
	for (unsigned i = 0; i < hits->rules->n; i++)
		if (hits->met[i] && !hits->rules->rule[i].weighted &&
		    features_hash_of(hits->rules->rule[i].name) == feature)
			return hits->rules->rule[i].words;
	return SLICE_NONE;
}
