/* What holds for the whole Postfix: main.cf. */
#include "tools/recipe-build.h"
#include "verdict/plan.h"

#define NORMALIZE	"3.9, 3.8.5, 3.7.10, 3.6.14, 3.5.24"
#define PIPELINING	"3.9, 3.8.1, 3.7.6, 3.6.10, 3.5.20"

static const char *
number(struct builder *b, uint64_t n)
{
	return b_printf(b, "%llu", (unsigned long long)n);
}

/* How long mail waits, how often it is tried, and who is told. */
static void
times(struct builder *b)
{
	const struct postfix_conf *c = b->conf;
	struct arena *a = b->arena;
	const char *life = recipe_time(c->queue_lifetime, a);

	b_main(b, SHOULD, "maximal_queue_lifetime", life,
	    "mail for a site that is down is kept this long");
	b_main(b, SHOULD, "bounce_queue_lifetime", life,
	    "and so are notices, which would be lost unseen otherwise");
	b_main(b, SHOULD, "minimal_backoff_time",
	    recipe_time(c->minimal_backoff, a),
	    "short retries: a site that is back gets its mail soon");
	b_main(b, SHOULD, "maximal_backoff_time",
	    recipe_time(c->maximal_backoff, a),
	    "also after days; the end of the time is kept this exactly");
	b_main(b, SHOULD, "queue_run_delay", recipe_time(c->queue_run, a),
	    "a retry cannot come earlier than the queue is looked at");
	b_main(b, SHOULD, "delay_warning_time", c->delay_warning == 0 ? "0h" :
	    recipe_time(c->delay_warning, a),
	    "the sender hears that his mail waits, not only that it failed");
	b_main(b, MAY, "confirm_delay_cleared", "yes",
	    "and hears when it arrived after all");
}

static void
notices(struct builder *b)
{
	struct buf list = buf_in(b->arena);

	for (size_t i = 0; i < b->conf->notify.count; i++) {
		if (i > 0)
			buf_adds(&list, ", ");
		buf_add(&list, b->conf->notify.items[i]);
	}
	b_main(b, MAY, "notify_classes", arena_str(b->arena,
	    buf_slice(&list)), "what postmaster is told");
}

/* A milter may make a message larger; what Postfix then refuses it refuses
 * for good (552). So listeners take what users may send, and the queue more. */
static void
sizes(struct builder *b)
{
	const struct postfix_conf *c = b->conf;
	uint64_t grown = c->size / 100 * c->growth +
	    c->size % 100 * c->growth / 100;
	uint64_t limit = b->in->house->message_size_limit;

	if (limit != 0 && limit < grown)
		b_fails(b, "message_size_limit of gatehouse.conf is %llu; with "
		    "size = %llu in postfix.conf, and growth to %u percent, it "
		    "must be at least %llu", (unsigned long long)limit,
		    (unsigned long long)c->size, c->growth,
		    (unsigned long long)grown);
	b_main(b, MUST, "message_size_limit", number(b, limit),
	    "as in gatehouse.conf: above what users may send, since encryption "
	    "and encoding make mail larger, and that may not fail");
	b_main(b, MUST, "mailbox_size_limit", "0",
	    "may not be below message_size_limit, or local(8) does not run");
	b_main(b, MUST, "virtual_mailbox_limit", "0",
	    "the same for virtual(8)");
	b_main(b, SHOULD, "queue_minfree", number(b, limit == 0 ? c->size * 2 :
	    limit + limit / 2), "the disk takes one such message more before "
	    "MAIL is answered with 250");
}

static void
smuggling(struct builder *b)
{
	const struct want normalize = { RECIPE_MUST, RECIPE_SET, NORMALIZE };
	const struct want reject = { RECIPE_MUST, RECIPE_SET, BARE_NEWLINE };
	struct buf hosts = buf_in(b->arena);

	for (size_t i = 0; i < b->conf->bare_newline_clients.count; i++) {
		if (i > 0)
			buf_adds(&hosts, ", ");
		buf_add(&hosts, net_format(b->arena,
		    &b->conf->bare_newline_clients.items[i]));
	}
	/* A parameter that came with that value. */
	if (b_knows(b, "smtpd_forbid_bare_newline_reject_code", NORMALIZE)) {
		b_main(b, normalize, "smtpd_forbid_bare_newline", "normalize",
		    "only CRLF.CRLF ends a message, or a second one can be "
		    "smuggled in (CVE-2023-51764)");
	} else {
		b_note(b, RECIPE_MUST, "smtpd_forbid_bare_newline",
		    "this Postfix cannot \"normalize\" (since %s)%s", NORMALIZE,
		    b_knows(b, "smtpd_forbid_bare_newline", BARE_NEWLINE) ?
		    ": clients that send a bare newline are refused instead" :
		    ", nor refuse: the recipe does what can be done "
		    "otherwise, which is not all; upgrade");
		b_main(b, reject, "smtpd_forbid_bare_newline", "yes",
		    "a bare newline ends the session, or a second message can "
		    "be smuggled in (CVE-2023-51764)");
	}
	b_main(b, reject, "smtpd_forbid_bare_newline_exclusions",
	    arena_str(b->arena, buf_slice(&hosts)),
	    "for all clients, those of mynetworks too");
	b_main(b, (struct want){ RECIPE_SHOULD, RECIPE_SET, PIPELINING },
	    "smtpd_forbid_unauth_pipelining", "yes",
	    "who sends commands before he may is no mail server");
	b_main(b, (struct want){ RECIPE_SHOULD, RECIPE_SET, NORMALIZE },
	    "cleanup_replace_stray_cr_lf", "yes",
	    "and we smuggle nothing to others");
}

