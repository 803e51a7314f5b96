/* Conditions of a rule, one kind each: what may stand in `when`. */
#include <string.h>

#include "country.h"
#include "language.h"
#include "notice/zone.h"
#include "rules_read.h"
#include "text/address.h"

enum { FIELD_NAME = 100 };

/* How the text of a condition is understood. */
enum matched { PLAIN, ADDRESS };

static enum rc
bad_pattern(struct rules_read *r, const config_setting_t *s, struct slice why)
{
	return tree_bad(r->tree, s, &r->why, "%s: %.*s",
	    s->name != NULL ? s->name : "pattern", SLICE_ARG(why));
}

/* As addresses of mail are compared: A-labels, case aside. */
static struct slice
normal_address(struct rules_read *r, struct slice text)
{
	struct slice local, domain, ascii;

	if (!address_split(text, &local, &domain) ||
	    !domain_ascii(r->rules->arena, domain, &ascii))
		return text;
	return arena_printf(r->rules->arena, "%.*s@%.*s", SLICE_ARG(local),
	    SLICE_ARG(ascii));
}

static enum rc
add_pattern(struct rules_read *r, const config_setting_t *s, struct match *m,
    enum pattern_kind kind, enum matched how, struct slice text)
{
	struct slice why = SLICE("");

	if (how == ADDRESS && kind == PATTERN_EXACT)
		text = normal_address(r, text);
	if (match_add(m, r->rules->arena, kind, text, &why) != RC_OK)
		return bad_pattern(r, s, why);
	return RC_OK;
}

static enum rc
add_patterns(struct rules_read *r, const config_setting_t *s,
    struct match *m, enum pattern_kind kind, enum matched how)
{
	struct conf_list texts;

	if (rules_read_texts(r, s, &texts) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < texts.count; i++)
		if (add_pattern(r, s, m, kind, how, texts.items[i]) != RC_OK)
			return RC_BAD;
	return RC_OK;
}

/* -1: no pattern of that name. */
static int
pattern_of(const char *name, enum matched how)
{
	for (int i = 0; pattern_names[i] != NULL; i++)
		if (strcmp(pattern_names[i], name) == 0)
			return i == PATTERN_DOMAIN && how != ADDRESS ? -1 : i;
	return -1;
}

static enum rc
read_case(struct rules_read *r, const config_setting_t *group,
    struct match *m)
{
	static const struct conf_option yes = { "case", CONF_BOOL, 0, "false",
	    0, 0, "", NULL };
	const config_setting_t *s = config_setting_get_member(group, "case");

	return s == NULL ? RC_OK : tree_value(r->tree, s, &yes,
	    &m->case_sensitive, &r->why);
}

/* A text, a list of texts, or a group of patterns; names of `also` (NULL at
 * its end) in such a group are somebody else's. */
static enum rc
read_match(struct rules_read *r, const config_setting_t *s, enum matched how,
    const char *const *also, struct match *m)
{
	static const char *const known[] = { "exact", "prefix", "suffix",
	    "contains", "wildcard", "regex", "case", NULL };
	static const char *const address[] = { "exact", "prefix", "suffix",
	    "contains", "wildcard", "regex", "case", "domain", NULL };

	if (!config_setting_is_group(s))
		return add_patterns(r, s, m, PATTERN_EXACT, how);
	if (read_case(r, s, m) != RC_OK)
		return RC_BAD;
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *one =
		    config_setting_get_elem(s, (unsigned)i);
		int kind = pattern_of(one->name, how);
		bool others = strcmp(one->name, "case") == 0;

		for (size_t k = 0; also != NULL && also[k] != NULL; k++)
			others = others || strcmp(one->name, also[k]) == 0;
		if (others)
			continue;
		if (kind < 0)
			return tree_unknown(r->tree, one, how == ADDRESS ?
			    address : known, &r->why);
		if (add_patterns(r, one, m, (enum pattern_kind)kind, how) !=
		    RC_OK)
			return RC_BAD;
	}
	return RC_OK;
}

/* ---- one condition each ---- */

/* Words as they stand in a list of choices: bits. */
static enum rc
read_bits(struct rules_read *r, const config_setting_t *s,
    const char *const *words, const unsigned *bits, unsigned *bits_r)
{
	struct conf_list texts;

	if (rules_read_texts(r, s, &texts) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < texts.count; i++) {
		size_t k = 0;

		while (words[k] != NULL && !slice_eq_nocase(texts.items[i],
		    slice_of(words[k])))
			k++;
		if (words[k] == NULL) {
			struct buf all = buf_in(r->a);

			for (k = 0; words[k] != NULL; k++)
				buf_addf(&all, "%s\"%s\"", k > 0 ? ", " : "",
				    words[k]);
			return tree_bad(r->tree, s, &r->why, "%s is \"%.*s\"; "
			    "it wants one or more of %.*s", s->name,
			    SLICE_ARG(texts.items[i]),
			    SLICE_ARG(buf_slice(&all)));
		}
		*bits_r |= bits[k];
	}
	return RC_OK;
}

