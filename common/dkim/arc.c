#include "dkim/arc.h"

#include "dkim/bodies.h"
#include "dkim/sig.h"
#include "dkim/verify.h"

enum { ARC_FIELDS = 3 * ARC_SETS };

static void
chain_fail(struct arc_chain *chain, const char *rule, const char *reason)
{
	chain->status = ARC_FAIL;
	chain->rule = rule;
	chain->reason = slice_of(reason);
}

/* Structure */

/* Over white space and comments, which may hold comments (RFC 5322, 3.2.2). */
static struct slice
skip_cfws(struct slice s)
{
	size_t depth = 0, i = 0;

	for (; i < s.len; i++) {
		if (depth > 0 && s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '(')
			depth++;
		else if (depth > 0 && s.ptr[i] == ')')
			depth--;
		else if (depth == 0 && !ascii_space(s.ptr[i]))
			break;
	}
	return slice_after(s, i);
}

/* Takes this character, and what may stand before it. */
static bool
take(struct slice *s, char c)
{
	struct slice rest = skip_cfws(*s);

	if (rest.len == 0 || rest.ptr[0] != c)
		return false;
	*s = slice_after(rest, 1);
	return true;
}

/* The instance of an AAR (4.1.1: it stands first); 0 when there is none. */
static unsigned
results_instance(struct slice body, struct slice *results_r)
{
	struct slice s = body, digits;
	size_t n = 0;

	if (!take(&s, 'i') || !take(&s, '='))
		return 0;
	s = skip_cfws(s);
	while (n < s.len && ascii_digit(s.ptr[n]))
		n++;
	digits = slice_sub(s, 0, n);
	s = slice_after(s, n);
	if (!take(&s, ';'))
		return 0;
	*results_r = slice_trim(s);
	return sig_instance(digits);
}

/* Where a field's index (plus one) belongs; NULL: it is no good. */
static size_t *
place(struct arc_chain *chain, unsigned instance, enum sig_kind kind)
{
	struct arc_set *set;

	if (instance == 0) {
		chain_fail(chain, "structure", "an instance is no number of "
		    "1 to 50");
		return NULL;
	}
	if (instance > chain->highest)
		chain->highest = instance;
	set = &chain->sets[instance - 1];
	if (kind == SIG_DKIM)
		return &set->aar;
	return kind == SIG_AMS ? &set->ams : &set->as;
}

static bool
placed(struct arc_chain *chain, size_t *at, size_t index)
{
	if (at == NULL)
		return false;
	if (*at != 0) {
		chain_fail(chain, "structure", "a field of a set stands twice");
		return false;
	}
	*at = index + 1;
	return true;
}

static enum arc_status
cv_of(const struct tags *tags)
{
	struct slice cv = tags_find(tags, SLICE("cv"));

	if (slice_eq(cv, SLICE("none")))
		return ARC_NONE;
	return slice_eq(cv, SLICE("pass")) ? ARC_PASS : ARC_FAIL;
}

static void
read_results(struct arc_chain *chain, const struct field *f, size_t index)
{
	struct slice results = SLICE_NONE;
	unsigned instance = results_instance(f->body, &results);

	if (placed(chain, place(chain, instance, SIG_DKIM), index))
		chain->sets[instance - 1].results = results;
}

static void
read_signature(struct arena *a, struct arc_chain *chain,
    const struct field *f, size_t index, enum sig_kind kind,
    const struct dkim_limits *limits)
{
	struct dkim_signature sig;
	unsigned instance = 0;
	struct arc_set *set;
	struct tags tags;

	sig_read(a, f, kind, limits, &sig, &tags);
	sig.index = index;
	instance = sig_instance(tags_find(&tags, SLICE("i")));
	if (!placed(chain, place(chain, instance, kind), index))
		return;
	set = &chain->sets[instance - 1];
	if (kind == SIG_AMS) {
		set->message = sig;
	} else {
		set->seal = sig;
		set->cv = cv_of(&tags);
	}
}

/* A kind for each of the three; 0: another field. */
static unsigned
kind_of(struct slice name)
{
	if (slice_eq_nocase(name, SLICE("ARC-Authentication-Results")))
		return SIG_DKIM;
	if (slice_eq_nocase(name, SLICE("ARC-Message-Signature")))
		return SIG_AMS;
	return slice_eq_nocase(name, SLICE("ARC-Seal")) ? SIG_SEAL : 0;
}