void
recipe_queue(struct builder *b)
{
	b_main(b, SHOULD, "enable_long_queue_ids", "yes",
	    "a queue id names one message for ever; short ones come again");
	times(b);
	notices(b);
	sizes(b);
	smuggling(b);
	b_main(b, (struct want){ RECIPE_MAY, RECIPE_DEFAULT, "3.6" },
	    "respectful_logging", "yes",
	    "log readers meet one set of words");
}

/* --- milters ----------------------------------------------------------- */

static const char *
chain_value(struct builder *b, const struct recipe_chain *chain)
{
	struct buf out = buf_in(b->arena);

	for (size_t i = 0; i < chain->count; i++) {
		const struct recipe_filter *f = &chain->items[i];

		if (i > 0)
			buf_adds(&out, ", ");
		buf_addf(&out, "{ %s, connect_timeout=%s, command_timeout=%s, "
		    "content_timeout=%s, default_action=tempfail }",
		    f->socket, recipe_time(b->conf->connect_timeout, b->arena),
		    recipe_time(b->conf->command_timeout, b->arena),
		    recipe_time(f->content_timeout, b->arena));
	}
	return arena_str(b->arena, buf_slice(&out));
}

static void
check_sockets(struct builder *b, const struct recipe_chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		if (slice_starts(slice_of(chain->items[i].socket),
		    SLICE("unix:/")))
			b_note(b, RECIPE_SHOULD, chain->items[i].name,
			    "its socket %s is outside of the queue directory; "
			    "a chrooted smtpd does not find it",
			    chain->items[i].socket + 5);
}

static void
seal_strip(struct builder *b)
{
	static const char table[] = "regexp:" RECIPE_DIR "/strip";
	const struct want first = { RECIPE_MUST, RECIPE_FIRST, NULL };

	b_map(b, "strip",
	    "/^X-Gatehouse-(Seal|Release|Route|Split):/ IGNORE\n",
	    "what the milters say to each other does not leave, should the "
	    "last of them not have removed it");
	b_main(b, first, "smtp_header_checks",
	    b_first(b, "smtp_header_checks", table),
	    "nothing of ours leaves by SMTP");
	b_main(b, first, "lmtp_header_checks",
	    b_first(b, "lmtp_header_checks", table), "or by LMTP");
}

/* A rule of predelivery says where mail goes by a field that it adds and takes
 * away again; cleanup(8) makes a FILTER of it. */
static void
rule_routes(struct builder *b)
{
	static const char table[] = "regexp:" RECIPE_DIR "/route";
	const struct house_conf *house = b->in->house;
	const struct slice name = SLICE("predelivery");

	if (!conf_list_has(&house->inbound, name) &&
	    !conf_list_has(&house->outbound, name))
		return;
	b_map(b, "route", "%^" ROUTE_FIELD ": "
	    "([A-Za-z0-9_-]+:[][A-Za-z0-9.:_/-]+)$% FILTER $1\n",
	    "mail that a rule routes goes there");
	b_main(b, (struct want){ RECIPE_MUST, RECIPE_FIRST, NULL },
	    "milter_header_checks", b_first(b, "milter_header_checks", table),
	    "it counts only on fields that a milter has added");
}

static void
other_milters(struct builder *b)
{
	const char *is = b_existing(b, "smtpd_milters");

	if (is[0] != '\0')
		b_note(b, RECIPE_SHOULD, "smtpd_milters", "main.cf has %s: "
		    "they come behind the filters of the house, and their "
		    "time-outs count as well", is);
}

/* sendmail(1) knows no listener, so it has milters of its own. */
static void
local_mail(struct builder *b)
{
	const struct want first = { RECIPE_MUST, RECIPE_FIRST, NULL };

	if (b->conf->local_mail == POSTFIX_LOCAL_CLOSED) {
		b_main(b, MUST, "authorized_submit_users",
		    "root, gatehouse-dmarc-report",
		    "sendmail(1) passes no listener and so no milter of it: "
		    "that door is closed to users");
		return;
	}
	b_main(b, first, "non_smtpd_milters", b_first(b, "non_smtpd_milters",
	    "$gatehouse_outbound"),
	    "what sendmail(1) brings is outbound mail; a reject is a bounce "
	    "then, a tempfail waits in maildrop");
}

void
recipe_milters(struct builder *b)
{
	/* One that nobody names is a warning of postconf(1). */
	if (b->in->role & RECIPE_INBOUND || b->in->both_chains)
		b_main(b, MUST, "gatehouse_inbound", chain_value(b,
		    &b->in->inbound), "the inbound filters, in their order; "
		    "one that is late or dead means 451, and never mail "
		    "unfiltered");
	if (b->in->role & RECIPE_OUTBOUND || b->in->both_chains ||
	    b->conf->local_mail == POSTFIX_LOCAL_OUTBOUND)
		b_main(b, MUST, "gatehouse_outbound", chain_value(b,
		    &b->in->outbound), "the outbound filters");
	b_main(b, SHOULD, "internal_mail_filter_classes", "",
	    "what Postfix itself writes is not filtered: a bounce that is "
	    "refused is lost");
	check_sockets(b, &b->in->inbound);
	check_sockets(b, &b->in->outbound);
	other_milters(b);
	local_mail(b);
	seal_strip(b);
	rule_routes(b);
}
