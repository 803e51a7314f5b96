#include "large.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "judge.h"
#include "remove.h"
#include "store/token.h"

enum { FILES = 200 };			/* of one message */

/* ---- which parts ---- */

struct looking {
	struct job *job;
	const struct attachment_answers *seen;
	struct large_answers *large;
	struct large_file **last;
	const struct attachment_conf *conf;
	uint64_t least;			/* bytes of an attachment */
};

static bool
within(const struct part *p, const struct part *of)
{
	for (; p != NULL; p = p->parent)
		if (p == of)
			return true;
	return false;
}

/* It goes anyway, with what it is in or what is in it. */
static bool
is_removed(const struct attachment_answers *seen, const struct part *p)
{
	for (const struct attachment_removal *r = seen->removals; r != NULL;
	    r = r->next)
		if (within(p, r->part) || within(r->part, p))
			return true;
	return false;
}

/* A picture that the letter shows, or another form of it: it is no attachment,
 * unless it says so. */
static bool
of_the_letter(const struct part *p)
{
	return p->parent != NULL && (part_is(p->parent, "multipart",
	    "related") || part_is(p->parent, "multipart", "alternative")) &&
	    !slice_eq(p->disposition, SLICE("attachment"));
}

/* One of two readings would be another file than the one that was sent. The
 * first item of a part is asked about. */
static bool
read_in_one_way(const struct item *i)
{
	for (const struct item *k = i->next; k != NULL && k->part == i->part;
	    k = k->next)
		if (k->container == NULL)
			return false;
	return true;
}

static bool
strict(const struct part *p)
{
	for (; p != NULL; p = p->parent)
		if (p->lax || p->copy)
			return false;
	return true;
}

static bool
is_candidate(const struct looking *l, const struct item *i)
{
	return i->container == NULL && !i->text && strict(i->part) &&
	    i->part->body.len > l->least && i->part->child == NULL &&
	    !of_the_letter(i->part) && !is_removed(l->seen, i->part);
}

/* What the item holds is cut where the members of archives would be too many
 * bytes; a file is stored whole or not at all. */
static struct slice
content_of(const struct looking *l, const struct item *i)
{
	unsigned flags;

	return i->why != UNPACK_TOO_LARGE ? i->bytes : part_decoded(i->part,
	    l->job->arena, i->part->body.len, &flags);
}

static void
take(struct looking *l, const struct item *i)
{
	struct slice bytes = content_of(l, i);
	struct large_file *f;

	if (bytes.len <= l->least)
		return;
	f = arena_alloc(l->job->arena, sizeof *f);
	f->part = i->part;
	f->path = i->path;
	f->file.name = i->name.len > 0 ? i->name : i->path;
	f->file.type = i->part->type.len == 0 ? SLICE("") :
	    arena_printf(l->job->arena, "%.*s/%.*s",
	    SLICE_ARG(i->part->type), SLICE_ARG(i->part->subtype));
	f->file.bytes = bytes;
	*l->last = f;
	l->last = &f->next;
	l->large->count++;
	l->large->bytes += bytes.len;
}

static void
look(struct looking *l)
{
	const struct part *last = NULL;

	for (const struct item *i = l->seen->items.first; i != NULL &&
	    l->large->count < FILES; i = i->next) {
		const struct part *target;
		const char *why = "";
		bool first = i->part != last;

		last = i->part;
		if (!first || !is_candidate(l, i) || !read_in_one_way(i))
			continue;
		target = remove_target(l->job->msg, i->part, &why);
		if (target == i->part)
			take(l, i);
		else if (target == NULL && l->large->sealed == NULL)
			l->large->sealed = i;
	}
}

/* ---- whose settings ---- */

static bool
gets_it(const struct job *job, const struct attachment_answers *seen, size_t i)
{
	enum attachment_action action = seen->of[i].verdict.action;

	return (action == ATTACHMENT_PASS || action == ATTACHMENT_REMOVE) &&
	    !slice_eq(job->envelope->recipients[i].mailer, SLICE("error"));
}

/* A mailbox for copies gets all of a message (option copy_to). */
static bool
gets_all(const struct job *job, size_t i, const struct attachment_conf *conf)
{
	const struct attachment_conf *house = job->conf;
	struct slice address = job->envelope->recipients[i].address;

	return address.len > 0 &&
	    (slice_eq_nocase(address, slice_of(conf->copy_to)) ||
	    slice_eq_nocase(address, slice_of(house->copy_to)));
}

