#include "milter/settings.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A resolver may outlive the set that opened it: a reload that leaves its
 * options alone keeps its cache. */
struct resolver {
	struct dns *dns;
	_Atomic unsigned references;
};

#define PLACE(field)	offsetof(struct milter_conf, field)

const struct conf_option milter_options[] = {
	{ "socket", CONF_PATH, PLACE(socket), "", 0, 100,
	  "Socket that Postfix connects to. A relative path is taken below "
	  "queue_directory, so that it reads the same for a chrooted Postfix "
	  "process. Empty means gatehouse/NAME/sock, NAME being the milter's.",
	  NULL },
	{ "deadline", CONF_TIME, PLACE(deadline), "25s", 100, 290000,
	  "Time for one message at end-of-message. When it is over nothing is "
	  "changed any more and the answer is tempfail. Keep it below "
	  "Postfix's content_timeout for this milter.", NULL },
	{ "overrun", CONF_TIME, PLACE(overrun), "10s", 50, 600000,
	  "A filter that has not come back so long after the deadline never "
	  "will: the daemon ends in order, is started again by its service "
	  "manager, and counts the message as one that crashed it. After three "
	  "crashes or time-outs a message is held unread.", NULL },
	{ "sessions", CONF_COUNT, PLACE(sessions), "1000", 1, 100000,
	  "SMTP sessions served at the same time; one more is turned away and "
	  "Postfix answers its client 451.", NULL },
	{ "memory", CONF_SIZE, PLACE(memory), "128M", 1 << 20, INT64_MAX,
	  "Memory for the messages of all sessions together. A message that "
	  "does not fit is answered tempfail.", NULL },
	{ "spool", CONF_SIZE, PLACE(spool), "4G", 1 << 20, INT64_MAX,
	  "Disk space for large messages of all sessions together, while they "
	  "are looked at. A message that does not fit is answered tempfail.",
	  NULL },
	{ "drain", CONF_TIME, PLACE(drain), "20s", 0, 600000,
	  "How long a stop waits for messages that are being looked at.",
	  NULL },
	{ "idle", CONF_TIME, PLACE(idle), "10m", 1000, 7200000,
	  "How long Postfix may be silent before its connection is closed.",
	  NULL },
	{ "slow_sessions", CONF_COUNT, PLACE(slow_sessions), "100", 0, 100000,
	  "SMTP sessions that may be slowed down at the same time (by harvest, "
	  "say). Each of them holds a thread here and a process of Postfix; "
	  "beyond this number nobody is slowed, and who should be is refused "
	  "for now at his next session. Keep it well below sessions and "
	  "Postfix's default_process_limit.", NULL },
	{ .name = NULL }
};

const struct conf_option chain_options[] = {
	{ "filters", CONF_LIST, PLACE(filters), "auth-check", 1, 20,
	  "The filters that this process hosts, in the order in which they "
	  "look at a message. Each reads its own NAME.conf beside this file.",
	  NULL },
	{ .name = NULL }
};

static enum rc
load_file(struct settings *set, const struct settings_source *source,
    const char *path, const struct conf_section *sections,
    struct slice *why_r)
{
	return (source->trusted ? conf_load_trusted : conf_load)(set->arena,
	    path, sections, why_r);
}

static enum rc
load_house(struct settings *set, const struct settings_source *source,
    struct slice *why_r)
{
	struct conf_section sections[] = {
		{ house_options, &set->house }, { NULL, NULL },
	};

	return load_file(set, source, source->house_file, sections, why_r);
}

static const char *
file_of(struct settings *set, const struct settings_source *source,
    const char *name)
{
	const char *path;

	if (source->conf_file != NULL && strcmp(name, source->name) == 0)
		return source->conf_file;
	if (source->conf_dir == NULL)
		return NULL;
	path = arena_printf(set->arena, "%s/%s.conf", source->conf_dir,
	    name).ptr;
	return source->optional && access(path, F_OK) != 0 ? NULL : path;
}

/* One filter's own options; its file also holds those of a daemon, which
 * count only when it is one. */
