#include "milter/release.h"

#include <string.h>

void
release_take(struct session *s, struct slice body)
{
	struct mark *mark = arena_alloc(s->arena, sizeof *mark);

	if (s->seal.release == NULL && mark_read(body,
	    slice_make(s->set->key.bytes, s->set->key.len), clock_wall(),
	    s->arena, mark) == RC_OK)
		s->seal.release = mark;
}

static void
take_origin(struct session *s, const struct mark *mark)
{
	struct client *c = &s->origin;

	c->ip = mark->client_ip;
	c->name = mark->client_name;
	c->helo = mark->helo;
	c->user = mark->user;
	c->tls = mark->tls;
	s->seal.client = *c;
	s->seal.direction = mark->outbound ? DIRECTION_OUT : DIRECTION_IN;
}

static bool
for_somebody(const struct session *s, const struct mark *mark)
{
	const struct envelope *e = &s->envelope;

	for (size_t i = 0; i < e->nrecipients; i++)
		if (mark_has(mark, e->recipients[i].address))
			return true;
	return false;
}

void
release_check(struct session *s)
{
	struct mark *mark = s->seal.release;
	bool body = session_has_body(s);
	struct object_meta is;

	/* One from the seal has an origin already, and no header digest. */
	if (mark == NULL || (mark->head_sha256[0] == '\0' &&
	    (mark->body_sha256[0] == '\0' || !body)))
		return;
	if (!for_somebody(s, mark) ||
	    object_digests(&is, s->msg->head, s->msg->body) != RC_OK ||
	    (mark->head_sha256[0] != '\0' &&
	    strcmp(is.head_sha256, mark->head_sha256) != 0) ||
	    (body && strcmp(is.body_sha256, mark->body_sha256) != 0)) {
		s->seal.release = NULL;
		return;
	}
	if (mark->head_sha256[0] != '\0')
		take_origin(s, mark);
	mark->head_sha256[0] = '\0';
	if (body)
		mark->body_sha256[0] = '\0';
}

bool
release_unread(const struct session *s)
{
	const struct mark *mark = s->seal.release;
	const struct envelope *e = &s->envelope;

	if (mark == NULL || mark->cause != CAUSE_POISON)
		return false;
	for (size_t i = 0; i < e->nrecipients; i++)
		if (!mark_has(mark, e->recipients[i].address))
			return false;
	return e->nrecipients > 0;
}
