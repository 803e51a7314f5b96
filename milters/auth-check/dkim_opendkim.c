#include "dkim_opendkim.h"

#include <sys/types.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Names that are ours as well: see find_verify(). */
#define dkim_sign libopendkim_sign
#define dkim_verify libopendkim_verify
#include <opendkim/dkim.h>
#undef dkim_sign
#undef dkim_verify

#include "dkim/bodies.h"
#include "dkim/key.h"
#include "dkim/sig.h"
#include "dkim/tags.h"
#include "dkim/verify.h"
#include "dkim_guard.h"

/*
 * It knows no clock but time(2). Ours may be pinned, and sig_read() has
 * judged t= and x= by it; so much drift that the library's never counts,
 * and no more than a real t=, from which it subtracts it unsigned.
 */
#define DRIFT	946684800U		/* until 2000, when no DKIM was */

/* Each hashes the header again; more than a mail in the wild can want. */
enum { ROUNDS = 2 * DKIM_RECORDS };

typedef DKIM *new_handle(DKIM_LIB *lib, const unsigned char *id, void *closure,
    DKIM_STAT *status_r);

struct dkim_opendkim {
	DKIM_LIB *lib;
	new_handle *verify;
	struct dkim_keys *keys;
};

/* A signature that the library is shown. */
struct asked {
	struct dkim_signature *sig;
	struct dkim_signature first;	/* what the first of its keys says */
	const struct dns_answer *answer;
	size_t next;			/* record of the answer */
	unsigned tried;
	const char *record;		/* the key to try now */
	bool active;			/* in this round */
	bool good;			/* its header is what was signed */
	bool done;
};

struct job {
	struct arena *a;
	struct dkim_opendkim *lib;
	const struct message *msg;
	const struct dkim_limits *limits;
	struct dkim_bodies *bodies;
	struct asked *list;		/* in the order of their fields */
	size_t n;
	bool whole;			/* no signature is left out */
	unsigned rounds;
	DKIM_SIGINFO **infos;		/* the library's, in the same order */
};

static unsigned char *
bytes(const char *ptr)
{
	union { const char *in; unsigned char *out; } u = { ptr };

	return u.out;
}

/*
 * All signatures come here in the order of their fields, the malformed ones
 * too (BADSIGHANDLES): so the n-th is our n-th.
 */
static DKIM_CBSTAT
prescreen(DKIM *dkim, DKIM_SIGINFO **infos, int n)
{
	struct job *job = dkim_get_user_context(dkim);
	bool match = n >= 0 && (size_t)n == job->n;

	job->infos = match ? infos : NULL;
	for (int i = 0; i < n; i++)
		if (!match || !job->list[i].active)
			dkim_sig_ignore(infos[i]);
	return DKIM_CBSTAT_CONTINUE;
}

/* Never "default", upon which it would ask DNS itself. */
static DKIM_CBSTAT
key_lookup(DKIM *dkim, DKIM_SIGINFO *info, unsigned char *buf, size_t size)
{
	struct job *job = dkim_get_user_context(dkim);
	size_t len;

	for (size_t i = 0; job->infos != NULL && i < job->n; i++) {
		if (job->infos[i] != info || job->list[i].record == NULL)
			continue;
		len = strlen(job->list[i].record);
		if (len >= size)
			break;
		memcpy(buf, job->list[i].record, len + 1);
		return DKIM_CBSTAT_CONTINUE;
	}
	return DKIM_CBSTAT_NOTFOUND;
}

static int
no_dns(void *service, int type, unsigned char *name, unsigned char *buf,
    size_t size, void **query_r)
{
	(void)service;
	(void)type;
	(void)name;
	(void)buf;
	(void)size;
	(void)query_r;
	return DKIM_DNS_ERROR;
}

static bool
set_option(DKIM_LIB *lib, dkim_opts_t option, void *value, size_t size)
{
	return dkim_options(lib, DKIM_OP_SETOPT, option, value, size) ==
	    DKIM_STAT_OK;
}