static enum rc
load_filter(struct settings *set, const struct settings_source *source,
    const struct filter *filter, struct slice *why_r)
{
	struct instance *in = &set->instances[set->ninstances++];
	struct milter_conf *milter = source->chain ?
	    arena_alloc(set->arena, sizeof *milter) : &set->milter;

	in->filter = filter;
	in->conf = arena_alloc(set->arena, filter->conf_size + 1);
	struct conf_section sections[] = {
		{ milter_options, milter },
		{ filter->options, in->conf },
		{ NULL, NULL },
	};
	enum rc rc;

	rc = load_file(set, source, file_of(set, source, filter->name),
	    sections, why_r);
	in->needs = filter->needs;
	if (rc == RC_OK && filter->wants != NULL)
		in->needs |= filter->wants(in->conf);
	in->configured = in->needs;
	return rc;
}

/* May there be a message whose body none of them wants? */
static bool
leaves_bodies(const struct settings *set)
{
	for (size_t i = 0; i < set->ninstances; i++)
		if ((set->instances[i].needs & NEED_BODY) &&
		    set->instances[i].filter->wants_body == NULL)
			return false;
	return (set->needs & NEED_BODY) != 0;
}

static const struct filter *
find_filter(const struct settings_source *source, struct slice name)
{
	for (const struct filter *const *f = source->filters; *f != NULL; f++)
		if (slice_eq(slice_of((*f)->name), name))
			return *f;
	return NULL;
}

static enum rc
load_chain(struct settings *set, const struct settings_source *source,
    struct slice *why_r)
{
	const char *path = file_of(set, source, source->name);
	struct conf_section sections[] = {
		{ milter_options, &set->milter },
		{ chain_options, &set->milter },
		{ NULL, NULL },
	};
	enum rc rc = load_file(set, source, path, sections, why_r);

	set->instances = arena_array(set->arena,
	    set->milter.filters.count + 1, sizeof *set->instances);
	for (size_t i = 0; rc == RC_OK && i < set->milter.filters.count; i++) {
		struct slice name = set->milter.filters.items[i];
		const struct filter *filter = find_filter(source, name);

		if (filter == NULL) {
			*why_r = arena_printf(set->arena, "%s: filters: there "
			    "is no filter \"%.*s\"", path != NULL ? path :
			    source->name, SLICE_ARG(name));
			return RC_BAD;
		}
		rc = load_filter(set, source, filter, why_r);
	}
	return rc;
}

static enum rc
load_single(struct settings *set, const struct settings_source *source,
    struct slice *why_r)
{
	enum rc rc = RC_OK;
	size_t n = 0;

	while (source->filters[n] != NULL)
		n++;
	set->instances = arena_array(set->arena, n + 1,
	    sizeof *set->instances);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = load_filter(set, source, source->filters[i], why_r);
	return rc;
}

static bool
same_resolver(const struct house_conf *a, const struct house_conf *b)
{
	return strcmp(a->resolver, b->resolver) == 0 &&
	    a->resolver_timeout == b->resolver_timeout &&
	    a->dns_cache == b->dns_cache;
}

static enum rc
open_resolver(struct settings *set, const struct settings *before,
    struct slice *why_r)
{
	struct dns_conf conf = {
		.resolver = set->house.resolver,
		.timeout_ms = (unsigned)set->house.resolver_timeout,
		.cache_entries = set->house.dns_cache,
		.ttl_max = 3600,
	};

	if (before != NULL && before->resolver != NULL &&
	    same_resolver(&before->house, &set->house)) {
		set->resolver = before->resolver;
		atomic_fetch_add(&set->resolver->references, 1);
	} else {
		struct dns *dns = dns_open(&conf, set->arena, why_r);

		if (dns == NULL)
			return RC_RETRY;
		set->resolver = mem_alloc(sizeof *set->resolver);
		set->resolver->dns = dns;
		set->resolver->references = 1;
	}
	set->dns = set->resolver->dns;
	return RC_OK;
}

/* A seal is needed as soon as two processes share a message. */
static enum rc
load_key(struct settings *set, struct slice *why_r)
{
	const struct house_conf *house = &set->house;

	if (house->seal_key[0] != '\0')
		return seal_key_load(house->seal_key, &set->key, set->arena,
		    why_r);
	if (house->splitter) {
		*why_r = SLICE("splitter is true, so seal_key must name a key "
		    "file: what is split is known by it; make one with: "
		    "openssl rand -hex 32 > FILE");
		return RC_BAD;
	}
	if (house->inbound.count > set->ninstances ||
	    house->outbound.count > set->ninstances) {
		*why_r = SLICE("inbound or outbound names several filters, "
		    "so seal_key must name a key file; make one with: openssl "
		    "rand -hex 32 > FILE");
		return RC_BAD;
	}
	return RC_OK;
}

