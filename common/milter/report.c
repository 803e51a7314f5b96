#include "milter/report.h"

#include <time.h>

#include "journal/journal.h"
#include "log/log.h"
#include "milter/hold.h"
#include "text/encoded.h"
#include "text/json.h"

enum { SUBJECT = 1000 };		/* bytes of it in an event */

static struct slice
queue_id(const struct job *job)
{
	return job->envelope->queue_id.len > 0 ? job->envelope->queue_id :
	    SLICE("NOQUEUE");
}

struct slice
report_client(struct arena *a, const struct client *c)
{
	return arena_printf(a, "%.*s[%.*s]",
	    SLICE_ARG(c->name.len > 0 ? c->name : SLICE("unknown")),
	    SLICE_ARG(c->ip.family != 0 ? ip_format(a, &c->ip) :
	    SLICE("unknown")));
}

static struct slice
message_id(const struct job *job)
{
	const struct field *f = job->msg == NULL ? NULL :
	    message_field(job->msg, SLICE("Message-ID"), 0);

	return f != NULL ? field_value(job->arena, f) : SLICE_NONE;
}

/* object=ID,ID cause=spam,virus held=2: of all that was kept back. */
static void
log_held(struct log_line *line, const struct report *r)
{
	struct buf causes = buf_in(r->job->arena);
	struct buf objects = buf_in(r->job->arena);
	size_t n = 0;

	for (const struct held *h = r->held; h != NULL; h = h->next) {
		if (!h->durable)
			continue;
		if (n > 0) {
			buf_addc(&causes, ',');
			buf_addc(&objects, ',');
		}
		buf_adds(&causes, cause_name(h->meta.cause));
		buf_adds(&objects, h->meta.id);
		n += h->meta.nrecipients;
	}
	if (n > 0) {
		log_pair(line, "cause", buf_slice(&causes));
		log_pair(line, "object", buf_slice(&objects));
		log_pairf(line, "held", "%zu", n);
	} else if (r->applied->action == QUARANTINE) {
		log_pairf(line, "cause", "%s", cause_name(r->applied->cause));
	}
}

static void
log_message(const struct report *r)
{
	const struct job *job = r->job;
	const struct envelope *e = job->envelope;
	struct slice id = message_id(job);
	struct log_line line;

	log_begin(&line, job->arena, queue_id(job));
	if (r->chain)
		log_pairf(&line, "filter", "%s", job->filter);
	log_pairf(&line, "verdict", "%s", action_name(r->applied->action));
	log_pairf(&line, "rule", "%s", r->applied->rule);
	log_held(&line, r);
	if (r->release != NULL)
		log_pairf(&line, "release", "%s", r->release->object);
	if (r->pass > 0)
		log_pairf(&line, "pass", "%u", r->pass);
	log_pair(&line, "client", report_client(job->arena, job->client));
	log_pair(&line, "from", arena_printf(job->arena, "<%.*s>",
	    SLICE_ARG(e->sender)));
	if (e->nrecipients > 0)
		log_pair(&line, "to", arena_printf(job->arena, "<%.*s>",
		    SLICE_ARG(e->recipients[0].address)));
	if (e->nrecipients > 1)
		log_pairf(&line, "nrcpt", "%zu", e->nrecipients);
	if (id.ptr != NULL)
		log_pair(&line, "message-id", id);
	for (const struct plan_pair *f = r->plan->findings; f != NULL;
	    f = f->next)
		log_pair(&line, f->key, f->value);
	if (r->size > 0)
		log_pairf(&line, "size", "%llu", (unsigned long long)r->size);
	log_pairf(&line, "ms", "%lld", (long long)(r->us / 1000));
	log_pairf(&line, "id", "%s", job->identity);
	log_end(&line, r->applied->reason);
}

