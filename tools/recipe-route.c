/* Where mail goes, from which address, how encrypted, and what it shows. */
#include <string.h>
#include <sys/socket.h>

#include "net/ip.h"
#include "tools/recipe-build.h"

enum { POOLS_MAX = 100 };

/* The next word of a line. */
static struct slice
word(struct slice *rest)
{
	struct slice w;

	while (rest->len > 0 && ascii_space(rest->ptr[0]))
		*rest = slice_after(*rest, 1);
	w = *rest;
	while (rest->len > 0 && !ascii_space(rest->ptr[0]))
		*rest = slice_after(*rest, 1);
	w.len -= rest->len;
	return w;
}

/* --- encryption of mail that leaves ------------------------------------ */

struct level {
	const char *name;
	bool encrypted;			/* never in the clear */
};

static const struct level levels[] = {
	{ "none", false }, { "may", false }, { "encrypt", true },
	{ "dane", false }, { "dane-only", true }, { "fingerprint", true },
	{ "verify", true }, { "secure", true },
};

static const struct level *
level_of(struct slice name)
{
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		if (slice_eq(name, slice_of(levels[i].name)))
			return &levels[i];
	return NULL;
}

/* Two tables of the same: for senders who may not go in the clear, a weak
 * level is made encrypt, since a policy counts more than the transport. */
static void
add_policy(struct builder *b, struct slice line, struct buf *all,
    struct buf *strict)
{
	struct slice rest = line;
	struct slice domain = word(&rest), level = word(&rest);
	const struct level *l = level_of(level);

	if (l == NULL || domain.len == 0) {
		b_fails(b, "tls_policy has \"%.*s\"; it wants a domain and one "
		    "of none, may, encrypt, dane, dane-only, fingerprint, "
		    "verify, secure, as \"example.net encrypt\"",
		    SLICE_ARG(line));
		return;
	}
	rest = slice_trim(rest);
	buf_addf(all, "%.*s %s %.*s\n", SLICE_ARG(domain), l->name,
	    SLICE_ARG(rest));
	if (l->encrypted)
		buf_addf(strict, "%.*s %s %.*s\n", SLICE_ARG(domain), l->name,
		    SLICE_ARG(rest));
}

static void
tls_level(struct builder *b)
{
	static const char *const names[] = { "may", "dane", "encrypt" };
	int out = b->conf->tls_out;
	const struct level *is = level_of(slice_of(b_existing(b,
	    "smtp_tls_security_level")));
	struct want want = { RECIPE_MUST, RECIPE_SET, NULL };

	/* Opportunistic is the least: what is there already may be more. */
	if (out == POSTFIX_TLS_MAY && is != NULL &&
	    strcmp(is->name, "none") != 0)
		want.mode = RECIPE_DEFAULT;
	b_main(b, want, "smtp_tls_security_level", names[out],
	    out == POSTFIX_TLS_ENCRYPT ? "mail leaves encrypted or not at all" :
	    "mail leaves encrypted where the other side can");
	if (out == POSTFIX_TLS_DANE)
		b_main(b, MUST, "smtp_dns_support_level", "dnssec",
		    "DANE needs answers that were validated");
	b_main(b, (struct want){ RECIPE_MAY, RECIPE_DEFAULT, NULL },
	    "smtp_tls_loglevel", "1", "the log says how each mail went");
	if (b->in->ca_file != NULL && b_existing(b,
	    "smtp_tls_CApath")[0] == '\0')
		b_main(b, (struct want){ RECIPE_MAY, RECIPE_DEFAULT, NULL },
		    "smtp_tls_CAfile", b->in->ca_file,
		    "verify and secure need to know whom to trust");
	b_main(b, (struct want){ RECIPE_SHOULD, RECIPE_DEFAULT, NULL },
	    "smtpd_tls_security_level", "may",
	    "mail comes in encrypted where the other side can");
	b_service(b, "tlsmgr/unix", b_printf(b, "unix - - %s 1000? 1 tlsmgr",
	    b->in->chroot ? "y" : "n"), "without it there is no TLS");
}