/* What all need together. Who holds needs the whole message, and may have to
 * remove recipients. */
static void
settle_needs(struct settings *set)
{
	set->needs = 0;
	for (size_t i = 0; i < set->ninstances; i++)
		set->needs |= set->instances[i].needs;
	if (leaves_bodies(set))
		set->needs |= LEAVES_BODY;
	if (!set->store)
		set->needs &= ~(unsigned)HOLDS;
	if (set->needs & HOLDS)
		set->needs = (set->needs | NEED_BODY) & ~(unsigned)LEAVES_BODY;
}

static enum rc
load_store(struct settings *set, struct slice *why_r)
{
	const struct house_conf *house = &set->house;

	set->store = set->store || house->store_key[0] != '\0';
	set->store_folder = arena_printf(set->arena, "%s/store/incoming",
	    house->state_directory).ptr;
	if (house->store_key[0] == '\0')
		return RC_OK;
	/* The mark on what is released has its MAC from this key. */
	if (set->key.len == 0) {
		*why_r = SLICE("store_key is set, so seal_key must be too: "
		    "else what is released would be held again; make one "
		    "with: openssl rand -hex 32 > FILE");
		return RC_BAD;
	}
	return crypt_public_load(house->store_key, &set->store_key,
	    set->arena, why_r);
}

static enum rc
open_filters(struct settings *set, const struct settings_source *source,
    struct slice *why_r)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < set->ninstances; i++) {
		struct instance *in = &set->instances[i];

		if (in->filter->check != NULL)
			rc = in->filter->check(in->conf, &set->house,
			    set->arena, why_r);
		if (rc == RC_OK && in->filter->open != NULL &&
		    !(source->only_check && in->filter->opens_slowly))
			rc = in->filter->open(in->conf, &set->house, set->dns,
			    &in->shared, set->arena, why_r);
	}
	return rc;
}

/* ---- policy ---- */

static const struct scopes *
scopes_of(const struct instance *in)
{
	for (const struct conf_option *o = in->filter->options;
	    o->name != NULL; o++)
		if (conf_kind_of(o) == CONF_SCOPES)
			return *(struct scopes **)((char *)in->conf +
			    o->offset);
	return NULL;
}

/* The map that is there now, if it is one for these files. */
static enum rc
open_policy(struct settings *set, struct slice *why_r)
{
	enum rc rc = policy_open(set->policy_path, &set->house, &set->policy,
	    set->arena, why_r);

	for (size_t i = 0; rc == RC_OK && i < set->ninstances; i++) {
		const struct instance *in = &set->instances[i];

		rc = policy_fits(set->policy, &set->house, in->filter->name,
		    in->filter->options, scopes_of(in), set->arena, why_r);
	}
	if (rc == RC_OK && set->house.splitter)
		set->forms = forms_of(set->policy);
	return rc;
}

static enum rc
survey(struct settings *set, bool only_check, struct slice *why_r)
{
	for (size_t i = 0; i < set->ninstances; i++) {
		struct instance *in = &set->instances[i];
		struct survey got = { .arena = set->arena };
		enum rc rc;

		if (in->filter->survey == NULL ||
		    (only_check && in->filter->opens_slowly))
			continue;
		rc = in->filter->survey(in->conf, in->shared, set->policy,
		    &got);
		if (rc != RC_OK) {
			*why_r = got.why;
			return rc;
		}
		in->needs |= got.needs;
		in->view = got.view;
	}
	settle_needs(set);
	return RC_OK;
}

static enum rc
load_files(struct settings *set, const struct settings_source *source,
    struct slice *why_r)
{
	enum rc rc = load_house(set, source, why_r);

	if (rc == RC_OK)
		rc = source->chain ? load_chain(set, source, why_r) :
		    load_single(set, source, why_r);
	if (rc == RC_OK && source->adjust != NULL)
		source->adjust(set, source->arg);
	if (rc == RC_OK)
		rc = house_finish(&set->house, set->arena, why_r);
	/* What nobody configured has no map either. */
	if (rc == RC_OK && source->house_file != NULL)
		set->policy_path = source->map != NULL ? source->map :
		    policy_path(&set->house, set->arena);
	return rc;
}

