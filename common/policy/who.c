/* Who somebody is, and what the directory knows of him (policy/policy.h). */
#include <string.h>

#include "policy/room.h"
#include "text/address.h"

static bool
find_record(const struct policy *p, char letter, struct slice key,
    struct file_record *r, struct slice *value_r, enum rc *rc_r)
{
	bool found = false;

	if (key.ptr == NULL)
		return false;
	*rc_r = file_get(p->file, letter, key, value_r, &found);
	if (*rc_r == RC_OK && found && !file_unpack_record(*value_r, r))
		*rc_r = RC_RETRY;
	return *rc_r == RC_OK && found;
}

static void
take_record(struct policy_who *who, const struct file_record *r,
    struct slice value, struct slice exact)
{
	bool other = r->exact.ptr != NULL && !slice_eq(r->exact, exact);

	who->set = other ? r->other_set : r->set;
	who->origin = other ? r->other_origin : r->origin;
	who->client = r->client;
	who->profile = r->profile;
	who->transport = r->transport;
	who->ours = (r->kind & MAP_OURS) != 0;
	who->known = (r->kind & (MAP_MAILBOX | MAP_ALIAS)) != 0;
	who->alias = (r->kind & MAP_ALIAS) != 0;
	who->record = value;
}

/* Whose mail an alias is, when one mailbox gets all of it. Its members are
 * normalised; a loop ends at the depth. */
static enum rc
follow_alias(const struct policy *p, struct policy_who *who,
    struct file_record r)
{
	enum rc rc = RC_OK;

	for (int i = 0; i < ALIAS_DEPTH && (r.kind & MAP_ALIAS) != 0 &&
	    (r.kind & MAP_NAMED) == 0; i++) {
		struct unpack u = { .rest = r.members };
		struct slice member = unpack_slice(&u), value;

		if (u.bad || u.rest.len > 0 ||
		    !find_record(p, 'a', member, &r, &value, &rc))
			return rc;
		if ((r.kind & MAP_MAILBOX) != 0) {
			take_record(who, &r, value, r.exact);
			who->address = member;
			who->domain = slice_after(member,
			    slice_find_last(member, '@') + 1);
		}
	}
	return rc;
}

static enum rc
find_in_map(const struct policy *p, struct policy_who *who)
{
	const struct scope_subject *s = &who->subject;
	struct slice exact = s->exact, value;
	struct file_record r;
	enum rc rc = RC_OK;

	if (find_record(p, 'a', s->address, &r, &value, &rc)) {
		take_record(who, &r, value, exact);
		return follow_alias(p, who, r);
	}
	if (rc == RC_OK && !slice_eq(s->address, s->plain) &&
	    find_record(p, 'a', s->plain, &r, &value, &rc)) {
		exact.len -= s->address.len - s->plain.len;
		take_record(who, &r, value, exact);
		return follow_alias(p, who, r);
	}
	if (rc == RC_OK && (find_record(p, 'd', s->domain, &r, &value, &rc) ||
	    (rc == RC_OK && find_record(p, '0', SLICE(""), &r, &value, &rc))))
		take_record(who, &r, value, exact);
	else if (rc == RC_OK)
		rc = RC_RETRY;
	return rc;
}

enum rc
policy_find(const struct policy *p, struct arena *a, struct slice address,
    struct policy_who *who_r)
{
	const struct slice *client;

	*who_r = (struct policy_who){ .client = SLICE_NONE, .arena = a };
	scope_subject(a, address, p->match, &who_r->subject);
	who_r->address = who_r->subject.plain;
	who_r->domain = who_r->subject.domain;
	if (p->file != NULL)
		return find_in_map(p, who_r);
	client = who_r->domain.ptr != NULL ?
	    map_get(p->domains, who_r->domain) : NULL;
	who_r->ours = client != NULL;
	if (client != NULL)
		who_r->client = who_r->subject.client = *client;
	return RC_OK;
}

enum rc
policy_client(const struct policy *p, struct arena *a, struct slice client,
    struct policy_who *who_r)
{
	struct file_record r;
	struct slice value;
	enum rc rc = RC_OK;

