/* Hooks of outbound mail: what is found out before it is decided. */
#include "outbound_run.h"

#include "envelope.h"
#include "limits.h"
#include "mime/message.h"
#include "text/address.h"
#include "text/field.h"

/* Bytes of a Message-ID that count; of a body where there is none. */
enum { ID_MAX = 2000, BODY_MAX = 16384 };

enum rc
outbound_settings(struct arena *a, const struct policy *policy,
    const struct predelivery_conf *conf, const struct sender *sender,
    const struct predelivery_conf **conf_r, struct slice *why_r)
{
	struct slice address = sender->address.ptr != NULL ? sender->address :
	    SLICE("");
	struct predelivery_conf *own;
	struct policy_who who;
	enum rc rc;

	*conf_r = conf;
	if (scope_count(conf->scopes) == 0 && !policy_has_map(policy))
		return RC_OK;
	*conf_r = own = arena_alloc(a, sizeof *own);
	*own = *conf;
	*why_r = SLICE("the policy map cannot be read");
	rc = policy_find(policy, a, address, &who);
	if (rc != RC_OK)
		return rc;
	/* By his network, where his address does not say so itself. */
	if (sender->client.ptr != NULL && !policy_has_map(policy)) {
		who.subject.client = sender->client;
	} else if (sender->client.ptr != NULL &&
	    !slice_eq(who.client, sender->client)) {
		rc = policy_client(policy, a, sender->client, &who);
		if (rc != RC_OK)
			return rc;
	}
	return policy_settings(policy, &who, "predelivery",
	    predelivery_options, conf->scopes, own, why_r);
}

/* ---- before there is a message ---- */

/* pickup(8) has no use for an answer there: the mail would be stuck in its
 * queue (PITFALLS L17). */
void
outbound_mail(struct early *e)
{
	const struct predelivery_conf *conf = e->conf;
	struct sender sender;
	struct slice why;

	if (e->direction != DIRECTION_OUT || e->size == 0 ||
	    e->client->ip.family == 0)
		return;
	sender_of(e->arena, e->policy, &conf->outbound, e->client, &sender);
	/* Trouble is told at the end of the message; MAIL refuses what is known to
	 * be too large and nothing else. */
	if (outbound_settings(e->arena, e->policy, e->conf, &sender, &conf,
	    &why) != RC_OK)
		return;
	limits_declared(&conf->outbound, e->size, e->arena, &e->answer);
	if (e->answer.code == NULL)
		return;
	early_fact(e, "sender", sender.key);
	early_fact(e, "declared", arena_printf(e->arena, "%llu",
	    (unsigned long long)e->size));
}

/* ---- DNS ---- */

static void
free_asking(void *arg)
{
	asking_free(arg);
}

/* Asks what can be asked now; once. */
static void
start_asking(struct job *job, struct outbound_seen *seen)
{
	struct lint_asking *k = &seen->dns;

	if (k->asking != NULL || job->budget == NULL)
		return;
	k->conf = &seen->conf->outbound;
	k->arena = job->arena;
	k->asking = asking_new(job->budget, LINT_QUESTIONS);
	arena_defer(job->arena, free_asking, k->asking);
	lint_asking_start(k, &seen->domains);
}

static struct slice
domain_of(struct arena *a, struct slice address)
{
	struct slice local, domain, ascii;

	return address_split(address, &local, &domain) &&
	    domain_ascii(a, domain, &ascii) ? ascii : SLICE_NONE;
}

/* ---- the message ---- */

static void
new_path(struct job *job, struct outbound_seen *seen,
    const struct outbound_shared *shared)
{
	const struct outbound_conf *conf = &seen->conf->outbound;
	struct envelope_how how;
	struct slice path;

	how = (struct envelope_how){ slice_of(conf->bounce_address),
	    conf->bounce_keyed, &shared->key };
	path = envelope_rewrite(job->arena, &how, job->envelope->sender,
	    job->now);
	seen->bounce = path.ptr != NULL;
	seen->path = seen->bounce ? path : job->envelope->sender;
	seen->domains.sender = domain_of(job->arena, seen->path);
}

void
outbound_begin(struct job *job, const struct outbound_shared *shared)
{
	const struct predelivery_conf *conf = job->conf;
	struct predelivery_answers *answers = job->answers;
	struct outbound_seen *seen;
	struct slice why;

	if (job->direction != DIRECTION_OUT)
		return;
	seen = answers->outbound = arena_alloc(job->arena, sizeof *seen);
	sender_of(job->arena, job->policy, &conf->outbound, job->client,
	    &seen->sender);
	if (outbound_settings(job->arena, job->policy, conf, &seen->sender,
	    &seen->conf, &why) != RC_OK)
		seen->trouble = why;
	new_path(job, seen, shared);
	if (seen->conf->outbound.lint == LINT_ALL)
		start_asking(job, seen);
}