static void
tls_policy(struct builder *b)
{
	const struct conf_list *list = &b->conf->tls_policy;
	struct buf all = buf_in(b->arena), strict = buf_in(b->arena);

	for (size_t i = 0; i < list->count; i++)
		add_policy(b, list->items[i], &all, &strict);
	if (list->count > 0) {
		b_map(b, "tls-policy", arena_str(b->arena, buf_slice(&all)),
		    "how mail to single destinations is encrypted");
		b_main(b, (struct want){ RECIPE_MUST, RECIPE_FIRST, NULL },
		    "smtp_tls_policy_maps", b_first(b, "smtp_tls_policy_maps",
		    "texthash:" RECIPE_DIR "/tls-policy"),
		    "what cannot be encrypted so waits, then is returned");
	}
	if (b->conf->tls_senders.count > 0)
		b_map(b, "tls-policy-senders", arena_str(b->arena,
		    buf_slice(&strict)), "the same for senders who may not go "
		    "in the clear, without the weak levels");
}

/* --- addresses and senders --------------------------------------------- */

struct pool {
	struct slice name, v4, v6, helo;
	bool plain, tls;		/* who needs it */
};

struct routes {
	struct pool pools[POOLS_MAX + 1];	/* the last: no pool, TLS */
	size_t npools;
	struct buf senders;
};

static bool
good_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_alnum(name.ptr[i]) && name.ptr[i] != '-')
			return false;
	return name.len > 0 && name.len <= 30;
}

static void
read_pool(struct builder *b, struct slice line, struct routes *r)
{
	struct pool *p = &r->pools[r->npools++];
	struct slice rest = line, w;
	bool good;

	p->name = word(&rest);
	good = good_name(p->name);
	while ((w = word(&rest)).len > 0) {
		struct ip ip;

		if (slice_starts(w, SLICE("helo="))) {
			p->helo = slice_after(w, 5);
		} else if (!ip_parse(w, &ip)) {
			good = false;
		} else {
			struct slice *to = ip.family == AF_INET ? &p->v4 :
			    &p->v6;

			good = good && to->len == 0;
			*to = w;
		}
	}
	if (!good || p->v4.len + p->v6.len == 0)
		b_fails(b, "pools has \"%.*s\"; it wants a name of letters, "
		    "digits and hyphens, an address of IPv4, of IPv6, or one "
		    "of each, and helo=NAME if it has a name of its own, as "
		    "\"bulk 192.0.2.10 2001:db8::10\"", SLICE_ARG(line));
}

static struct pool *
find_pool(struct routes *r, struct slice name)
{
	for (size_t i = 0; i < r->npools; i++)
		if (slice_eq(r->pools[i].name, name))
			return &r->pools[i];
	return NULL;
}

static const char *
transport_name(struct builder *b, const struct pool *p, bool tls)
{
	if (p->name.len == 0)
		return "gatehouse-tls";
	return b_printf(b, "gatehouse-pool-%.*s%s", SLICE_ARG(p->name),
	    tls ? "-tls" : "");
}

static void
add_sender(struct builder *b, struct routes *r, struct slice domain,
    struct pool *p)
{
	bool tls = conf_list_has_nocase(&b->conf->tls_senders, domain);

	*(tls ? &p->tls : &p->plain) = true;
	buf_addf(&r->senders, "@%.*s %s:\n", SLICE_ARG(domain),
	    transport_name(b, p, tls));
}

static void
read_senders(struct builder *b, struct routes *r)
{
	const struct postfix_conf *c = b->conf;
	struct pool *none = &r->pools[c->pools.count];

	for (size_t i = 0; i < c->pool_senders.count; i++) {
		struct slice rest = c->pool_senders.items[i];
		struct slice domain = word(&rest), name = word(&rest);
		struct pool *p = find_pool(r, name);

		if (domain.len == 0 || p == NULL ||
		    slice_trim(rest).len > 0)
			b_fails(b, "pool_senders has \"%.*s\"; it wants a "
			    "domain and the name of one of pools, as "
			    "\"news.example.org bulk\"",
			    SLICE_ARG(c->pool_senders.items[i]));
		else
			add_sender(b, r, domain, p);
	}
	for (size_t i = 0; i < c->tls_senders.count; i++) {
		struct slice domain = c->tls_senders.items[i];

		if (slice_search(buf_slice(&r->senders), slice_of(b_printf(b,
		    "@%.*s ", SLICE_ARG(domain)))) >= r->senders.len)
			add_sender(b, r, domain, none);
	}
}