/* NULL: it is not too large for this one. */
static const struct attachment_conf *
wants(const struct job *job, const struct attachment_answers *seen, size_t i)
{
	bool inbound;
	const struct attachment_conf *conf = attachment_settings(job, seen, i,
	    &inbound);
	uint64_t at = inbound ? conf->large_at : conf->large_at_outbound;

	return at > 0 && message_size(job->msg) > at &&
	    gets_it(job, seen, i) && !gets_all(job, i, conf) ? conf : NULL;
}

/* The first one's who wants it, but for the least size of any. */
static bool
find_settings(struct looking *l)
{
	for (size_t i = 0; i < l->job->envelope->nrecipients; i++) {
		const struct attachment_conf *conf = wants(l->job, l->seen, i);

		if (conf == NULL)
			continue;
		if (l->conf == NULL) {
			l->conf = conf;
			l->large->whose = i;
			l->least = conf->large_part;
		}
		if (conf->large_part < l->least)
			l->least = conf->large_part;
	}
	return l->conf != NULL;
}

static void
find_refused(struct looking *l)
{
	size_t n = l->job->envelope->nrecipients;

	l->large->refused = arena_array(l->job->arena, n + 1, sizeof (bool));
	for (size_t i = 0; i < n && l->large->sealed != NULL; i++) {
		const struct attachment_conf *conf = wants(l->job, l->seen, i);

		l->large->refused[i] = conf != NULL &&
		    conf->large_sealed == LARGE_SEALED_REJECT;
	}
}

/* ---- names and links ---- */

static bool
hash_value(EVP_MD_CTX *hash, struct slice s)
{
	unsigned char len[8];

	for (int i = 0; i < 8; i++)
		len[i] = (unsigned char)((uint64_t)s.len >> (56 - 8 * i));
	return EVP_DigestUpdate(hash, len, sizeof len) == 1 &&
	    EVP_DigestUpdate(hash, s.ptr != NULL ? s.ptr : "", s.len) == 1;
}

static bool
hash_field(EVP_MD_CTX *hash, const struct job *job, const char *name)
{
	const struct field *f = message_field(job->msg, slice_of(name), 0);

	return hash_value(hash, f != NULL ? field_value(job->arena, f) :
	    SLICE_NONE);
}

static int
by_bytes(const void *a, const void *b)
{
	return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

static bool
hash_recipients(EVP_MD_CTX *hash, const struct job *job)
{
	size_t n = job->envelope->nrecipients;
	struct slice *sorted = arena_array(job->arena, n + 1, sizeof *sorted);
	bool good = true;

	for (size_t i = 0; i < n; i++)
		sorted[i] = job->envelope->recipients[i].address;
	qsort(sorted, n, sizeof *sorted, by_bytes);
	for (size_t i = 0; i < n && good; i++)
		good = hash_value(hash, sorted[i]);
	return good;
}

/* Not of the whole message: what filters of ours write into its header differs
 * from one try to the next, and the same try must give the same name. */
static bool
name_file(const struct job *job, size_t number, const struct plan_file *f,
    char name_r[65])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool good = hash != NULL &&
	    EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1 &&
	    hash_value(hash, SLICE("gatehouse file 1")) &&
	    hash_value(hash, slice_make(&number, sizeof number)) &&
	    hash_value(hash, job->envelope->sender) &&
	    hash_recipients(hash, job) &&
	    hash_field(hash, job, "Message-ID") &&
	    hash_field(hash, job, "Date") && hash_value(hash, f->name) &&
	    hash_value(hash, f->type) && hash_value(hash, f->bytes) &&
	    EVP_DigestFinal_ex(hash, sum, NULL) == 1;

	EVP_MD_CTX_free(hash);
	if (good)
		hex_write(name_r, sum, 32);
	return good;
}

static struct slice
link_of(struct looking *l, const char *token)
{
	struct slice url = slice_of(l->conf->large_url);

	return arena_printf(l->job->arena, "%.*s%s%s", SLICE_ARG(url),
	    slice_ends(url, SLICE("/")) ? "" : "/", token);
}

static enum rc
write_note(struct looking *l, struct large_file *f, const char *token,
    struct slice *why_r)
{
	struct arena *a = l->job->arena;
	struct template_data *data = NULL;
	time_t until = (time_t)f->file.expires;
	struct tm tm;
	char day[20] = "";

	if (gmtime_r(&until, &tm) != NULL)
		strftime(day, sizeof day, "%Y-%m-%d", &tm);
	template_put(a, &data, "hostname", slice_of(l->job->house->hostname));
	template_put(a, &data, "queue_id", l->job->envelope->queue_id);
	template_put(a, &data, "name", f->path);
	template_put(a, &data, "type", f->file.type);
	template_put(a, &data, "size", arena_printf(a, "%zu",
	    f->file.bytes.len));
	template_put(a, &data, "link", link_of(l, token));
	template_put(a, &data, "until", slice_of(arena_str(a, slice_of(day))));
	template_put(a, &data, "downloads", arena_printf(a, "%u",
	    f->file.uses));
	return note_text(l->job->view, NOTE_LARGE, l->conf->large_note, data,
	    a, &f->note, why_r);
}