struct slice
report_timestamp(struct arena *a)
{
	struct timespec now;
	struct tm tm;
	char text[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	return arena_printf(a, "%s.%03dZ", text,
	    (int)(now.tv_nsec / 1000000));
}

static void
put_subject(struct json *w, const struct job *job)
{
	const struct field *f = job->msg == NULL ? NULL :
	    message_field(job->msg, SLICE("Subject"), 0);
	unsigned flags;

	if (f != NULL)
		json_put(w, "email.subject", slice_sub(encoded_decode(
		    job->arena, field_value(job->arena, f), &flags), 0,
		    SUBJECT));
}

static void
put_envelope(struct json *w, const struct job *job)
{
	const struct envelope *e = job->envelope;
	struct slice id = message_id(job);

	json_put(w, "source.ip", job->client->ip.family != 0 ?
	    ip_format(job->arena, &job->client->ip) : SLICE(""));
	json_put(w, "source.domain", job->client->name);
	json_put(w, "gatehouse.helo", job->client->helo);
	json_put(w, "email.sender.address", e->sender);
	json_key(w, "email.to.address");
	json_begin_array(w);
	for (size_t i = 0; i < e->nrecipients; i++)
		json_text(w, e->recipients[i].address);
	json_end(w);
	if (id.ptr != NULL)
		json_put(w, "email.message_id", id);
	if (job->house->journal_subjects)
		put_subject(w, job);
}

/* Recipients whose verdict is not the message's. */
static void
put_recipients(struct json *w, const struct report *r)
{
	const struct envelope *e = r->job->envelope;

	if (r->each == NULL)
		return;
	json_key(w, "gatehouse.recipients");
	json_begin_array(w);
	for (size_t i = 0; i < e->nrecipients; i++) {
		const struct verdict *v = &r->each[i];

		json_begin_object(w);
		json_put(w, "address", e->recipients[i].address);
		json_put(w, "verdict", slice_of(action_name(v->action)));
		json_put(w, "rule", slice_of(v->rule));
		if (v->cause != CAUSE_NONE)
			json_put(w, "cause", slice_of(cause_name(v->cause)));
		json_put(w, "reason", v->reason);
		if (v->scope.len > 0)
			json_put(w, "scope", v->scope);
		json_end(w);
	}
	json_end(w);
}

static void
put_held(struct json *w, const struct held *h)
{
	if (h == NULL || !h->durable)
		return;
	json_key(w, "gatehouse.objects");
	json_begin_array(w);
	for (; h != NULL && h->durable; h = h->next) {
		json_begin_object(w);
		json_put(w, "id", slice_of(h->meta.id));
		json_put(w, "kind", slice_of(object_kind_name(h->meta.kind)));
		json_put(w, "cause", slice_of(cause_name(h->meta.cause)));
		json_put_bool(w, "merged", h->merged);
		json_key(w, "recipients");
		json_begin_array(w);
		for (size_t i = 0; i < h->meta.nrecipients; i++)
			json_text(w, h->meta.recipients[i]);
		json_end(w);
		json_end(w);
	}
	json_end(w);
}

static void
put_files(struct json *w, const struct held *h)
{
	if (h == NULL || !h->durable)
		return;
	json_key(w, "gatehouse.files");
	json_begin_array(w);
	for (; h != NULL && h->durable; h = h->next) {
		json_begin_object(w);
		json_put(w, "id", slice_of(h->meta.id));
		json_put(w, "name", h->meta.file.name);
		json_put_int(w, "size", (int64_t)h->meta.size);
		json_put(w, "sha256", slice_of(h->meta.sha256));
		json_put_bool(w, "merged", h->merged);
		json_end(w);
	}
	json_end(w);
}

static struct slice
event_of(const struct report *r)
{
	const struct job *job = r->job;
	struct buf out = buf_in(job->arena);
	struct json w;

	json_init(&w, &out);
	json_begin_object(&w);
	json_put(&w, "@timestamp", report_timestamp(job->arena));
	json_put(&w, "event.action", SLICE("message"));
	json_put(&w, "event.module", slice_of(job->filter));
	json_put(&w, "event.duration_ms", arena_printf(job->arena, "%.3f",
	    (double)r->us / 1000));
	json_put(&w, "gatehouse.id", slice_of(job->identity));
	json_put(&w, "gatehouse.queue_id", job->envelope->queue_id);
	json_put(&w, "network.direction", job->direction == DIRECTION_OUT ?
	    SLICE("outbound") : SLICE("inbound"));
	put_envelope(&w, job);
	if (r->size > 0)
		json_put_int(&w, "gatehouse.size", (int64_t)r->size);
	json_put(&w, "gatehouse.verdict",
	    slice_of(action_name(r->applied->action)));
	json_put(&w, "gatehouse.rule", slice_of(r->applied->rule));
	json_put(&w, "gatehouse.reason", r->applied->reason);
	if (r->applied->scope.len > 0)
		json_put(&w, "gatehouse.scope", r->applied->scope);
	if (r->applied->action == QUARANTINE || r->applied->action == DISCARD)
		json_put(&w, "gatehouse.cause",
		    slice_of(cause_name(r->applied->cause)));
	json_put(&w, "gatehouse.coverage", r->plan->coverage);
	put_recipients(&w, r);
	put_held(&w, r->held);
	put_files(&w, r->files);
	if (r->release != NULL)
		json_put(&w, "gatehouse.release", slice_of(r->release->object));
	if (r->pass > 0)
		json_put_int(&w, "gatehouse.pass", r->pass);
	if (r->form != NULL)
		json_put(&w, "gatehouse.form", slice_of(r->form));
	for (const struct plan_pair *f = r->plan->facts; f != NULL;
	    f = f->next)
		json_put(&w, f->key, f->value);
	json_end(&w);
	return buf_slice(&out);
}

void
report_message(const struct report *r, struct journal *journal)
{
	log_message(r);
	/* The journal counts what it could not write and says so itself. */
	if (journal != NULL)
		journal_write(journal, event_of(r));
}
