#include "milter/files.h"

#include <string.h>

#include "log/log.h"

static bool
gets_it(const struct recipient *r, const struct verdict *v)
{
	return !slice_eq(r->mailer, SLICE("error")) && v->action == ACCEPT;
}

static struct held *
file_of(struct session *s, const struct job *job, const struct outcome *out,
    const struct plan_file *f, const struct verdict *each)
{
	const struct envelope *e = &out->envelope;
	struct held *h = hold_new(s, e, job->filter, &out->verdict);
	struct object_meta *m = &h->meta;

	h->msg = job->msg;
	m->kind = OBJECT_FILE;
	m->cause = CAUSE_ATTACHMENT;
	m->coverage = out->plan->coverage;
	memcpy(m->content, f->token, sizeof m->content);
	m->file = (struct object_file){ .name = f->name, .type = f->type,
	    .expires = f->expires, .uses = f->uses };
	memcpy(m->file.token, f->token, sizeof m->file.token);
	h->bytes = f->bytes;
	for (size_t i = 0; i < e->nrecipients; i++)
		if (gets_it(&e->recipients[i], &each[i]))
			m->recipients[m->nrecipients++] =
			    e->recipients[i].address;
	return h;
}

void
files_settle(struct session *s, const struct job *job, struct outcome *out,
    const struct verdict *each)
{
	struct held **last = &out->files;

	if (out->verdict.action != ACCEPT || out->plan->files == NULL)
		return;
	if (!hold_in_store(s)) {
		out->verdict = session_trouble(s, "there is no store for what "
		    "is to be had by a link");
		return;
	}
	for (const struct plan_file *f = out->plan->files; f != NULL;
	    f = f->next) {
		*last = file_of(s, job, out, f, each);
		/* An address may be there twice, or nobody may be. */
		if ((*last)->meta.nrecipients > 0)
			last = &(*last)->next;
		else
			*last = NULL;
	}
}

static const char *
write_one(struct session *s, struct held *h)
{
	struct slice why = SLICE("");
	enum rc rc;

	object_describe(&h->meta, h->msg, s->arena);
	if (object_digests(&h->meta, SLICE(""), h->bytes) != RC_OK ||
	    object_id(&h->meta) != RC_OK)
		return "an attachment cannot be hashed";
	/* gatehouse test tells what would be kept, and keeps nothing. */
	h->durable = s->host->dry;
	if (h->durable)
		return NULL;
	rc = object_write(s->set->store_folder, &s->set->store_key, &h->meta,
	    SLICE(""), h->bytes, &h->merged, s->arena, &why);
	h->durable = rc == RC_OK;
	return rc == RC_OK ? NULL : arena_printf(s->arena,
	    "an attachment cannot be stored: %.*s", SLICE_ARG(why)).ptr;
}

const char *
files_write(struct session *s, struct outcome *outs, size_t n)
{
	const char *why = NULL;

	for (size_t i = 0; i < n && why == NULL; i++)
		for (struct held *h = outs[i].files; h != NULL && why == NULL;
		    h = h->next)
			why = write_one(s, h);
	return why;
}