static enum rc
read_direction(struct rules_read *r, const config_setting_t *s,
    struct leaf *l)
{
	static const char *const words[] = { "in", "out", "internal", NULL };
	static const unsigned bits[] = { RULE_IN, RULE_OUT, RULE_INTERNAL };

	l->kind = LEAF_DIRECTION;
	return read_bits(r, s, words, bits, &l->bits);
}

static enum rc
read_field(struct rules_read *r, const config_setting_t *group,
    const char *which, struct slice *name_r)
{
	const config_setting_t *s = config_setting_get_member(group, which);
	char *low;

	if (s == NULL)
		return tree_bad(r->tree, group, &r->why, "%s has no %s; say "
		    "%s = \"...\";", group->name, which, which);
	if (rules_read_text(r, s, name_r) != RC_OK)
		return RC_BAD;
	if (name_r->len == 0 || name_r->len > FIELD_NAME ||
	    !ascii_all_of(*name_r, "-_."))
		return tree_bad(r->tree, s, &r->why, "%s is \"%.*s\"; it "
		    "wants letters, digits and '-', at most %d", which,
		    SLICE_ARG(*name_r), FIELD_NAME);
	low = arena_str(r->rules->arena, *name_r);
	for (size_t i = 0; i < name_r->len; i++)
		low[i] = ascii_lower(low[i]);
	*name_r = slice_make(low, name_r->len);
	return RC_OK;
}

enum rc
rules_want_group(struct rules_read *r, const config_setting_t *s)
{
	if (config_setting_is_group(s))
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "%s wants a group: { ... }",
	    s->name);
}

static enum rc
read_header(struct rules_read *r, const config_setting_t *s, struct leaf *l)
{
	static const char *const also[] = { "name", NULL };

	l->kind = LEAF_HEADER;
	if (rules_want_group(r, s) != RC_OK ||
	    read_field(r, s, "name", &l->name) != RC_OK)
		return RC_BAD;
	return read_match(r, s, PLAIN, also, &l->match);
}

static enum rc
read_finding(struct rules_read *r, const config_setting_t *s, struct leaf *l)
{
	static const char *const also[] = { "filter", "key", NULL };

	l->kind = LEAF_FINDING;
	if (rules_want_group(r, s) != RC_OK ||
	    read_field(r, s, "filter", &l->name) != RC_OK ||
	    read_field(r, s, "key", &l->key) != RC_OK)
		return RC_BAD;
	return read_match(r, s, PLAIN, also, &l->match);
}

static enum rc
read_subject(struct rules_read *r, const config_setting_t *s, struct leaf *l)
{
	l->kind = LEAF_SUBJECT;
	l->name = SLICE("subject");
	return read_match(r, s, PLAIN, NULL, &l->match);
}

static enum rc
read_address(struct rules_read *r, const config_setting_t *s, struct leaf *l)
{
	if (read_match(r, s, ADDRESS, NULL, &l->match) != RC_OK)
		return RC_BAD;
	if (l->match.n > 0)
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "%s has no pattern; say exact, "
	    "domain, wildcard or another", s->name);
}

static enum rc
read_envelope_sender(struct rules_read *r, const config_setting_t *s,
    struct leaf *l)
{
	l->kind = LEAF_ENVELOPE_SENDER;
	return read_address(r, s, l);
}

static enum rc
read_from(struct rules_read *r, const config_setting_t *s, struct leaf *l)
{
	l->kind = LEAF_FROM;
	return read_address(r, s, l);
}

static enum rc
read_recipient(struct rules_read *r, const config_setting_t *s,
    struct leaf *l)
{
	l->kind = LEAF_RECIPIENT;
	return read_address(r, s, l);
}

static enum rc
read_network(struct rules_read *r, const config_setting_t *s, struct leaf *l)
{
	struct conf_list texts;
	struct network *nets;

	l->kind = LEAF_NETWORK;
	if (rules_read_texts(r, s, &texts) != RC_OK)
		return RC_BAD;
	nets = arena_array(r->rules->arena, texts.count, sizeof *nets);
	for (size_t i = 0; i < texts.count; i++)
		if (!net_parse(texts.items[i], &nets[i]))
			return tree_bad(r->tree, s, &r->why, "network is "
			    "\"%.*s\"; write it as \"192.0.2.0/24\", "
			    "\"2001:db8::/32\" or one address, without bits "
			    "behind the prefix", SLICE_ARG(texts.items[i]));
	l->networks = (struct conf_nets){ nets, texts.count };
	return RC_OK;
}