static void
field_from(struct job *job, struct outbound_seen *seen, struct slice body)
{
	struct lint_domains domains = { SLICE_NONE, SLICE_NONE };
	struct address_list list;
	struct address address;
	struct slice ascii;

	if (seen->domains.from.ptr != NULL)
		return;
	address_open(&list, job->arena, body);
	if (!address_next(&list, &address) ||
	    !domain_ascii(job->arena, address.domain, &ascii))
		return;
	seen->domains.from = domains.from = ascii;
	if (seen->dns.asking != NULL)
		lint_asking_start(&seen->dns, &domains);
}

/* Fields come when all of the message is there: what they name is asked for
 * while the rest is read. */
void
outbound_field(struct job *job, struct slice name, struct slice body)
{
	struct predelivery_answers *answers = job->answers;
	struct outbound_seen *seen = answers->outbound;
	bool list = slice_starts_nocase(name, SLICE("List-")) ||
	    slice_eq_nocase(name, SLICE("Precedence"));

	if (seen == NULL || seen->conf->outbound.lint == LINT_OFF)
		return;
	if (list || job->envelope->nrecipients >
	    seen->conf->outbound.bulk_recipients)
		start_asking(job, seen);
	if (slice_eq_nocase(name, SLICE("From")))
		field_from(job, seen, body);
	else if (seen->dns.asking != NULL)
		lint_asking_key(&seen->dns, name, body);
}

/* Postfix gives mail without one a Message-ID before we see it: its queue id,
 * behind the time where that is short. It tells transactions apart, not
 * messages. */
static bool
by_postfix(const struct job *job, struct slice id)
{
	struct slice mine = arena_printf(job->arena, "%.*s@",
	    SLICE_ARG(job->envelope->queue_id));
	size_t at = slice_search(id, mine);

	return mine.len > 1 && at > 0 && at < id.len &&
	    (id.ptr[at - 1] == '<' || id.ptr[at - 1] == '.');
}

/* What tells this message from the others of its sender. */
static struct slice
name_of(const struct job *job)
{
	static const char *const names[] = { "From", "To", "Cc", "Subject",
	    NULL };
	const struct message *msg = job->msg;
	const struct field *f = message_field(msg, SLICE("Message-ID"), 0);
	struct buf b = buf_in(job->arena);
	struct slice id = f != NULL ? slice_trim(f->body) : SLICE("");

	if (id.len > 0 && !by_postfix(job, id))
		return slice_sub(id, 0, ID_MAX);
	for (size_t i = 0; names[i] != NULL; i++) {
		f = message_field(msg, slice_of(names[i]), 0);
		if (f != NULL)
			buf_add(&b, f->raw);
	}
	buf_add(&b, slice_sub(msg->body, 0, BODY_MAX));
	return buf_slice(&b);
}

static void
count_recipients(const struct job *job, struct outbound_seen *seen,
    const struct outbound_shared *shared)
{
	const struct outbound_conf *conf = &seen->conf->outbound;
	const struct envelope *e = job->envelope;
	const struct outbound_view *view = job->view;
	struct tally_name name = { seen->sender.key, SLICE("") };
	struct tally_offer o = { .limit = conf->recipients_max,
	    .window = conf->recipients_window / 1000, .keep = view->keep,
	    .now = job->now };
	struct slice *addresses;

	seen->all = e->nrecipients;
	if (shared->tally == NULL || o.window == 0)
		return;
	name.message = name_of(job);
	addresses = arena_array(job->arena, e->nrecipients + 1,
	    sizeof *addresses);
	for (size_t i = 0; i < e->nrecipients; i++)
		addresses[i] = e->recipients[i].address;
	tally_file_offer(shared->tally, &name, addresses, e->nrecipients, &o,
	    job->arena, &seen->tally);
	seen->all = (uint64_t)seen->tally.before + seen->tally.fresh;
}

static void
lint(struct job *job, struct outbound_seen *seen)
{
	const struct outbound_conf *conf = &seen->conf->outbound;
	struct lint_mail m = { .arena = job->arena, .conf = conf,
	    .house = job->house, .msg = job->msg, .sender = seen->path,
	    .recipients = job->envelope->recipients,
	    .nrecipients = job->envelope->nrecipients, .all = seen->all,
	    .now = job->now };

	if (conf->lint == LINT_OFF)
		return;
	seen->bulk = lint_bulk(&m);
	if (conf->lint == LINT_BULK && seen->bulk.len == 0)
		return;
	start_asking(job, seen);
	if (seen->dns.asking != NULL)
		lint_asking_wait(&seen->dns, &m, &seen->domains,
		    job->deadline);
	seen->linted = true;
	lint_run(&m, seen->lint);
}

enum rc
outbound_ask(struct job *job, const struct outbound_shared *shared,
    struct slice *why_r)
{
	struct predelivery_answers *answers = job->answers;
	struct outbound_seen *seen = answers->outbound;

	if (seen == NULL)
		return RC_OK;
	if (seen->trouble.ptr != NULL) {
		*why_r = seen->trouble;
		return RC_RETRY;
	}
	count_recipients(job, seen, shared);
	lint(job, seen);
	return RC_OK;
}
