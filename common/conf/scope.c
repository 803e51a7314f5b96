#include "conf/scope.h"

#include <stdlib.h>
#include <string.h>

#include "conf/scope-read.h"
#include "text/address.h"

static const char *const level_names[SCOPE_LEVELS] = {
	[SCOPE_DEFAULT] = "default",
	[SCOPE_CLIENT] = "client",
	[SCOPE_DOMAIN] = "domain",
	[SCOPE_PROFILE] = "profile",
	[SCOPE_USER] = "user",
};

const char *
scope_level_name(enum scope_level level)
{
	return level_names[level];
}

struct slice
scope_key(struct arena *a, const char *kind, struct slice name)
{
	struct buf b = buf_in(a);

	buf_adds(&b, kind);
	buf_addc(&b, ' ');
	buf_add(&b, name);
	return buf_slice(&b);
}

static struct slice
lower(struct arena *a, struct slice s)
{
	struct slice copy = arena_copy(a, s);
	char *p = (char *)(uintptr_t)copy.ptr;

	for (size_t i = 0; i < copy.len; i++)
		p[i] = ascii_lower(p[i]);
	return copy;
}

static struct slice
joined(struct arena *a, struct slice local, struct slice domain)
{
	struct buf b = buf_in(a);

	buf_add(&b, local);
	buf_addc(&b, '@');
	buf_add(&b, domain);
	return buf_slice(&b);
}

/* Where an extension begins; the length where there is none. As in Postfix, a
 * local part does not begin with one. */
static size_t
before_extension(struct slice local, char delimiter)
{
	size_t at = delimiter != '\0' ? slice_find(local, delimiter) :
	    local.len;

	return at == 0 ? local.len : at;
}

void
scope_subject(struct arena *a, struct slice address,
    struct scope_match match, struct scope_subject *who_r)
{
	struct slice local, domain, folded;
	size_t len;

	*who_r = (struct scope_subject){ .client = SLICE_NONE,
	    .case_sensitive = match.case_sensitive };
	if (!address_split(address, &local, &domain))
		return;
	if (!domain_ascii(a, domain, &who_r->domain))
		who_r->domain = lower(a, domain);
	local = address_unquote(a, local);
	if (local.len == 0)
		return;
	who_r->exact = local;
	folded = lower(a, local);
	len = before_extension(folded, match.delimiter);
	who_r->address = joined(a, folded, who_r->domain);
	who_r->plain = joined(a, slice_sub(folded, 0, len), who_r->domain);
}

struct slice
scope_address(struct arena *a, struct slice address, struct scope_match match)
{
	struct scope_subject who;
	size_t len;

	scope_subject(a, address, match, &who);
	if (who.plain.ptr == NULL || !match.case_sensitive)
		return who.plain;
	len = before_extension(who.exact, match.delimiter);
	return joined(a, slice_sub(who.exact, 0, len), who.domain);
}

/* A key of up to this length is put together on the stack. */
enum { KEY_MAX = 1024 };

static const struct scope_member *
member(const struct scopes *scopes, const char *kind, struct slice name)
{
	char key[KEY_MAX];
	size_t len = strlen(kind);

	/* No scope has a name that long (scope-read.c). */
	if (name.ptr == NULL || len + 1 + name.len > sizeof key)
		return NULL;
	memcpy(key, kind, len);
	key[len] = ' ';
	memcpy(key + len + 1, name.ptr, name.len);
	return map_get(scopes->index, slice_make(key, len + 1 + name.len));
}

/* The same, and the letters are the same too where that counts; the extension
 * of the subject's is not looked at when plain. */
static const struct scope *
user_member(const struct scopes *scopes, const char *kind,
    const struct scope_subject *who, bool plain)
{
	const struct scope_member *m = member(scopes, kind,
	    plain ? who->plain : who->address);
	struct slice exact = who->exact;

	if (m == NULL)
		return NULL;
	if (plain)
		exact.len -= who->address.len - who->plain.len;
	if (who->case_sensitive && !slice_eq(exact, m->exact))
		return NULL;
	return m->scope;
}

static const struct scope *
of_user(const struct scopes *scopes, const char *kind,
    const struct scope_subject *who)
{
	const struct scope *s = user_member(scopes, kind, who, false);

	return s != NULL ? s : user_member(scopes, kind, who, true);
}

static const struct scope *
named(const struct scopes *scopes, const char *kind, struct slice name)
{
	const struct scope_member *m = member(scopes, kind, name);

	return m != NULL ? m->scope : NULL;
}