static void
bind_options(struct builder *b, const struct pool *p)
{
	if (p->v4.len > 0)
		b_option(b, MUST, "smtp_bind_address", arena_str(b->arena,
		    p->v4), "the address that it leaves from");
	if (p->v6.len > 0)
		b_option(b, MUST, "smtp_bind_address6", arena_str(b->arena,
		    p->v6), "the same for IPv6");
	if (p->v4.len == 0 || p->v6.len == 0)
		b_option(b, MUST, "inet_protocols", p->v4.len > 0 ? "ipv4" :
		    "ipv6", "it has no address of the other kind");
	b_option(b, (struct want){ RECIPE_SHOULD, RECIPE_SET, "3.7" },
	    "smtp_bind_address_enforce", "yes",
	    "rather not than from another address");
	if (p->helo.len > 0)
		b_option(b, SHOULD, "smtp_helo_name", arena_str(b->arena,
		    p->helo), "the name that the address has in DNS");
}

static void
add_transport(struct builder *b, const struct pool *p, bool tls)
{
	const char *name = transport_name(b, p, tls);

	b_own_service(b, b_printf(b, "%s/unix", name), b_columns(b, "unix", "-",
	    "-", "smtp"), p->name.len > 0 ? "mail of a pool" :
	    "mail of senders who may not go in the clear");
	b_option(b, MAY, "syslog_name", b_printf(b, "postfix/%s", name + 10),
	    "the log says which way it went");
	if (p->name.len > 0)
		bind_options(b, p);
	if (!tls)
		return;
	b_option(b, MUST, "smtp_tls_security_level", "encrypt",
	    "encrypted or not at all");
	b_option(b, MUST, "smtp_tls_policy_maps",
	    "texthash:" RECIPE_DIR "/tls-policy-senders",
	    "a policy that allows less does not count here");
}

static void
senders(struct builder *b)
{
	struct routes *r = arena_alloc(b->arena, sizeof *r);
	const struct conf_list *pools = &b->conf->pools;

	r->senders = buf_in(b->arena);
	for (size_t i = 0; i < pools->count && i < POOLS_MAX; i++)
		read_pool(b, pools->items[i], r);
	read_senders(b, r);
	for (size_t i = 0; i <= r->npools; i++) {
		if (r->pools[i].plain)
			add_transport(b, &r->pools[i], false);
		if (r->pools[i].tls)
			add_transport(b, &r->pools[i], true);
	}
	if (r->senders.len == 0)
		return;
	b_map(b, "senders", arena_str(b->arena, buf_slice(&r->senders)),
	    "which way mail of single sender domains goes");
	b_main(b, (struct want){ RECIPE_MUST, RECIPE_FIRST, NULL },
	    "sender_dependent_default_transport_maps", b_first(b,
	    "sender_dependent_default_transport_maps",
	    "texthash:" RECIPE_DIR "/senders"),
	    "pools and enforced TLS go by the sender's domain");
}

/* --- inner servers ----------------------------------------------------- */

static void
inner(struct builder *b)
{
	const struct postfix_conf *c = b->conf;

	b->role = RECIPE_INBOUND;
	if (c->inner_server[0] != '\0')
		b_main(b, MUST, "relay_transport", b_printf(b, "relay:%s",
		    c->inner_server), "where our domains are at home");
	b_main(b, SHOULD, "relay_destination_concurrency_limit", b_printf(b,
	    "%u", c->site_concurrency),
	    "a server that is back is not run over by what waited for it");
	b_main(b, SHOULD, "relay_initial_destination_concurrency", b_printf(b,
	    "%u", c->site_start), "and begins slowly");
}