	*who_r = (struct policy_who){ .client = client, .arena = a,
	    .subject = { .client = client } };
	if (p->file == NULL)
		return RC_OK;
	if (find_record(p, 'k', client, &r, &value, &rc) || (rc == RC_OK &&
	    find_record(p, '0', SLICE(""), &r, &value, &rc))) {
		take_record(who_r, &r, value, SLICE(""));
		who_r->client = client;
		return RC_OK;
	}
	return RC_RETRY;
}

struct slice
policy_login(const struct policy *p, struct arena *a, struct slice login)
{
	struct slice local, domain, value;
	bool found = false;

	if (login.len > 0 && address_split(login, &local, &domain) &&
	    local.len > 0)
		return login;
	if (login.len == 0 || p->file == NULL ||
	    file_get(p->file, 'l', login, &value, &found) != RC_OK || !found)
		return SLICE_NONE;
	return arena_copy(a, value);
}

struct slice
who_names(const struct policy_who *who, enum scope_level level)
{
	switch (level) {
	case SCOPE_USER:
		return who->address;
	case SCOPE_PROFILE:
		return who->profile;
	case SCOPE_DOMAIN:
		return who->domain;
	case SCOPE_CLIENT:
		return who->client;
	default:
		return SLICE("");
	}
}

/* ---- the directory ---- */

struct slice
policy_attribute(const struct policy *p, const struct policy_who *who,
    const char *name)
{
	struct file_record r;
	struct unpack u;

	if (p->file == NULL || who->record.ptr == NULL ||
	    !file_unpack_record(who->record, &r))
		return SLICE_NONE;
	u = (struct unpack){ .rest = r.attrs };
	while (u.rest.len > 0 && !u.bad) {
		struct slice key = unpack_slice(&u), value = unpack_slice(&u);

		if (!u.bad && slice_eq(key, slice_of(name)))
			return value;
	}
	return SLICE_NONE;
}

struct expanding {
	const struct policy *p;
	struct arena *arena;
	struct map *seen;
	struct slice *members;
	size_t n;
};

/* Recursion is bounded by ALIAS_DEPTH, its breadth by MEMBERS_MAX. */
static enum rc
expand(struct expanding *e, struct slice address, int depth)
{
	struct file_record r = { .kind = 0 };
	struct slice value;
	enum rc rc = RC_OK;
	struct unpack u;

	if (map_put(e->seen, address, e) != NULL)
		return RC_OK;
	if (!find_record(e->p, 'a', address, &r, &value, &rc) ||
	    (r.kind & MAP_ALIAS) == 0) {
		if (rc == RC_OK && e->n == MEMBERS_MAX)
			return RC_BAD;
		if (rc == RC_OK)
			e->members[e->n++] = arena_copy(e->arena, address);
		return rc;
	}
	if (depth == ALIAS_DEPTH || map_count(e->seen) > 2 * MEMBERS_MAX)
		return RC_BAD;
	u = (struct unpack){ .rest = r.members };
	while (rc == RC_OK && u.rest.len > 0) {
		struct slice member = unpack_slice(&u);

		rc = u.bad ? RC_RETRY : expand(e, member, depth + 1);
	}
	return rc;
}

enum rc
policy_members(const struct policy *p, struct arena *a, struct slice address,
    struct slice **members_r, size_t *n_r)
{
	struct expanding e = { .p = p, .arena = a };
	struct scope_subject s;
	struct slice key, value;
	struct file_record r;
	enum rc rc = RC_OK;

	*members_r = arena_array(a, 1, sizeof **members_r);
	**members_r = address;
	*n_r = 1;
	scope_subject(a, address, p->match, &s);
	key = s.address;
	if (p->file == NULL || key.ptr == NULL)
		return RC_OK;
	if (!find_record(p, 'a', key, &r, &value, &rc) && rc == RC_OK)
		key = s.plain;
	if (rc == RC_OK && (!find_record(p, 'a', key, &r, &value, &rc) ||
	    (r.kind & MAP_ALIAS) == 0))
		return rc;
	if (rc != RC_OK)
		return rc;
	e.members = arena_array(a, MEMBERS_MAX, sizeof *e.members);
	e.seen = map_new();
	rc = expand(&e, key, 0);
	map_free(e.seen);
	/* Nothing but a loop: its mail goes where it was sent to. */
	if (rc == RC_OK && e.n > 0) {
		*members_r = e.members;
		*n_r = e.n;
	}
	return rc;
}