static enum rc
read_country(struct rules_read *r, const config_setting_t *s, struct leaf *l)
{
	l->kind = LEAF_COUNTRY;
	r->rules->countries = true;
	if (rules_read_texts(r, s, &l->words) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < l->words.count; i++) {
		struct slice w = l->words.items[i];

		if ((w.len == 2 && w.ptr[0] >= 'A' && w.ptr[0] <= 'Z' &&
		    w.ptr[1] >= 'A' && w.ptr[1] <= 'Z') ||
		    slice_eq(w, SLICE("unknown")))
			continue;
		return tree_bad(r->tree, s, &r->why, "country is \"%.*s\"; it "
		    "wants two capital letters (ISO 3166-1), as \"LU\", or "
		    "\"unknown\"", SLICE_ARG(w));
	}
	return RC_OK;
}

static enum rc
read_language(struct rules_read *r, const config_setting_t *s,
    struct leaf *l)
{
	l->kind = LEAF_LANGUAGE;
	if (rules_read_texts(r, s, &l->words) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < l->words.count; i++)
		if (!language_known(l->words.items[i]))
			return tree_bad(r->tree, s, &r->why, "language is "
			    "\"%.*s\", which is not known here; "
			    "gatehouse-rules(5) lists those that are",
			    SLICE_ARG(l->words.items[i]));
	return RC_OK;
}

static enum rc
read_size(struct rules_read *r, const config_setting_t *s, struct leaf *l)
{
	static const char *const known[] = { "over", "under", NULL };
	static const struct conf_option over = { "over", CONF_SIZE, 0, "0", 0,
	    0, "", NULL }, under = { "under", CONF_SIZE, 0, "0", 1, 0, "",
	    NULL };

	l->kind = LEAF_SIZE;
	if (rules_want_group(r, s) != RC_OK)
		return RC_BAD;
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *one =
		    config_setting_get_elem(s, (unsigned)i);
		bool is_over = strcmp(one->name, "over") == 0;

		if (!is_over && strcmp(one->name, "under") != 0)
			return tree_unknown(r->tree, one, known, &r->why);
		if (tree_value(r->tree, one, is_over ? &over : &under,
		    is_over ? &l->over : &l->under, &r->why) != RC_OK)
			return RC_BAD;
	}
	if (config_setting_length(s) == 0)
		return tree_bad(r->tree, s, &r->why, "size says nothing; say "
		    "over or under");
	return RC_OK;
}

static enum rc
read_attachment(struct rules_read *r, const config_setting_t *s,
    struct leaf *l)
{
	static const char *const known[] = { "name", "type", NULL };

	l->kind = LEAF_ATTACHMENT;
	if (s->type == CONFIG_TYPE_BOOL && config_setting_get_bool(s))
		return RC_OK;
	if (!config_setting_is_group(s))
		return tree_bad(r->tree, s, &r->why, "attachment wants true, "
		    "or a group with name or type; for none at all: "
		    "not = { attachment = true; };");
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *one =
		    config_setting_get_elem(s, (unsigned)i);
		bool name = strcmp(one->name, "name") == 0;

		if (!name && strcmp(one->name, "type") != 0)
			return tree_unknown(r->tree, one, known, &r->why);
		if (read_match(r, one, PLAIN, NULL, name ? &l->match :
		    &l->type) != RC_OK)
			return RC_BAD;
	}
	return RC_OK;
}

static enum rc
read_encrypted(struct rules_read *r, const config_setting_t *s,
    struct leaf *l)
{
	static const char *const words[] = { "any", "smime", "pgp", "inline",
	    NULL };
	static const unsigned bits[] = { CRYPTO_ENCRYPTED,
	    CRYPTO_SMIME_ENCRYPTED, CRYPTO_PGP_ENCRYPTED,
	    CRYPTO_INLINE_ENCRYPTED };

	l->kind = LEAF_CRYPTO;
	return read_bits(r, s, words, bits, &l->bits);
}

static enum rc
read_signed(struct rules_read *r, const config_setting_t *s, struct leaf *l)
{
	static const char *const words[] = { "any", "smime", "pgp", "inline",
	    NULL };
	static const unsigned bits[] = { CRYPTO_SIGNED, CRYPTO_SMIME_SIGNED,
	    CRYPTO_PGP_SIGNED, CRYPTO_INLINE_SIGNED };

	l->kind = LEAF_CRYPTO;
	return read_bits(r, s, words, bits, &l->bits);
}

/* ---- schedule ---- */

static enum rc
read_hours(struct rules_read *r, const config_setting_t *s,
    struct schedule *sched)
{
	struct slice text;

