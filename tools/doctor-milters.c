/*
 * Do the milters stand in Postfix as the house needs them: all of them, in
 * their order, with time-outs that leave nobody waiting, and never with an
 * action that lets mail through unseen or loses it?
 */
#include <stdio.h>
#include <string.h>

#include "tools/doctor-chain.h"

enum { MISSING, ORDER, UNLISTED, ACCEPTS, REJECTS, DEADLINE, SUM, COMMAND,
    PROTOCOL, BYPASS };

static const struct doctor_kind kinds[] = {
	[MISSING] = { "missing", DOCTOR_CRITICAL,
	    "Mail passes without the filter that gatehouse.conf names." },
	[ORDER] = { "order", DOCTOR_CRITICAL,
	    "What a filter finds does not reach the next one, and the last "
	    "one cannot remove what the first one added." },
	[UNLISTED] = { "unlisted", DOCTOR_WARNING,
	    "The filters do not know their place in the chain: they write no "
	    "seal, or leave one in the mail." },
	[ACCEPTS] = { "accepts", DOCTOR_CRITICAL,
	    "When the milter fails, mail passes unfiltered for the rest of "
	    "the SMTP session; when it dies while it edits, the queue file is "
	    "corrupt and the mail lost." },
	[REJECTS] = { "rejects", DOCTOR_WARNING,
	    "A fault of ours returns mail to its sender for good; tempfail "
	    "lets him try again." },
	[DEADLINE] = { "deadline", DOCTOR_CRITICAL,
	    "Postfix gives up before the milter has decided by itself, and "
	    "the work on the message was for nothing." },
	[SUM] = { "sum", DOCTOR_WARNING,
	    "An SMTP client waits for ten minutes, then sends the message "
	    "again: it arrives twice." },
	[COMMAND] = { "command-timeout", DOCTOR_WARNING,
	    "So long each new SMTP session stands still when a milter "
	    "hangs." },
	[PROTOCOL] = { "protocol", DOCTOR_WARNING,
	    "A milter of an old protocol sees less of a message." },
	[BYPASS] = { "bypass", DOCTOR_WARNING,
	    "Clients that this table answers with DISABLE, or with milters of "
	    "its own, send mail past the filters." },
	{ NULL, 0, NULL }
};

enum { NAMES = 200, PATIENCE_MS = 600 * 1000, COMMAND_MS = 30 * 1000 };

/* A list of milters of one service. */
struct row {
	struct doctor_report *r;
	const struct postconf_service *service;	/* NULL: non_smtpd_milters */
	const char *where;			/* "smtp/inet" */
	const char *parameter;
	bool outbound;
	struct postconf_milter milters[POSTCONF_MILTERS];
	size_t count;
	struct slice names[NAMES];		/* of ours, in order */
	size_t nnames;
};

static struct slice
joined(struct doctor_report *r, const struct slice *items, size_t count)
{
	struct buf out = buf_in(r->arena);

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_adds(&out, ", ");
		buf_add(&out, items[i]);
	}
	return count > 0 ? buf_slice(&out) : SLICE("none");
}

static const struct conf_list *
wanted(const struct row *row)
{
	const struct house_conf *house = row->r->doctor->house;

	return row->outbound ? &house->outbound : &house->inbound;
}

static const char *
mend(const struct row *row)
{
	return chain_mend_list(row->r, row->service, row->parameter,
	    row->outbound);
}

static void
check_names(struct row *row)
{
	struct doctor_report *r = row->r;
	const struct conf_list *want = wanted(row);
	const struct conf_list have = { row->names, row->nnames };
	struct slice is = joined(r, row->names, row->nnames);
	bool order = row->nnames != want->count;

	for (size_t i = 0; i < want->count; i++)
		if (!conf_list_has(&have, want->items[i])) {
			doctor_say(r, MISSING, mend(row), "%s of %s has "
			    "%.*s, but not %.*s", row->parameter, row->where,
			    SLICE_ARG(is), SLICE_ARG(want->items[i]));
			return;
		}
	for (size_t i = 0; i < row->nnames; i++)
		if (!conf_list_has(want, row->names[i])) {
			doctor_say(r, UNLISTED, mend(row), "%s of %s "
			    "has %.*s, which the list %s of gatehouse.conf "
			    "has not", row->parameter, row->where,
			    SLICE_ARG(row->names[i]), row->outbound ?
			    "outbound" : "inbound");
			return;
		}
	for (size_t i = 0; !order && i < want->count; i++)
		order = !slice_eq(want->items[i], row->names[i]);
	if (order)
		doctor_say(r, ORDER, mend(row), "%s of %s has %.*s; "
		    "gatehouse.conf has %.*s", row->parameter, row->where,
		    SLICE_ARG(is), SLICE_ARG(joined(r, want->items,
		    want->count)));
	else
		doctor_saw(r, "%s: %.*s", row->where, SLICE_ARG(is));
}

