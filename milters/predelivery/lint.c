#include "lint.h"

#include "lint_part.h"
#include "text/field.h"

enum what { OF_ANY, OF_BULK, OF_LISTS };

static const struct {
	const char *id, *text;
	enum what of;
	lint_rule *run;
} rules[LINT_RULES] = {
#define RULE(name, option, id, of, severity, text) \
	[LINT_ ## name] = { id, text, OF_ ## of, lint_ ## option },
	LINT_TABLE(RULE)
#undef RULE
};

const char *
lint_name(unsigned id)
{
	return rules[id].id;
}

const char *
lint_text(unsigned id)
{
	return rules[id].text;
}

const char *
lint_state_name(enum lint_state state)
{
	static const char *const names[] = { "none", "good", "bad",
	    "unknown" };

	return names[state];
}

/* ---- the mail ---- */

size_t
lint_fields(const struct lint_read *r, const char *name, struct slice *value_r)
{
	const struct message *msg = r->m->msg;
	const struct field *f = message_field(msg, slice_of(name), 0);

	*value_r = f != NULL ? field_value(r->m->arena, f) : SLICE_NONE;
	return message_count(msg, slice_of(name));
}

bool
lint_is_role(const struct lint_read *r, struct slice address)
{
	struct slice local, domain;

	return address_split(address, &local, &domain) &&
	    conf_list_has_nocase(&r->m->conf->role_names, local);
}

struct slice
lint_bulk(const struct lint_mail *m)
{
	static const char *const kinds[] = { "bulk", "list", "junk", NULL };

	for (size_t i = 0; i < m->msg->nfields; i++) {
		const struct field *f = &m->msg->fields[i];
		struct slice value;

		if (slice_starts_nocase(f->name, SLICE("List-")))
			return arena_printf(m->arena, "it has the field %.*s",
			    SLICE_ARG(slice_sub(f->name, 0, 60)));
		if (!slice_eq_nocase(f->name, SLICE("Precedence")))
			continue;
		value = field_value(m->arena, f);
		for (size_t k = 0; kinds[k] != NULL; k++)
			if (slice_eq_nocase(value, slice_of(kinds[k])))
				return arena_printf(m->arena, "its Precedence "
				    "is %s", kinds[k]);
	}
	if (m->all > m->conf->bulk_recipients)
		return arena_printf(m->arena, "it has %llu recipients, more "
		    "than %u", (unsigned long long)m->all,
		    m->conf->bulk_recipients);
	return SLICE("");
}

static void
read_from(struct lint_read *r)
{
	const struct message *msg = r->m->msg;

	for (size_t i = 0; i < msg->nfields; i++) {
		struct address_list list;
		struct address address;

		if (!slice_eq_nocase(msg->fields[i].name, SLICE("From")))
			continue;
		r->from_fields++;
		address_open(&list, r->m->arena, msg->fields[i].body);
		while (address_next(&list, &address)) {
			if (r->nfrom < LINT_FROMS)
				r->from[r->nfrom] = address;
			r->nfrom++;
		}
	}
}

static struct slice
domain_of(struct arena *a, struct slice domain)
{
	struct slice ascii;

	return domain.ptr != NULL && domain_ascii(a, domain, &ascii) ? ascii :
	    SLICE_NONE;
}

static void
find_domains(struct lint_read *r)
{
	struct arena *a = r->m->arena;
	struct slice local, domain = SLICE_NONE;

	if (r->m->sender.len > 0 &&
	    address_split(r->m->sender, &local, &domain))
		r->domains.sender = domain_of(a, domain);
	if (r->nfrom > 0)
		r->domains.from = domain_of(a, r->from[0].domain);
}

void
lint_domains_of(const struct lint_mail *m, struct lint_domains *domains_r)
{
	struct lint_read *r = arena_alloc(m->arena, sizeof *r);

	r->m = m;
	read_from(r);
	find_domains(r);
	*domains_r = r->domains;
}

static void
read_mail(const struct lint_mail *m, struct lint_read *r)
{
	struct slice value;

	*r = (struct lint_read){ .m = m, .bulk = lint_bulk(m) };
	r->list = r->bulk.len > 0 && (m->all > 1 ||
	    slice_starts(r->bulk, SLICE("it has the field")));
	read_from(r);
	find_domains(r);
	if (lint_fields(r, "List-Unsubscribe", &value) > 0)
		r->nunsubscribe = list_uris(m->arena, value, r->unsubscribe);
}

/* ---- all rules ---- */

static bool
concerns(const struct lint_read *r, enum what of)
{
	return of == OF_ANY || (of == OF_BULK && r->bulk.len > 0) || r->list;
}

void
lint_run(const struct lint_mail *m, struct lint_result results_r[LINT_RULES])
{
	struct lint_read *r = arena_alloc(m->arena, sizeof *r);

	read_mail(m, r);
	for (unsigned i = 0; i < LINT_RULES; i++) {
		struct lint_result *result = &results_r[i];

		if (!concerns(r, rules[i].of)) {
			*result = (struct lint_result){ LINT_NONE, rules[i].of ==
			    OF_BULK ? SLICE("it is no bulk mail") :
			    SLICE("it is no mail of a list") };
			continue;
		}
		result->state = LINT_GOOD;
		result->why = rules[i].run(r, &result->state);
		if (result->why.ptr == NULL)
			result->why = SLICE("");
		else if (result->state == LINT_GOOD)
			result->state = LINT_BAD;
	}
}

static void
add_name(struct buf *b, unsigned id)
{
	buf_addf(b, "%s%s", b->len > 0 ? ", " : "", rules[id].id);
}

void
lint_judge(const struct outbound_conf *conf,
    const struct lint_result results[LINT_RULES], struct arena *a,
    struct lint_verdict *v)
{
	struct buf warnings = buf_in(a), broken = buf_in(a),
	    unknown = buf_in(a);

	v->refuse = LINT_RULES;
	for (unsigned i = 0; i < LINT_RULES; i++) {
		int severity = conf->lint_rules[i];

		if (severity == SEVERITY_OFF)
			continue;
		if (results[i].state == LINT_UNKNOWN)
			add_name(&unknown, i);
		if (results[i].state != LINT_BAD)
			continue;
		add_name(&broken, i);
		if (severity == SEVERITY_WARN)
			add_name(&warnings, i);
		else if (v->refuse == LINT_RULES)
			v->refuse = i;
	}
	v->warnings = buf_slice(&warnings);
	v->broken = buf_slice(&broken);
	v->unknown = buf_slice(&unknown);
}

/* ---- settings ---- */

static bool
field_name(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (!ascii_alnum(*p) && *p != '-')
			return false;
	return true;
}

enum rc
lint_check(const struct outbound_conf *conf, struct arena *a,
    struct slice *why_r)
{
	if (!field_name(conf->lint_header)) {
		*why_r = arena_printf(a, "lint_header is \"%s\"; it wants "
		    "letters, digits and hyphens, as \"X-Gatehouse-Lint\"",
		    conf->lint_header);
		return RC_BAD;
	}
	if (conf->abuse_address[0] != '\0' &&
	    !address_plain(slice_of(conf->abuse_address))) {
		*why_r = arena_printf(a, "abuse_address is \"%s\"; it wants an "
		    "address, as \"abuse@example.org\"", conf->abuse_address);
		return RC_BAD;
	}
	if (lint_phrases_check("imprint_phrases", &conf->imprint_phrases, a,
	    why_r) != RC_OK || lint_phrases_check("opt_out_phrases",
	    &conf->opt_out_phrases, a, why_r) != RC_OK)
		return RC_BAD;
	for (size_t i = 0; i < conf->dkim_selectors.count; i++) {
		struct slice item = conf->dkim_selectors.items[i], ascii;

		if (domain_ascii(a, item, &ascii))
			continue;
		*why_r = arena_printf(a, "dkim_selectors has \"%.*s\"; it wants "
		    "the name before ._domainkey, as \"mail2026\"",
		    SLICE_ARG(item));
		return RC_BAD;
	}
	return RC_OK;
}