static bool
set_up(DKIM_LIB *lib)
{
	unsigned flags = DKIM_LIBFLAGS_BADSIGHANDLES;
	unsigned bits = 0;		/* key_fits() judges the size */
	uint64_t drift = DRIFT;

	dkim_dns_set_query_start(lib, no_dns);
	return dkim_libfeature(lib, DKIM_FEATURE_SHA256) &&
	    dkim_libfeature(lib, DKIM_FEATURE_ED25519) &&
	    set_option(lib, DKIM_OPTS_FLAGS, &flags, sizeof flags) &&
	    set_option(lib, DKIM_OPTS_MINKEYBITS, &bits, sizeof bits) &&
	    set_option(lib, DKIM_OPTS_CLOCKDRIFT, &drift, sizeof drift) &&
	    dkim_set_prescreen(lib, prescreen) == DKIM_STAT_OK &&
	    dkim_set_key_lookup(lib, key_lookup) == DKIM_STAT_OK;
}

/*
 * The linker would give us our own dkim_verify(): this is the next one. (Of
 * the library's functions dkim_test_key() alone would get ours.)
 */
static new_handle *
find_verify(void)
{
	union { void *object; new_handle *function; } u = {
	    dlsym(RTLD_NEXT, "dkim_verify") };

	return u.function;
}

struct dkim_opendkim *
dkim_opendkim_open(void)
{
	struct dkim_opendkim *lib = mem_alloc(sizeof *lib);

	lib->lib = dkim_init(NULL, NULL);
	lib->verify = find_verify();
	lib->keys = dkim_keys_new(0);
	if (lib->lib != NULL && lib->verify != NULL && set_up(lib->lib))
		return lib;
	dkim_opendkim_close(lib);
	return NULL;
}

void
dkim_opendkim_close(struct dkim_opendkim *lib)
{
	if (lib == NULL)
		return;
	if (lib->lib != NULL)
		dkim_close(lib->lib);
	dkim_keys_free(lib->keys);
	free(lib);
}

/* Which key to try */

static void
settle(struct asked *q, enum dkim_result result, const char *rule,
    const char *reason)
{
	sig_fail(q->sig, result, rule, reason);
	q->done = true;
}

/* One key was tried in vain; the first one's word stands in the end. */
static void
in_vain(struct asked *q)
{
	if (q->tried == 1)
		q->first = *q->sig;
	q->record = NULL;
}

/* The guards come last: what the key's record decides needs no library. */
static bool
may_ask(struct job *job, struct asked *q, struct slice record)
{
	const char *why = guard_signature(job->msg, q->sig, job->whole);

	if (why == NULL)
		why = guard_body(job->msg->body);
	if (why == NULL) {
		q->record = guard_record(job->a, record);
		if (q->record != NULL)
			return true;
		why = "the key is longer than libopendkim takes";
	}
	sig_fail(q->sig, DKIM_NEUTRAL, "engine", why);
	return false;
}

/* As dkim_verify() does: records that are none do not count. */
static bool
try_record(struct job *job, struct asked *q, struct slice record)
{
	struct dkim_key *key = dkim_key_get(job->lib->keys, record);
	bool asks = false;

	if (key->looks) {
		q->tried++;
		asks = verify_fits(q->sig, key, job->limits) &&
		    may_ask(job, q, record);
		if (!asks)
			in_vain(q);
	}
	dkim_key_drop(key);
	return asks;
}

static void
choose_key(struct job *job, struct asked *q)
{
	if (q->done || q->record != NULL)
		return;
	while (q->next < q->answer->count && q->tried < DKIM_RECORDS)
		if (try_record(job, q, q->answer->records[q->next++].data))
			return;
	if (q->tried > 0)
		*q->sig = q->first;
	else
		sig_fail(q->sig, DKIM_PERMERROR, "no-key", "no key in DNS");
	q->done = true;
}

/*
 * In one handle it gives a signature the key of an earlier one with the same
 * d= and s=, even where another record is meant.
 */
static bool
must_wait(const struct job *job, const struct asked *q)
{
	for (const struct asked *o = job->list; o < q; o++)
		if (o->active && strcmp(o->record, q->record) != 0 &&
		    slice_eq(o->sig->domain, q->sig->domain) &&
		    slice_eq(o->sig->selector, q->sig->selector))
			return true;
	return false;
}