/* How many fields there are; no more than 50 sets can have are read. */
static size_t
collect(struct arena *a, const struct message *msg,
    const struct dkim_limits *limits, struct arc_chain *chain)
{
	size_t n = 0;

	for (size_t i = 0; i < msg->nfields; i++) {
		const struct field *f = &msg->fields[i];
		unsigned kind = kind_of(f->name);

		if (kind == 0)
			continue;
		if (n++ == 0)
			chain->sets = arena_array(a, ARC_SETS,
			    sizeof *chain->sets);
		if (n > ARC_FIELDS)
			continue;
		if (kind == SIG_DKIM)
			read_results(chain, f, i);
		else
			read_signature(a, chain, f, i, kind, limits);
	}
	return n;
}

/* 5.2, step 3: one of each, no gaps, cv= as it has to be. */
static void
judge(struct arc_chain *chain)
{
	for (unsigned i = 0; i < chain->highest; i++) {
		const struct arc_set *set = &chain->sets[i];

		if (set->aar == 0 || set->ams == 0 || set->as == 0) {
			chain_fail(chain, "structure",
			    "a field of a set is missing");
			return;
		}
		if (set->cv != (i == 0 ? ARC_NONE : ARC_PASS)) {
			chain_fail(chain, "cv",
			    "a seal says what it must not of the chain");
			return;
		}
	}
	chain->count = chain->highest;
}

/* Whether the newest seal says cv=fail in so many words. */
static bool
has_ended(const struct arc_chain *chain)
{
	const struct arc_set *set;

	if (chain->highest == 0)
		return false;
	set = &chain->sets[chain->highest - 1];
	return set->as != 0 && set->cv == ARC_FAIL;
}

void
arc_read(struct arena *a, const struct message *msg,
    const struct dkim_limits *limits, struct arc_chain *chain_r)
{
	size_t n;

	*chain_r = (struct arc_chain){ .rule = "none",
	    .reason = SLICE("no chain") };
	n = collect(a, msg, limits, chain_r);
	chain_r->ended = has_ended(chain_r);
	if (chain_r->status == ARC_FAIL || n == 0)
		return;
	if (n > ARC_FIELDS)
		chain_fail(chain_r, "structure", "more sets than are allowed");
	else if (chain_r->ended)
		chain_fail(chain_r, "cv", "the chain had failed before");
	else
		judge(chain_r);
}

/* Keys */

static void
add_name(struct arena *a, const struct dkim_signature *sig,
    struct slice *names, size_t *n)
{
	struct slice name;

	if (!dkim_key_name(a, sig, &name))
		return;
	for (size_t i = 0; i < *n; i++)
		if (slice_eq(names[i], name))
			return;
	names[(*n)++] = name;
}

size_t
arc_names(struct arena *a, const struct arc_chain *chain,
    struct slice **names_r)
{
	struct slice *names = arena_array(a, chain->count + 1, sizeof *names);
	size_t n = 0;

	*names_r = names;
	if (chain->status == ARC_FAIL || chain->count == 0)
		return 0;
	add_name(a, &chain->sets[chain->count - 1].message, names, &n);
	for (unsigned i = chain->count; i > 0; i--)
		add_name(a, &chain->sets[i - 1].seal, names, &n);
	return n;
}

/* Validation */

struct validation {
	struct arena *a;
	struct arc_chain *chain;
	const struct message *msg;
	struct dkim_bodies *bodies;
	arc_lookup *lookup;
	void *arg;
	struct dkim_keys *keys;
	const struct dkim_limits *limits;
};

static const struct dns_answer *
answer_for(const struct validation *v, const struct dkim_signature *sig)
{
	struct slice name;

	return dkim_key_name(v->a, sig, &name) ? v->lookup(v->arg, name) : NULL;
}

static bool
message_good(const struct validation *v, struct dkim_signature *sig)
{
	dkim_verify(v->a, sig, v->msg, v->bodies, answer_for(v, sig), v->keys,
	    v->limits);
	return sig->result == DKIM_PASS;
}