static enum rc
finish(struct looking *l, struct large_file *f, size_t number,
    const struct seal_key *key, struct slice *why_r)
{
	char token[TOKEN_TEXT + 1], hash[65];
	struct slice name;

	f->file.expires = l->job->now + l->conf->large_keep / 1000;
	f->file.uses = l->conf->large_downloads;
	if (!name_file(l->job, number, &f->file, hash)) {
		*why_r = SLICE("an attachment cannot be hashed");
		return RC_RETRY;
	}
	name = arena_printf(l->job->arena, "large mail link %s", hash);
	if (!token_derive(slice_make(key->bytes, key->len), name, token,
	    f->file.token)) {
		*why_r = SLICE("a link cannot be made");
		return RC_RETRY;
	}
	return write_note(l, f, token, why_r);
}

enum rc
large_ask(struct job *job, struct attachment_answers *seen,
    const struct seal_key *key, struct slice *why_r)
{
	struct large_answers *large = arena_alloc(job->arena, sizeof *large);
	struct looking l = { .job = job, .seen = seen, .large = large,
	    .last = &large->files };
	size_t number = 0;
	enum rc rc = RC_OK;

	if (!find_settings(&l))
		return RC_OK;
	large->size = message_size(job->msg);
	look(&l);
	find_refused(&l);
	for (struct large_file *f = large->files; f != NULL && rc == RC_OK;
	    f = f->next)
		rc = finish(&l, f, ++number, key, why_r);
	seen->large = large;
	return rc;
}

/* ---- the plan ---- */

static struct slice
decided(const struct work *w, size_t i, const char *inbound,
    const char *outbound)
{
	const struct attachment_answers *seen = w->seen;
	bool in;

	attachment_settings(w->job, seen, i, &in);
	return job_decided(w->job, in ? &seen->of[i].who : &seen->sender.who,
	    in ? inbound : outbound, w->conf->scopes);
}

/* It is signed: what would make it smaller would break it. */
static void
refuse(struct work *w, const struct large_answers *large)
{
	for (size_t i = 0; i < w->job->envelope->nrecipients; i++) {
		struct verdict *v;

		if (!large->refused[i])
			continue;
		v = plan_recipient(w->plan, i);
		v->action = REJECT;
		v->rule = "large-sealed";
		v->reason = arena_printf(w->plan->arena, "%.*s is large, and "
		    "is signed or encrypted", SLICE_ARG(large->sealed->path));
		v->reply = SLICE("5.3.4 message refused: too large, and what "
		    "is signed or encrypted cannot be replaced by a link");
		v->scope = decided(w, i, "large_sealed", "large_sealed");
	}
}

static void
say(struct work *w, const struct large_answers *large)
{
	struct arena *a = w->plan->arena;
	struct verdict *v = &w->plan->all;
	struct slice n = arena_printf(a, "%zu", large->count);

	plan_finding(w->plan, "large", n);
	plan_fact(w->plan, "gatehouse.large.files", n);
	plan_fact(w->plan, "gatehouse.large.bytes", arena_printf(a, "%llu",
	    (unsigned long long)large->bytes));
	/* What was removed by a list is said before. */
	if (v->action != ACCEPT || w->seen->removals != NULL)
		return;
	v->rule = "large-mail";
	v->reason = arena_printf(a, "%zu attachments of %llu bytes are in the "
	    "store; the message had %llu", large->count,
	    (unsigned long long)large->bytes, (unsigned long long)large->size);
	v->scope = decided(w, large->whose, "large_at", "large_at_outbound");
}

enum step
step_large(struct work *w)
{
	const struct large_answers *large = w->seen->large;

	if (large == NULL)
		return STEP_ON;
	refuse(w, large);
	for (const struct large_file *f = large->files; f != NULL;
	    f = f->next) {
		if (!remove_part(&w->plan->edits, w->job->msg, f->part,
		    f->note)) {
			w->plan = plan_for_trouble(w->plan->arena, w->job->msg,
			    arena_printf(w->plan->arena, "no link can stand "
			    "in place of %.*s", SLICE_ARG(f->path)));
			return STEP_DONE;
		}
		plan_file(w->plan, &f->file);
	}
	if (large->count > 0)
		say(w, large);
	return STEP_ON;
}