/* The scope of each level that concerns him, or NULL. */
static void
levels_of(const struct scopes *scopes, const struct scope_subject *who,
    const struct scope *levels[SCOPE_LEVELS])
{
	levels[SCOPE_DEFAULT] = &scopes->base;
	levels[SCOPE_CLIENT] = who->client.ptr != NULL ?
	    named(scopes, "client", who->client) :
	    named(scopes, "of-client", who->domain);
	levels[SCOPE_DOMAIN] = named(scopes, "domain", who->domain);
	levels[SCOPE_PROFILE] = who->profile.ptr != NULL ?
	    named(scopes, "profile", who->profile) :
	    of_user(scopes, "of-profile", who);
	levels[SCOPE_USER] = of_user(scopes, "user", who);
}

void
scope_levels(const struct scopes *scopes, const struct scope_subject *who,
    struct scope_levels *levels_r)
{
	*levels_r = (struct scope_levels){ { NULL } };
	if (scopes != NULL)
		levels_of(scopes, who, levels_r->at);
}

static const struct scope_setting *
setting_of(const struct scope *scope, const struct conf_option *o)
{
	const struct scope_setting *s = scope != NULL ? scope->settings : NULL;

	while (s != NULL && s->option != o)
		s = s->next;
	return s;
}

/* The level that decides about o, and its setting; NULL: the default's. */
static const struct scope_setting *
decides(const struct scope *const levels[SCOPE_LEVELS],
    const struct conf_option *o, enum scope_level *level_r, bool *final_r)
{
	const struct scope_setting *found = NULL, *s;

	*level_r = SCOPE_DEFAULT;
	*final_r = false;
	for (int i = SCOPE_DEFAULT; i < SCOPE_LEVELS && !*final_r; i++) {
		s = setting_of(levels[i], o);
		if (s == NULL)
			continue;
		*final_r = s->final;
		if (s->value != NULL) {
			found = s;
			*level_r = (enum scope_level)i;
		}
	}
	return found;
}

static void
put(const struct scope_setting *s, void *conf)
{
	memcpy((char *)conf + s->option->offset, s->value,
	    conf_field_size(conf_kind_of(s->option)));
}

void
scope_resolve(const struct scopes *scopes, const struct scope_subject *who,
    void *conf)
{
	const struct scope *levels[SCOPE_LEVELS];

	if (scopes == NULL)
		return;
	levels_of(scopes, who, levels);
	for (int i = SCOPE_CLIENT; i < SCOPE_LEVELS; i++) {
		if (levels[i] == NULL)
			continue;
		for (const struct scope_setting *s = levels[i]->settings;
		    s != NULL; s = s->next) {
			enum scope_level level;
			bool final;

			if (s->value != NULL &&
			    decides(levels, s->option, &level, &final) == s)
				put(s, conf);
		}
	}
}

void
scope_explain(const struct scopes *scopes, const struct scope_subject *who,
    const char *option, struct scope_why *why_r)
{
	const struct scope *levels[SCOPE_LEVELS];
	const struct conf_option *o = scopes != NULL ? scopes->options : NULL;

	*why_r = (struct scope_why){ .level = SCOPE_DEFAULT,
	    .name = SLICE(""), .where = SLICE("") };
	while (o != NULL && o->name != NULL && strcmp(o->name, option) != 0)
		o++;
	if (o == NULL || o->name == NULL)
		return;
	levels_of(scopes, who, levels);
	if (decides(levels, o, &why_r->level, &why_r->final) == NULL)
		return;
	why_r->name = levels[why_r->level]->name;
	why_r->where = levels[why_r->level]->where;
}

enum rc
scope_each(const struct scopes *scopes, const void *defaults, size_t size,
    enum rc (*visit)(struct slice where, const void *conf, void *arg),
    void *arg)
{
	const struct scope *scope = scopes != NULL ? scopes->first : NULL;
	enum rc rc = RC_OK;
	void *conf;

	if (scope == NULL)
		return RC_OK;
	conf = mem_alloc(size);
	for (; scope != NULL && rc == RC_OK; scope = scope->next) {
		memcpy(conf, defaults, size);
		for (const struct scope_setting *s = scope->settings;
		    s != NULL; s = s->next)
			if (s->value != NULL)
				put(s, conf);
		rc = visit(scope->where, conf, arg);
	}
	free(conf);
	return rc;
}

size_t
scope_count(const struct scopes *scopes)
{
	return scopes != NULL ? scopes->count : 0;
}