/* A signature of the chain that does not verify: the chain is as it is. */
static void
link_broken(struct arc_chain *chain, const struct dkim_signature *sig,
    const char *rule)
{
	chain->status = ARC_FAIL;
	chain->temporary = sig->result == DKIM_TEMPERROR;
	chain->rule = rule;
	chain->reason = sig->reason;
}

/*
 * 5.1.1: a seal signs all sets up to its own in their order, AAR, AMS, AS,
 * its own with an empty b=. What goes before is hashed once for all of them.
 */
static bool
hash_set(const struct validation *v, EVP_MD_CTX *all, EVP_MD_CTX *own,
    const struct arc_set *set, unsigned char *hash_r)
{
	const struct field *as = &v->msg->fields[set->as - 1];
	struct slice aar = bodies_field(v->bodies, DKIM_RELAXED, set->aar - 1);
	struct slice ams = bodies_field(v->bodies, DKIM_RELAXED, set->ams - 1);
	struct slice seal = bodies_field(v->bodies, DKIM_RELAXED, set->as - 1);
	struct buf empty = buf_in(v->a);

	canon_signature(&empty, DKIM_RELAXED, as,
	    slice_sub(as->body, set->seal.b_at, set->seal.b_len));
	return EVP_DigestUpdate(all, aar.ptr, aar.len) == 1 &&
	    EVP_DigestUpdate(all, ams.ptr, ams.len) == 1 &&
	    EVP_MD_CTX_copy_ex(own, all) == 1 &&
	    EVP_DigestUpdate(own, empty.ptr, empty.len) == 1 &&
	    EVP_DigestFinal_ex(own, hash_r, NULL) == 1 &&
	    EVP_DigestUpdate(all, seal.ptr, seal.len) == 1;
}

static bool
hash_seals(const struct validation *v, unsigned char (*hashes_r)[DKIM_HASH])
{
	EVP_MD_CTX *all = EVP_MD_CTX_new(), *own = EVP_MD_CTX_new();
	bool good = all != NULL && own != NULL &&
	    EVP_DigestInit_ex2(all, dkim_sha256(), NULL) == 1;

	for (unsigned i = 0; good && i < v->chain->count; i++)
		good = hash_set(v, all, own, &v->chain->sets[i], hashes_r[i]);
	EVP_MD_CTX_free(all);
	EVP_MD_CTX_free(own);
	return good;
}

static bool
seals_good(const struct validation *v)
{
	unsigned char hashes[ARC_SETS][DKIM_HASH];

	if (!hash_seals(v, hashes)) {
		chain_fail(v->chain, "seal", "no hash was made");
		v->chain->temporary = true;
		return false;
	}
	for (unsigned i = v->chain->count; i > 0; i--) {
		struct dkim_signature *sig = &v->chain->sets[i - 1].seal;

		if (sig->result == DKIM_NONE)
			verify_hash(sig, hashes[i - 1], answer_for(v, sig),
			    v->keys, v->limits);
		if (sig->result != DKIM_PASS) {
			link_broken(v->chain, sig, "seal");
			return false;
		}
	}
	return true;
}

/* 5.2, step 5: how far back the message is what was signed. */
static unsigned
oldest_pass(const struct validation *v)
{
	for (unsigned i = v->chain->count - 1; i > 0; i--)
		if (!message_good(v, &v->chain->sets[i - 1].message))
			return i + 1;
	return 0;
}

void
arc_validate(struct arena *a, struct arc_chain *chain,
    const struct message *msg, struct dkim_bodies *bodies,
    arc_lookup *lookup, void *arg, struct dkim_keys *keys,
    const struct dkim_limits *limits)
{
	struct validation v = { a, chain, msg, bodies, lookup, arg, keys,
	    limits };
	struct dkim_signature *newest;

	if (chain->status == ARC_FAIL || chain->count == 0)
		return;
	newest = &chain->sets[chain->count - 1].message;
	if (!message_good(&v, newest)) {
		link_broken(chain, newest, "message");
		return;
	}
	if (!seals_good(&v))
		return;
	chain->status = ARC_PASS;
	chain->rule = "pass";
	chain->reason = SLICE("all seals are good");
	chain->oldest_pass = oldest_pass(&v);
}