static void
check_action(const struct row *row, const struct postconf_milter *m)
{
	struct slice action = m->action;

	if (slice_eq(action, SLICE("accept")) ||
	    slice_eq(action, SLICE("quarantine")))
		doctor_say(row->r, ACCEPTS, mend(row), "%s of %s has "
		    "default_action=%.*s for %.*s", row->parameter,
		    row->where, SLICE_ARG(action), SLICE_ARG(m->endpoint));
	else if (slice_eq(action, SLICE("reject")))
		doctor_say(row->r, REJECTS, mend(row), "%s of %s has "
		    "default_action=reject for %.*s", row->parameter,
		    row->where, SLICE_ARG(m->endpoint));
}

static void
check_times(const struct row *row, const struct postconf_milter *m,
    const struct slice name)
{
	struct recipe_filter host;
	struct slice why;
	bool hosted = slice_search(m->endpoint, SLICE("gatehouse/chain/")) <
	    m->endpoint.len;

	if (m->command > COMMAND_MS)
		doctor_say(row->r, COMMAND, mend(row), "%s of %s has a "
		    "command_timeout of %llds for %.*s", row->parameter,
		    row->where, (long long)m->command / 1000,
		    SLICE_ARG(m->endpoint));
	if (chain_host(row->r, arena_str(row->r->arena, name), hosted, &host,
	    &why) == RC_OK && host.deadline >= m->content)
		doctor_say(row->r, DEADLINE, mend(row), "%s decides after "
		    "%lldms at the latest, but %s waits no longer than %lldms "
		    "for it", host.name, (long long)host.deadline, row->where,
		    (long long)m->content);
}

static void
check_row(struct row *row)
{
	struct doctor_report *r = row->r;
	int64_t sum = 0;

	row->count = postconf_milters(r->doctor->postfix, row->service,
	    row->parameter, r->arena, row->milters);
	for (size_t i = 0; i < row->count; i++) {
		const struct postconf_milter *m = &row->milters[i];
		struct conf_list names = chain_names(r, m->endpoint);

		sum += m->content;
		for (size_t n = 0; n < names.count && row->nnames < NAMES; n++)
			row->names[row->nnames++] = names.items[n];
		if (names.count == 0)
			continue;
		check_action(row, m);
		check_times(row, m, names.items[0]);
	}
	/* Without any of ours it is not for us to judge; listeners does. */
	if (row->nnames > 0)
		check_names(row);
	if (sum >= PATIENCE_MS)
		doctor_say(r, SUM, mend(row), "the content_timeouts of %s are "
		    "%llds together", row->where, (long long)sum / 1000);
}

static void
check_protocol(struct doctor_report *r, const struct postconf_service *s,
    const char *where)
{
	struct slice text = postconf_value(r->doctor->postfix, s,
	    "milter_protocol", r->arena);
	uint64_t protocol;

	if (slice_number(text, 1000, &protocol) && protocol >= 6)
		return;
	doctor_say(r, PROTOCOL, chain_mend(r, doctor_type(r, "postconf%s -e "
	    "milter_protocol=6", doctor_instance(r))), "milter_protocol of "
	    "%s is \"%.*s\"", where, SLICE_ARG(text));
}

static void
check_bypass(struct doctor_report *r, const struct postconf_service *s,
    const char *where)
{
	struct slice maps = postconf_value(r->doctor->postfix, s,
	    "smtpd_milter_maps", r->arena);

	if (maps.len > 0)
		doctor_say(r, BYPASS, "# is it meant so? Else empty "
		    "smtpd_milter_maps", "smtpd_milter_maps of %s is %.*s",
		    where, SLICE_ARG(maps));
}

static void
run(struct doctor_report *r)
{
	const struct postconf *pc = r->doctor->postfix;
	struct row *row = arena_alloc(r->arena, sizeof *row);
	bool cleanup = false;

	for (size_t i = 0; i < pc->nservices; i++) {
		const struct postconf_service *s = &pc->services[i];

		if (slice_eq(s->command, SLICE("cleanup")) && !cleanup) {
			cleanup = true;
			*row = (struct row){ .r = r, .service = s,
			    .outbound = true,
			    .parameter = "non_smtpd_milters" };
		} else if (slice_eq(s->command, SLICE("smtpd"))) {
			*row = (struct row){ .r = r, .service = s,
			    .outbound = chain_outbound(r, s),
			    .parameter = "smtpd_milters" };
		} else {
			continue;
		}
		row->where = arena_printf(r->arena, "%.*s/%.*s",
		    SLICE_ARG(s->name), SLICE_ARG(s->type)).ptr;
		check_row(row);
		if (row->nnames > 0)
			check_protocol(r, s, row->where);
		if (row->nnames > 0 && slice_eq(s->command, SLICE("smtpd")))
			check_bypass(r, s, row->where);
	}
}

const struct doctor_check doctor_milters = {
	"milters", "compares the lists of milters with gatehouse.conf: which, "
	"in which order, how long they may take, what happens when they fail",
	kinds, DOCTOR_HOUSE | DOCTOR_POSTFIX, run,
};