static bool
begin_round(struct job *job)
{
	bool any = false;

	for (size_t i = 0; i < job->n; i++) {
		struct asked *q = &job->list[i];

		choose_key(job, q);
		q->good = false;
		q->active = !q->done && !must_wait(job, q);
		any = any || q->active;
	}
	return any;
}

/* What the library says */

/*
 * A field of its own stands first, with a name that h= cannot hold: were all
 * fields taken and a name left over, it would write behind its array.
 */
static void
show_header(struct job *job, DKIM *dkim)
{
	static const char pad[] = "Not Signed: -";
	size_t at = 0;

	dkim_header(dkim, bytes(pad), sizeof pad - 1);
	for (size_t i = 0; i < job->msg->nfields; i++) {
		const struct field *f = &job->msg->fields[i];
		bool asked = at < job->n && job->list[at].sig->index == i;
		struct slice text;

		at += asked;
		if (f->name.len == 0 || (!asked &&
		    slice_eq_nocase(f->name, SLICE("DKIM-Signature"))))
			continue;
		text = guard_field(job->a, f);
		if (text.len > 0)
			dkim_header(dkim, bytes(text.ptr), text.len);
	}
}

/* Without a CRLF at its end it would refuse the whole. */
static bool
show_body(const struct job *job, DKIM *dkim)
{
	struct slice body = job->msg->body;

	if (body.len > 0 && dkim_body(dkim, bytes(body.ptr), body.len) !=
	    DKIM_STAT_OK)
		return false;
	if (body.len > 0 && !slice_ends(body, SLICE("\r\n")) &&
	    dkim_body(dkim, bytes("\r\n"), 2) != DKIM_STAT_OK)
		return false;
	dkim_eom(dkim, NULL);
	return true;
}

/* Its own refusals are no verdict of RFC 6376: sig_read() found no fault. */
static void
judge_header(struct job *job, struct asked *q, DKIM_SIGINFO *info)
{
	DKIM_SIGERROR error = dkim_sig_geterror(info);
	const char *text = dkim_sig_geterrorstr(error);

	q->good = (dkim_sig_getflags(info) & DKIM_SIGFLAG_PASSED) != 0;
	if (q->good)
		return;
	if (error == DKIM_SIGERROR_BADSIG)
		sig_fail(q->sig, DKIM_FAIL, "signature",
		    "the signature does not fit the header");
	else
		sig_fail(q->sig, DKIM_NEUTRAL, "engine", arena_printf(job->a,
		    "libopendkim says: %s", text != NULL ? text : "?").ptr);
	in_vain(q);
}

/* False when l= decides. The library verifies what l= covers and says pass,
 * whatever was appended. */
static bool
length_good(struct job *job, struct asked *q)
{
	struct dkim_signature *sig = q->sig;
	uint64_t length;

	if (!sig->has_length || bodies_hash(job->bodies, sig->body,
	    UINT64_MAX, &length) == NULL || sig->length == length)
		return true;
	sig->partial = sig->length < length;
	if (sig->partial && job->limits->allow_partial)
		return true;
	if (sig->partial)
		settle(q, DKIM_POLICY, "partial",
		    "l= leaves a part of the body unsigned");
	else
		settle(q, DKIM_PERMERROR, "length",
		    "l= is more than there is");
	return false;
}

/*
 * The hashes are compared here, as bytes: it compares their base64, and not
 * at all once another error is noted.
 */
static void
judge_body(struct job *job, struct asked *q, DKIM_SIGINFO *info)
{
	void *header, *body;
	size_t header_len, body_len;

	if (!length_good(job, q))
		return;
	if (dkim_sig_gethashes(info, &header, &header_len, &body, &body_len) !=
	    DKIM_STAT_OK)
		settle(q, DKIM_TEMPERROR, "engine",
		    "libopendkim gave no hash of the body");
	else if (!slice_eq(q->sig->bh, slice_make(body, body_len)))
		settle(q, DKIM_FAIL, "body-hash",
		    "the body is not what was signed");
	else
		settle(q, DKIM_PASS, "pass", "the signature is good");
	if (q->sig->result == DKIM_PASS)
		verify_duplicates(q->sig, job->bodies);
}