void
recipe_routes(struct builder *b)
{
	const struct postfix_conf *c = b->conf;
	const char *maps = b_transports(b);

	if (maps != NULL)
		b_main(b, (struct want){ RECIPE_MUST, RECIPE_FIRST, NULL },
		    "transport_maps", b_first(b, "transport_maps", maps),
		    "single users and domains have servers of their own");
	if (b->in->role & RECIPE_INBOUND)
		inner(b);
	b->role = b->in->role;
	tls_level(b);
	tls_policy(b);
	if (!(b->in->role & RECIPE_OUTBOUND))
		return;
	b->role = RECIPE_OUTBOUND;
	if (c->smart_host[0] != '\0')
		b_main(b, MUST, "relayhost", c->smart_host,
		    "all mail for the world goes there");
	senders(b);
}

/* --- what outbound mail does not show ---------------------------------- */

/* As it stands in an extended regular expression between slashes. */
static void
add_literal(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_alnum(s.ptr[i]) && s.ptr[i] != '-' &&
		    s.ptr[i] != '_')
			buf_addc(out, '\\');
		buf_addc(out, s.ptr[i]);
	}
}

static void
add_fields(struct builder *b, struct buf *out)
{
	const struct conf_list *list = &b->conf->hide_fields;

	for (size_t i = 0; i < list->count; i++) {
		buf_adds(out, i == 0 ? "/^(" : "|");
		add_literal(out, list->items[i]);
	}
	if (list->count > 0)
		buf_adds(out, "):/ IGNORE\n");
}

static void
add_hosts(struct builder *b, struct buf *out)
{
	const struct conf_list *list = &b->conf->hide_hosts;

	buf_adds(out, "if /[^A-Za-z0-9.-](");
	for (size_t i = 0; i < list->count; i++) {
		struct slice host = list->items[i];
		bool prefix = host.len > 0 && (host.ptr[host.len - 1] == '.' ||
		    host.ptr[host.len - 1] == ':');

		if (i > 0)
			buf_addc(out, '|');
		if (!prefix)
			buf_adds(out, "([A-Za-z0-9_-]+\\.)*");
		add_literal(out, host);
		if (prefix)
			buf_adds(out, "[0-9A-Fa-f.:]*");
	}
	buf_adds(out, ")[^A-Za-z0-9.-]/\n");
}

/* As Postfix writes it into Received. */
static const char *
our_name(struct builder *b)
{
	const char *is = b_existing(b, "myhostname");

	if (is[0] == '\0' || strchr(is, '$') != NULL)
		return b->in->house->hostname;
	if (strcmp(is, b->in->house->hostname) != 0)
		b_note(b, RECIPE_SHOULD, "hostname", "main.cf says "
		    "myhostname = %s, gatehouse.conf hostname = \"%s\"", is,
		    b->in->house->hostname);
	return is;
}

/* A Received field stays one, without its names: Postfix counts them, and a
 * loop between two servers would never end if they went away. */
void
recipe_scrub(struct builder *b)
{
	struct buf out = buf_in(b->arena), host = buf_in(b->arena);
	bool some = b->conf->hide_hosts.count > 0;
	const char *us = our_name(b), *name;

	add_literal(&host, slice_of(us));
	name = arena_str(b->arena, buf_slice(&host));
	add_fields(b, &out);
	buf_adds(&out, "if /^Received:/\n");
	if (some)
		add_hosts(b, &out);
	buf_addf(&out, "/[[:space:]]by %s \\([^()]*\\)[[:space:]]+with "
	    "([A-Z0-9]+) id ([A-Za-z0-9]+).*;([^;]*)$/ "
	    "REPLACE Received: by %s with $1 id $2;$3\n", name, us);
	buf_addf(&out, "/;([^;]*)$/ REPLACE Received: by %s;$1\n", us);
	buf_addf(&out, "/^/ REPLACE Received: by %s\n", us);
	buf_adds(&out, some ? "endif\nendif\n" : "endif\n");
	b_map(b, "scrub", arena_str(b->arena, buf_slice(&out)),
	    "outbound mail shows nothing of inner servers");
	b_own_service(b, "gatehouse-cleanup/unix", b_columns(b, "unix", "n",
	    "0", "cleanup"), "cleanup(8) for outbound mail");
	b_option(b, MAY, "syslog_name", "postfix/outbound",
	    "the log says which one it was");
	b_option(b, MUST, "header_checks", b_first(b, "header_checks",
	    "regexp:" RECIPE_DIR "/scrub"),
	    "inner names and addresses are written out of it");
}