static enum rc
load_all(struct settings *set, const struct settings_source *source,
    const struct settings *before, struct slice *why_r)
{
	enum rc rc = load_files(set, source, why_r);

	if (rc == RC_OK)
		rc = open_policy(set, why_r);
	if (rc == RC_OK)
		rc = load_key(set, why_r);
	if (rc == RC_OK)
		rc = load_store(set, why_r);
	settle_needs(set);
	if (rc == RC_OK && (set->needs & NEED_DNS))
		rc = open_resolver(set, before, why_r);
	if (rc == RC_OK)
		rc = open_filters(set, source, why_r);
	if (rc == RC_OK)
		rc = survey(set, source->only_check, why_r);
	return rc;
}

enum rc
settings_renew(struct settings *now, struct settings **set_r,
    struct arena *a, struct slice *why_r)
{
	struct settings *base = now->base != NULL ? now->base : now;
	struct settings *set = mem_alloc(sizeof *set);
	struct slice why = SLICE("");
	enum rc rc;

	*set = (struct settings){ .arena = arena_new(), .house = base->house,
	    .milter = base->milter, .key = base->key, .store = base->store,
	    .store_key = base->store_key,
	    .store_folder = base->store_folder,
	    .ninstances = base->ninstances, .resolver = base->resolver,
	    .dns = base->dns, .policy_path = base->policy_path,
	    .base = settings_hold(base), .references = 1 };
	set->instances = arena_array(set->arena, set->ninstances + 1,
	    sizeof *set->instances);
	memcpy(set->instances, base->instances,
	    set->ninstances * sizeof *set->instances);
	for (size_t i = 0; i < set->ninstances; i++)
		set->instances[i].needs = base->instances[i].configured;
	rc = open_policy(set, &why);
	if (rc == RC_OK)
		rc = survey(set, false, &why);
	if (rc == RC_OK) {
		*set_r = set;
		return RC_OK;
	}
	*why_r = arena_copy(a, why);
	settings_drop(set);
	return rc;
}

enum rc
settings_load(const struct settings_source *source,
    const struct settings *before, struct settings **set_r, struct arena *a,
    struct slice *why_r)
{
	struct settings *set = mem_alloc(sizeof *set);
	struct slice why = SLICE("");
	enum rc rc;

	set->arena = arena_new();
	set->references = 1;
	rc = load_all(set, source, before, &why);
	if (rc != RC_OK) {
		*why_r = arena_copy(a, why);
		settings_drop(set);
		return rc;
	}
	if (set->milter.socket[0] == '\0')
		set->milter.socket = arena_printf(set->arena,
		    "gatehouse/%s/sock", source->name).ptr;
	*set_r = set;
	return RC_OK;
}

static void *
shared_of(const struct settings *set, const struct filter *filter)
{
	for (size_t i = 0; set != NULL && i < set->ninstances; i++)
		if (set->instances[i].filter == filter)
			return set->instances[i].shared;
	return NULL;
}

enum rc
settings_state(struct settings *set, const struct settings *before,
    const char *dir, struct arena *a, struct slice *why_r)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < set->ninstances; i++) {
		const struct instance *in = &set->instances[i];

		if (in->filter->state != NULL)
			rc = in->filter->state(in->conf, in->shared,
			    shared_of(before, in->filter), dir, a, why_r);
	}
	return rc;
}

struct settings *
settings_hold(struct settings *set)
{
	atomic_fetch_add(&set->references, 1);
	return set;
}

void
settings_drop(struct settings *set)
{
	if (set == NULL || atomic_fetch_sub(&set->references, 1) != 1)
		return;
	if (set->base != NULL) {
		policy_drop(set->policy);
		settings_drop(set->base);
		arena_free(set->arena);
		free(set);
		return;
	}
	for (size_t i = 0; i < set->ninstances; i++) {
		struct instance *in = &set->instances[i];

		if (in->shared != NULL && in->filter->close != NULL)
			in->filter->close(in->shared);
	}
	if (set->resolver != NULL &&
	    atomic_fetch_sub(&set->resolver->references, 1) == 1) {
		dns_close(set->resolver->dns);
		free(set->resolver);
	}
	policy_drop(set->policy);
	arena_free(set->arena);
	free(set);
}