	if (rules_read_text(r, s, &text) != RC_OK)
		return RC_BAD;
	if (schedule_hours(text, &sched->from, &sched->until))
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "hours is \"%.*s\"; write it as "
	    "\"08:00-17:30\"", SLICE_ARG(text));
}

static enum rc
read_date(struct rules_read *r, const config_setting_t *s, int64_t *day_r)
{
	struct slice text;

	if (rules_read_text(r, s, &text) != RC_OK)
		return RC_BAD;
	if (schedule_date(text, day_r))
		return RC_OK;
	return tree_bad(r->tree, s, &r->why, "%s is \"%.*s\"; write it as "
	    "\"2026-12-24\"", s->name, SLICE_ARG(text));
}

/* The same zone is read once, so that the same schedule is the same leaf. */
static enum rc
open_zone(struct rules_read *r, const config_setting_t *s, const char *name,
    const struct zone **zone_r)
{
	struct slice why, key = arena_printf(r->a, "zone %s", name);

	*zone_r = map_get(r->leaves, key);
	if (*zone_r != NULL)
		return RC_OK;
	if (zone_open(r->rules->arena, name, zone_r, &why) != RC_OK)
		return tree_bad(r->tree, s, &r->why, "zone: %.*s",
		    SLICE_ARG(why));
	/* The map takes it for a leaf of a key that no leaf has. */
	map_put(r->leaves, key, (void *)(uintptr_t)*zone_r);
	return RC_OK;
}

static enum rc
read_schedule_part(struct rules_read *r, const config_setting_t *s,
    struct schedule *sched)
{
	static const char *const known[] = { "weekdays", "hours", "zone",
	    "first", "last", NULL };
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri",
	    "sat", "sun", NULL };
	static const unsigned bits[] = { 1, 2, 4, 8, 16, 32, 64 };

	if (strcmp(s->name, "weekdays") == 0)
		return read_bits(r, s, days, bits, &sched->weekdays);
	if (strcmp(s->name, "hours") == 0)
		return read_hours(r, s, sched);
	if (strcmp(s->name, "first") == 0)
		return read_date(r, s, &sched->first);
	if (strcmp(s->name, "last") == 0)
		return read_date(r, s, &sched->last);
	return strcmp(s->name, "zone") == 0 ? RC_OK :
	    tree_unknown(r->tree, s, known, &r->why);
}

static enum rc
read_schedule(struct rules_read *r, const config_setting_t *s,
    struct leaf *l)
{
	const config_setting_t *zone;
	struct slice name = SLICE("UTC");
	int n = config_setting_length(s);

	l->kind = LEAF_SCHEDULE;
	if (rules_want_group(r, s) != RC_OK)
		return RC_BAD;
	zone = config_setting_get_member(s, "zone");
	for (int i = 0; i < n; i++)
		if (read_schedule_part(r, config_setting_get_elem(s,
		    (unsigned)i), &l->schedule) != RC_OK)
			return RC_BAD;
	if (n == (zone != NULL))
		return tree_bad(r->tree, s, &r->why, "schedule says no time; "
		    "say weekdays, hours, first or last");
	if (l->schedule.first != 0 && l->schedule.last != 0 &&
	    l->schedule.first > l->schedule.last)
		return tree_bad(r->tree, s, &r->why, "schedule ends before it "
		    "begins; exchange first and last");
	if (zone != NULL && rules_read_text(r, zone, &name) != RC_OK)
		return RC_BAD;
	return open_zone(r, s, name.ptr, &l->schedule.zone);
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	enum rc (*read)(struct rules_read *r, const config_setting_t *s,
	    struct leaf *l);
} conditions[] = {
	{ "direction", read_direction },
	{ "header", read_header },
	{ "subject", read_subject },
	{ "envelope_sender", read_envelope_sender },
	{ "from", read_from },
	{ "recipient", read_recipient },
	{ "network", read_network },
	{ "country", read_country },
	{ "size", read_size },
	{ "attachment", read_attachment },
	{ "encrypted", read_encrypted },
	{ "signed", read_signed },
	{ "language", read_language },
	{ "finding", read_finding },
	{ "schedule", read_schedule },
};

enum { CONDITIONS = sizeof conditions / sizeof conditions[0] };

enum rc
rules_read_leaf(struct rules_read *r, const config_setting_t *s,
    struct leaf *l)
{
	const char *known[CONDITIONS + 4];
	int i = 0;

	while (i < CONDITIONS && strcmp(conditions[i].name, s->name) != 0)
		i++;
	if (i < CONDITIONS)
		return conditions[i].read(r, s, l);
	for (i = 0; i < CONDITIONS; i++)
		known[i] = conditions[i].name;
	known[i++] = "all";
	known[i++] = "any";
	known[i++] = "not";
	known[i] = NULL;
	return tree_unknown(r->tree, s, known, &r->why);
}
