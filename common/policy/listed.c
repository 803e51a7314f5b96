/* What allow and block lists of the map say (policy/policy.h). */
#include <netinet/in.h>
#include <string.h>

#include "policy/listed.h"
#include "policy/room.h"

enum { PARENTS = 10, LENGTHS = 2 * (33 + 129) };

size_t
listed_key(char *key, enum scope_level level, struct slice name, char kind,
    struct slice sender)
{
	static const char letters[SCOPE_LEVELS] = { 'a', 'c', 'd', 'p', 'u' };

	if (name.len + sender.len + 3 > LISTED_KEY_MAX)
		return 0;
	key[0] = letters[level];
	if (name.len > 0)
		memcpy(key + 1, name.ptr, name.len);
	key[1 + name.len] = '\0';
	key[2 + name.len] = kind;
	if (sender.len > 0)
		memcpy(key + 3 + name.len, sender.ptr, sender.len);
	return 3 + name.len + sender.len;
}

struct asking {
	const struct policy *p;
	const struct policy_who *who;
	enum scope_level level;
	struct slice name;
	enum listed listed;
	struct slice where, comment;
	enum rc rc;
};

/* One entry, if there is one; whatever it is worth. */
static enum listed
entry(struct asking *q, char letter, char kind, struct slice sender)
{
	char key[LISTED_KEY_MAX];
	size_t len = listed_key(key, q->level, q->name, kind, sender);
	struct unpack u = { .rest = SLICE("") };
	unsigned verdict;
	bool found;

	if (len == 0 || q->rc != RC_OK)
		return LISTED_NOT;
	q->rc = file_get(q->p->file, letter, slice_make(key, len), &u.rest,
	    &found);
	if (q->rc != RC_OK || !found)
		return LISTED_NOT;
	verdict = unpack_u8(&u);
	q->where = unpack_slice(&u);
	q->comment = unpack_slice(&u);
	if (u.bad || verdict > LISTED_BLOCK)
		q->rc = RC_RETRY;
	return q->rc == RC_OK ? (enum listed)verdict : LISTED_NOT;
}

static bool
by_sender(struct asking *q, char kind, struct slice sender, bool aligned)
{
	q->listed = entry(q, 'w', kind, sender);
	return q->listed == LISTED_BLOCK ||
	    (q->listed == LISTED_ALLOW && aligned);
}

static bool
by_domain(struct asking *q, struct slice domain, bool aligned)
{
	if (by_sender(q, 'd', domain, aligned))
		return true;
	for (int i = 0; i < PARENTS && slice_has(domain, '.'); i++) {
		domain = slice_after(domain, slice_find(domain, '.') + 1);
		if (by_sender(q, 's', domain, aligned))
			return true;
	}
	return false;
}

/* The longest prefix that is listed; the map says which lengths are. */
static bool
by_network(struct asking *q, const struct ip *ip)
{
	char key[LISTED_KEY_MAX], family = ip->family == AF_INET ? '4' : '6';
	size_t len = listed_key(key, q->level, q->name, 'n', SLICE(""));
	size_t size = family == '4' ? 4 : 16;
	struct slice lengths;
	bool found;

	if (len == 0 || q->rc != RC_OK)
		return false;
	q->rc = file_get(q->p->file, 'p', slice_make(key, len), &lengths,
	    &found);
	if (q->rc != RC_OK || !found)
		return false;
	for (size_t i = 0; i + 1 < lengths.len && i < LENGTHS; i += 2) {
		struct network net = { *ip, (unsigned char)lengths.ptr[i + 1] };
		char bytes[18];

		if (lengths.ptr[i] != family)
			continue;
		net_mask(&net);
		bytes[0] = family;
		bytes[1] = lengths.ptr[i + 1];
		memcpy(bytes + 2, net.ip.bytes, size);
		q->listed = entry(q, 'n', 'n', slice_make(bytes, 2 + size));
		if (q->listed != LISTED_NOT)
			return true;
	}
	return false;
}

static bool
level_says(struct asking *q, const struct scope_subject *sender,
    const struct policy_sender *from)
{
	if (sender->address.ptr != NULL &&
	    (by_sender(q, 'a', sender->address, from->aligned) ||
	    (!slice_eq(sender->plain, sender->address) &&
	    by_sender(q, 'a', sender->plain, from->aligned))))
		return true;
	if (sender->domain.ptr != NULL &&
	    by_domain(q, sender->domain, from->aligned))
		return true;
	return from->ip.family != 0 && q->level != SCOPE_USER &&
	    by_network(q, &from->ip);
}

enum rc
policy_listed(const struct policy *p, const struct policy_who *who,
    const struct policy_sender *from, enum listed *listed_r,
    struct slice *entry_r)
{
	struct asking q = { .p = p, .who = who, .rc = RC_OK };
	struct scope_subject sender;

	*listed_r = LISTED_NOT;
	*entry_r = SLICE("");
	if (p->file == NULL || !file_header(p->file)->lists)
		return RC_OK;
	scope_subject(who->arena, from->address, p->match, &sender);
	for (int i = SCOPE_USER; i >= SCOPE_DEFAULT; i--) {
		q.level = (enum scope_level)i;
		q.name = who_names(who, q.level);
		if (q.name.ptr == NULL || !level_says(&q, &sender, from))
			continue;
		*listed_r = q.listed;
		*entry_r = q.comment.len == 0 ? q.where :
		    arena_printf(who->arena, "%.*s (%.*s)",
		    SLICE_ARG(q.where), SLICE_ARG(q.comment));
		break;
	}
	return q.rc;
}
