#include "history_note.h"

#include <math.h>

#include "fraud_part.h"
#include "log/log.h"
#include "text/address.h"

enum rc
history_start(unsigned entries, struct history *before, const char *dir,
    struct history **h_r, struct arena *a, struct slice *why_r)
{
	const char *anew = NULL;
	enum rc rc;

	/* Switched off it stays open: it may be switched on again. */
	*h_r = history_hold(before);
	if (before != NULL && entries != 0 &&
	    history_entries(before) != entries)
		log_warning("history was changed; it counts from the next "
		    "start on");
	if (before != NULL || entries == 0)
		return RC_OK;
	rc = history_open(dir, entries, h_r, &anew, a, why_r);
	if (rc == RC_OK && anew != NULL)
		log_info("history: begun anew: %s", anew);
	return rc;
}

struct history *
history_of(const struct spam_look *look)
{
	return look->conf->history > 0 ? look->shared->history : NULL;
}

/* ---- clues ---- */

enum { GOOD_DAYS = 5, BAD_MESSAGES = 5, MONTH = 30 * 86400 };

static bool
mostly_good(const struct history_view *v)
{
	return v->spam * 20 <= v->messages;
}

/* Days count, not messages: a thousand of them today prove nothing. */
static void
good_name(struct spam_look *look, const struct history_view *v,
    const struct history_view *domain, int64_t now)
{
	double weight = 0;

	if (v->days >= GOOD_DAYS && mostly_good(v) &&
	    now - v->first >= MONTH / 2)
		weight = 0.25 * log2(v->days);
	if ((v->sent > 0 || (domain->sent >= 3 &&
	    !fraud_freemail(look->from->org))) && mostly_good(v))
		weight += 0.6;
	if (weight > 1.5)
		weight = 1.5;
	if (weight > 0)
		clues_add(look->clues, "history-good", -weight, CLASS_SPAM,
		    arena_printf(look->msg->arena, "the sender is known: good "
		    "mail on %u days%s", v->days, v->sent > 0 ?
		    ", and you have written to him" : ""));
}

static bool
bad_name(struct spam_look *look, const struct history_view *v,
    const char *what)
{
	if (v->messages < BAD_MESSAGES || v->spam * 2 <= v->messages)
		return false;
	clues_add(look->clues, "history-bad", 1.5, CLASS_SPAM,
	    arena_printf(look->msg->arena, "%u of %u messages of this %s were "
	    "spam", v->spam, v->messages, what));
	return true;
}

enum rc
history_check(struct spam_look *look, struct slice *why_r)
{
	const struct job *job = look->job;
	struct history *h = history_of(look);
	const struct fraud_from *from = look->from;
	struct history_who who = { from->address, from->org };
	struct history_view address, domain;

	(void)why_r;
	if (h == NULL || job == NULL || job->direction != DIRECTION_IN ||
	    !from->proven)
		return RC_OK;
	history_look(h, &who, &address, &domain);
	if (bad_name(look, &address, "sender") ||
	    (!fraud_freemail(from->org) && !address.known &&
	    bad_name(look, &domain, "domain")))
		return RC_OK;
	good_name(look, &address, &domain, job->now);
	if (!address.known && !domain.known && job->now - history_begun(h) >=
	    look->conf->history_after / 1000)
		clues_add(look->clues, "history-none", 0.3, CLASS_SPAM,
		    SLICE("nobody of yours has had mail from that domain"));
	return RC_OK;
}

/* ---- what is noted ---- */

/* A retry brings the same; without Message-ID its date and subject tell. */
static struct slice
id_of(const struct message *msg)
{
	static const char *const names[] = { "Message-ID", "Date", "Subject",
	    NULL };
	struct buf out = buf_in(msg->arena);

	for (const char *const *n = names; *n != NULL; n++) {
		const struct field *f = message_field(msg, slice_of(*n), 0);

		if (f != NULL)
			buf_add(&out, field_value(msg->arena, f));
		if (f != NULL && n == names)
			break;
	}
	return buf_slice(&out);
}

/* What the history itself said of it does not count: a bad name would feed
 * itself, and a good one too. */
static bool
judged_spam(const struct antispam_answers *seen)
{
	double percent = seen->percent[CLASS_SPAM];
	double odds = log((percent + 0.5) / (100.5 - percent));

	for (const struct clue *c = seen->clues.first; c != NULL; c = c->next)
		if (slice_starts(slice_of(c->name), SLICE("history-")))
			odds -= c->weight;
	return odds >= 0;
}

static bool
judged_bad(const struct antispam_answers *seen)
{
	enum mail_class class = antispam_class(seen);

	return class == CLASS_PHISHING || class == CLASS_FRAUD ||
	    judged_spam(seen);
}

static void
note_inbound(struct spam_look *look, const struct antispam_answers *seen)
{
	const struct job *job = look->job;
	const struct envelope *e = job->envelope;
	struct history *h = history_of(look);
	struct history_who who = { look->from->address, look->from->org };
	struct history_message m = { .spam = judged_bad(seen) };
	struct slice *to = arena_array(job->arena, e->nrecipients + 1,
	    sizeof *to);

	if (!look->from->proven)
		return;
	for (size_t i = 0; i < e->nrecipients; i++)
		to[i] = e->recipients[i].address;
	m.id = id_of(look->msg);
	m.recipients = to;
	m.nrecipients = e->nrecipients;
	if (job->release != NULL) {
		history_correct(h, &who, m.id, false, job->now);
		m.spam = false;
	} else if (!history_count(h, &who, &m, job->arena, job->now)) {
		return;
	}
	if (!m.spam)
		fraud_learn_accounts(h, who.domain, look->msg, look->content,
		    job->release != NULL, job->now);
}

/* An answer that a program gives makes nobody a correspondent: else who wants
 * to be one writes to somebody who is on holiday. */
static bool
automatic(const struct message *msg)
{
	const struct field *f = message_field(msg, SLICE("Auto-Submitted"), 0);
	const struct field *p = message_field(msg, SLICE("Precedence"), 0);

	return p != NULL || message_field(msg, SLICE("X-Autoreply"), 0) !=
	    NULL || message_field(msg, SLICE("List-Id"), 0) != NULL ||
	    (f != NULL && !slice_eq_nocase(field_value(msg->arena, f),
	    SLICE("no")));
}

static void
note_outbound(struct spam_look *look, const struct antispam_answers *seen)
{
	const struct job *job = look->job;
	const struct envelope *e = job->envelope;
	struct slice id = id_of(look->msg);

	if (e->sender.len == 0 || automatic(look->msg) || judged_bad(seen))
		return;
	for (size_t i = 0; i < e->nrecipients && i < HISTORY_RECIPIENTS; i++) {
		struct slice local, domain, ascii, org;
		struct history_who to;

		if (!address_split(e->recipients[i].address, &local, &domain)
		    || !domain_ascii(job->arena, domain, &ascii) ||
		    fraud_ours(look->shared->fraud, ascii))
			continue;
		org = suffixes_org(look->shared->suffixes, ascii);
		to.address = history_address(job->arena, local, ascii);
		to.domain = org.ptr != NULL ? org : ascii;
		history_wrote(history_of(look), &to, id, job->arena,
		    job->now);
	}
}

void
history_note(struct spam_look *look, const struct antispam_answers *seen)
{
	const struct job *job = look->job;

	if (job == NULL || history_of(look) == NULL || job->pass > 1)
		return;
	if (job->direction == DIRECTION_IN)
		note_inbound(look, seen);
	else
		note_outbound(look, seen);
}