/* The body is hashed only for signatures that are good so far. */
static bool
ask(struct job *job, DKIM *dkim)
{
	bool good = false;

	job->infos = NULL;
	dkim_set_user_context(dkim, job);
	show_header(job, dkim);
	dkim_eoh(dkim);
	if (job->infos == NULL)
		return false;
	for (size_t i = 0; i < job->n; i++)
		if (job->list[i].active) {
			judge_header(job, &job->list[i], job->infos[i]);
			good = good || job->list[i].good;
		}
	if (good && !show_body(job, dkim))
		return false;
	for (size_t i = 0; i < job->n; i++)
		if (job->list[i].good)
			judge_body(job, &job->list[i], job->infos[i]);
	return true;
}

static void
run_round(struct job *job)
{
	DKIM_STAT status;
	DKIM *dkim = job->lib->verify(job->lib->lib, bytes("gatehouse"), NULL,
	    &status);
	bool answered = dkim != NULL && ask(job, dkim);

	if (dkim != NULL)
		dkim_free(dkim);
	for (size_t i = 0; !answered && i < job->n; i++)
		if (!job->list[i].done)
			settle(&job->list[i], DKIM_TEMPERROR, "engine",
			    "libopendkim failed");
}

/* Who is asked */

static bool
signs_others(const struct dkim_signature *sig)
{
	struct slice rest = sig->signed_fields;

	while (rest.ptr != NULL)
		if (slice_eq_nocase(tags_cut(rest, ':', &rest),
		    SLICE("DKIM-Signature")))
			return true;
	return false;
}

/* What stands of it before the library is asked. */
static void
prepare(struct job *job, struct asked *q, arc_lookup *lookup, void *arg)
{
	struct slice name;

	if (dkim_key_name(job->a, q->sig, &name))
		q->answer = lookup(arg, name);
	if (q->answer == NULL || q->answer->status > DNS_NXDOMAIN)
		settle(q, DKIM_TEMPERROR, "dns",
		    "the key could not be asked for");
}

/*
 * Only what sig_read() found well-formed is taken: what is to be verified,
 * and what was refused by policy, since another signature may sign it.
 */
static void
take(struct job *job, struct dkim_signature *sig, arc_lookup *lookup,
    void *arg)
{
	struct asked *q = &job->list[job->n];
	bool wanted = sig->result == DKIM_NONE;
	const char *why;

	if (!wanted && (sig->result != DKIM_POLICY || sig->domain.ptr == NULL))
		return;
	if (job->n >= job->limits->signatures) {
		if (wanted)
			sig_fail(sig, DKIM_POLICY, "limit",
			    "more signatures than are looked at");
		return;
	}
	why = guard_size(job->msg, sig);
	if (why != NULL) {
		if (wanted)
			sig_fail(sig, DKIM_NEUTRAL, "engine", why);
		return;
	}
	*q = (struct asked){ .sig = sig, .done = !wanted };
	if (wanted)
		prepare(job, q, lookup, arg);
	job->n++;
}

/* Each that it is shown costs it hashes: those that are judged already are
 * shown only where one of the others may sign them. */
static void
thin_out(struct job *job)
{
	size_t kept = 0;

	job->whole = job->n ==
	    message_count(job->msg, SLICE("DKIM-Signature"));
	for (size_t i = 0; i < job->n; i++)
		if (!job->list[i].done && signs_others(job->list[i].sig))
			return;
	for (size_t i = 0; i < job->n; i++)
		if (!job->list[i].done)
			job->list[kept++] = job->list[i];
	job->n = kept;
}

void
dkim_opendkim_verify(struct arena *a, struct dkim_opendkim *lib,
    const struct message *msg, struct dkim_signature *list, size_t n,
    arc_lookup *lookup, void *arg, const struct dkim_limits *limits)
{
	struct job job = { .a = a, .lib = lib, .msg = msg, .limits = limits };

	job.list = arena_array(a, n + 1, sizeof *job.list);
	for (size_t i = 0; i < n; i++)
		take(&job, &list[i], lookup, arg);
	thin_out(&job);
	if (job.n == 0)
		return;
	job.bodies = dkim_bodies_new(a, msg);
	while (begin_round(&job) && ++job.rounds <= ROUNDS)
		run_round(&job);
	for (size_t i = 0; i < job.n; i++)
		if (!job.list[i].done)
			settle(&job.list[i], DKIM_POLICY, "limit",
			    "more keys than are tried");
}
