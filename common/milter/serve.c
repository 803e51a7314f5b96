#include "milter/serve.h"

#include <errno.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "log/log.h"
#include "milter/shim.h"

/* libmilter's callbacks have no argument of ours before the first session. */
static struct host *the_host;

static const char *
get_macro(void *ctx, const char *name)
{
	return smfi_getsymval(ctx, strdupa(name));
}

/* libmilter wants folds as LF; a CR would stay in the queue file. */
static char *
field_text(struct slice body, struct arena **a_r)
{
	struct arena *a = *a_r = arena_new();
	char *text = arena_alloc(a, body.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < body.len; i++)
		if (body.ptr[i] != '\r' && body.ptr[i] != '\0')
			text[n++] = body.ptr[i];
	return text;
}

static bool
insert_field(void *ctx, const char *name, struct slice body)
{
	struct arena *a;
	char *text = field_text(body, &a);
	int result = smfi_insheader(ctx, 0, strdupa(name), text);

	arena_free(a);
	return result == MI_SUCCESS;
}

static bool
append_field(void *ctx, const char *name, struct slice body)
{
	struct arena *a;
	char *text = field_text(body, &a);
	int result = smfi_addheader(ctx, strdupa(name), text);

	arena_free(a);
	return result == MI_SUCCESS;
}

static bool
change_field(void *ctx, const char *name, unsigned index, struct slice body)
{
	struct arena *a;
	char *text = field_text(body, &a);
	int result = smfi_chgheader(ctx, strdupa(name), (int)index,
	    body.ptr != NULL ? text : NULL);

	arena_free(a);
	return result == MI_SUCCESS;
}

static bool
replace_body(void *ctx, struct slice body)
{
	enum { PIECE = 1 << 20 };

	/* An empty body needs one call too, or nothing is replaced. */
	do {
		struct slice piece = slice_sub(body, 0, PIECE);

		if (smfi_replacebody(ctx, (unsigned char *)(uintptr_t)
		    piece.ptr, (int)piece.len) != MI_SUCCESS)
			return false;
		body = slice_after(body, piece.len);
	} while (body.len > 0);
	return true;
}

static char *
in_brackets(struct arena *a, const char *address)
{
	return arena_str(a, arena_printf(a, "<%s>", address));
}

static bool
change_sender(void *ctx, const char *address)
{
	struct arena *a = arena_new();
	int result = smfi_chgfrom(ctx, in_brackets(a, address), NULL);

	arena_free(a);
	return result == MI_SUCCESS;
}

static bool
add_recipient(void *ctx, const char *address, bool quiet)
{
	struct arena *a = arena_new();
	char *path = in_brackets(a, address);
	int result = quiet ? smfi_addrcpt_par(ctx, path,
	    strdupa("NOTIFY=NEVER")) : smfi_addrcpt(ctx, path);

	arena_free(a);
	return result == MI_SUCCESS;
}

static bool
remove_recipient(void *ctx, const char *address)
{
	struct arena *a = arena_new();
	int result = smfi_delrcpt(ctx, in_brackets(a, address));

	arena_free(a);
	return result == MI_SUCCESS;
}

static bool
quarantine(void *ctx, const char *reason)
{
	return smfi_quarantine(ctx, strdupa(reason[0] != '\0' ? reason :
	    "held")) == MI_SUCCESS;
}

static bool
set_reply(void *ctx, const char *code, const char *enhanced, const char *text)
{
	return smfi_setreply(ctx, strdupa(code), strdupa(enhanced),
	    strdupa(text)) == MI_SUCCESS;
}

static const struct engine_ops ops = {
	.macro = get_macro,
	.insert_field = insert_field,
	.append_field = append_field,
	.change_field = change_field,
	.replace_body = replace_body,
	.change_sender = change_sender,
	.add_recipient = add_recipient,
	.remove_recipient = remove_recipient,
	.quarantine = quarantine,
	.set_reply = set_reply,
};

/*
 * No reply is asked for before end of message, so Postfix waits for none; but
 * who may leave the rest of a body out has to say so in one, and so has a
 * filter that answers early.
 */
static unsigned long
steps_we_skip(unsigned needs)
{
	unsigned long body = needs & LEAVES_BODY ? SMFIP_SKIP : SMFIP_NR_BODY;
	unsigned long steps = SMFIP_NOUNKNOWN | SMFIP_NODATA | SMFIP_NOEOH |
	    SMFIP_NR_HELO | SMFIP_NR_HDR | SMFIP_HDR_LEADSPC;

	steps |= needs & EARLY_CONNECT ? 0 : SMFIP_NR_CONN;
	steps |= needs & EARLY_MAIL ? 0 : SMFIP_NR_MAIL;
	steps |= needs & EARLY_RCPT ? SMFIP_RCPT_REJ : SMFIP_NR_RCPT;
	return steps | (needs & NEED_BODY ? body : SMFIP_NOBODY);
}

static unsigned long
actions_we_take(unsigned needs)
{
	/* Any filter may have a seal to remove and a message to hold. */
	unsigned long actions = SMFIF_ADDHDRS | SMFIF_CHGHDRS |
	    SMFIF_QUARANTINE | SMFIF_SETSYMLIST;

	if (needs & EDITS_BODY)
		actions |= SMFIF_CHGBODY;
	if (needs & EDITS_ENVELOPE)
		actions |= SMFIF_CHGFROM | SMFIF_ADDRCPT |
		    SMFIF_ADDRCPT_PAR | SMFIF_DELRCPT;
	if (needs & HOLDS)
		actions |= SMFIF_DELRCPT;
	return actions;
}

static bool
ask_for_macros(SMFICTX *ctx)
{
	static const struct { int stage; const char *names; } wanted[] = {
		{ SMFIM_CONNECT, "{daemon_name}" },
		{ SMFIM_HELO, "{tls_version}" },
		{ SMFIM_ENVFROM, "i {auth_authen} {tls_version}" },
		{ SMFIM_ENVRCPT, "{rcpt_mailer} {rcpt_host}" },
		{ SMFIM_EOM, "i" },
	};

	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		if (smfi_setsymlist(ctx, wanted[i].stage,
		    strdupa(wanted[i].names)) != MI_SUCCESS)
			return false;
	return true;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1,
    unsigned long f2, unsigned long f3, unsigned long *pf0,
    unsigned long *pf1, unsigned long *pf2, unsigned long *pf3)
{
	struct settings *set = host_settings(the_host);
	unsigned needs = set->needs;
	unsigned long steps = steps_we_skip(needs);

	(void)f2;
	(void)f3;
	settings_drop(set);
	*pf0 = actions_we_take(needs);
	*pf1 = steps;
	*pf2 = *pf3 = 0;
	if ((*pf0 & ~f0) != 0 || (steps & ~f1) != 0 || !ask_for_macros(ctx)) {
		log_error("Postfix offers actions %#lx and steps %#lx; %#lx "
		    "and %#lx are needed: raise milter_protocol to 6", f0, f1,
		    *pf0, steps);
		return SMFIS_REJECT;
	}
	smfi_setpriv(ctx, session_new(the_host, &ops, ctx, needs));
	return SMFIS_CONTINUE;
}

static void
ip_of(const _SOCK_ADDR *address, struct ip *ip_r)
{
	*ip_r = (struct ip){ .family = 0 };
	if (address == NULL)
		return;
	if (address->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, address, sizeof in);
		ip_of_bytes(AF_INET, &in.sin_addr, ip_r);
	} else if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof in6);
		ip_of_bytes(AF_INET6, &in6.sin6_addr, ip_r);
	}
}

/*
 * The session, or NULL for a peer that did not negotiate: libmilter lets it
 * go on, but Postfix always does. Such a one gets SMFIS_TEMPFAIL.
 */
static struct session *
session_of(SMFICTX *ctx)
{
	return smfi_getpriv(ctx);
}

static sfsistat
status_of(enum answer answer)
{
	switch (answer) {
	case ANSWER_CONTINUE:
		return SMFIS_CONTINUE;
	case ANSWER_REJECT:
		return SMFIS_REJECT;
	case ANSWER_DISCARD:
	case ANSWER_HELD:
		return SMFIS_DISCARD;
	case ANSWER_TEMPFAIL:
		break;
	}
	return SMFIS_TEMPFAIL;
}

/* Of a step that Postfix waits at, or does not: as it was negotiated. */
static sfsistat
early_status(const struct session *s, unsigned step, enum answer answer)
{
	return session_needs(s) & step ? status_of(answer) : SMFIS_NOREPLY;
}

static sfsistat
on_connect(SMFICTX *ctx, char *name, _SOCK_ADDR *address)
{
	struct session *s = session_of(ctx);
	struct ip ip;

	if (s == NULL)
		return SMFIS_TEMPFAIL;
	ip_of(address, &ip);
	return early_status(s, EARLY_CONNECT,
	    session_connect(s, slice_of(name), &ip));
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
	struct session *s = session_of(ctx);

	if (s == NULL)
		return SMFIS_TEMPFAIL;
	session_helo(s, slice_of(name));
	return SMFIS_NOREPLY;
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	struct session *s = session_of(ctx);

	if (s == NULL)
		return SMFIS_TEMPFAIL;
	return early_status(s, EARLY_MAIL,
	    session_mail(s, (const char *const *)argv));
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	struct session *s = session_of(ctx);

	if (s == NULL)
		return SMFIS_TEMPFAIL;
	return early_status(s, EARLY_RCPT,
	    session_rcpt(s, (const char *const *)argv));
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct session *s = session_of(ctx);
	struct slice rest = slice_of(value), line;
	struct buf text = { 0 };

	if (s == NULL)
		return SMFIS_TEMPFAIL;
	if (!slice_has(rest, '\n')) {
		session_field(s, slice_of(name), rest);
		return SMFIS_NOREPLY;
	}
	/* Postfix sends folds as LF; the message had CRLF. */
	while (rest.ptr != NULL) {
		line = slice_cut(rest, '\n', &rest);
		buf_add(&text, line);
		if (rest.ptr != NULL && !slice_ends(line, SLICE("\r")))
			buf_addc(&text, '\r');
		if (rest.ptr != NULL)
			buf_addc(&text, '\n');
	}
	session_field(s, slice_of(name), buf_slice(&text));
	buf_free(&text);
	return SMFIS_NOREPLY;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
	struct session *s = session_of(ctx);
	bool more;

	if (s == NULL)
		return SMFIS_TEMPFAIL;
	more = session_body(s, slice_make(bytes, len));
	if (!(session_needs(s) & LEAVES_BODY))
		return SMFIS_NOREPLY;
	return more ? SMFIS_CONTINUE : SMFIS_SKIP;
}

static sfsistat
on_eom(SMFICTX *ctx)
{
	struct session *s = session_of(ctx);

	if (s == NULL)
		return SMFIS_TEMPFAIL;
	return status_of(session_eom(s));
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	struct session *s = smfi_getpriv(ctx);

	if (s != NULL)
		session_reset(s);
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	session_free(smfi_getpriv(ctx));
	smfi_setpriv(ctx, NULL);
	return SMFIS_CONTINUE;
}

static bool
quiet(void *ctx)
{
	const struct session *s = smfi_getpriv(ctx);

	return s == NULL || !session_busy(s);
}

static struct smfiDesc callbacks = {
	.xxfi_name = (char *)(uintptr_t)"gatehouse",
	.xxfi_version = SMFI_VERSION,
	.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE |
	    SMFIF_CHGBODY | SMFIF_CHGFROM | SMFIF_ADDRCPT | SMFIF_DELRCPT |
	    SMFIF_SETSYMLIST,
	.xxfi_connect = on_connect,
	.xxfi_helo = on_helo,
	.xxfi_envfrom = on_mail,
	.xxfi_envrcpt = on_rcpt,
	.xxfi_header = on_header,
	.xxfi_body = on_body,
	.xxfi_eom = on_eom,
	.xxfi_abort = on_abort,
	.xxfi_close = on_close,
	.xxfi_negotiate = on_negotiate,
};

static enum rc
open_socket(const char *socket, struct arena *a, struct slice *why_r)
{
	mode_t mask = umask(0117);	/* srw-rw----: ours and our group's */
	const char *where = arena_printf(a, "%s%s", strchr(socket, ':') != NULL ?
	    "" : "unix:", socket).ptr;
	int result;

	smfi_setbacklog(1024);
	if (smfi_register(callbacks) != MI_SUCCESS ||
	    smfi_setconn(strdupa(where)) != MI_SUCCESS) {
		umask(mask);
		*why_r = SLICE("libmilter refuses our callbacks");
		return RC_RETRY;
	}
	errno = 0;
	result = smfi_opensocket(true);
	umask(mask);
	if (result == MI_SUCCESS)
		return RC_OK;
	*why_r = arena_printf(a, "cannot listen on %s: %s", socket,
	    errno != 0 ? strerror(errno) : "see the line above");
	return RC_BAD;
}

/*
 * A session holds its connection and perhaps a spooled body; some are for the
 * journal, the log and DNS. libmilter gives up for ever when accept(2) finds
 * no descriptor ten times, so it must not come to that.
 */
static unsigned
sessions_that_fit(unsigned wanted)
{
	struct rlimit limit;
	rlim_t other, n;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return wanted;
	other = 40 + limit.rlim_cur / 16;
	n = limit.rlim_cur > other + 2 ? (limit.rlim_cur - other) / 2 : 1;
	if (n >= wanted)
		return wanted;
	log_warning("sessions = %u would need %u descriptors, %llu are "
	    "allowed: at most %u sessions are served", wanted,
	    2 * wanted + (unsigned)other, (unsigned long long)limit.rlim_cur,
	    (unsigned)n);
	return (unsigned)n;
}

void
serve_limits(struct host *host)
{
	struct settings *set = host_settings(host);

	shim_limits(sessions_that_fit(set->milter.sessions),
	    set->milter.idle);
	/* Read at start only, for a peer that does not read what we write;
	 * who is silent is the shim's. */
	smfi_settimeout((int)(set->milter.idle / 1000));
	settings_drop(set);
}

/* libmilter leaves the socket behind when root runs it. */
static void
remove_socket(const char *socket)
{
	const char *colon = strchr(socket, ':');
	struct slice scheme = slice_make(socket, colon != NULL ?
	    (size_t)(colon - socket) : 0);

	if (colon == NULL)
		unlink(socket);
	else if (slice_eq(scheme, SLICE("unix")) ||
	    slice_eq(scheme, SLICE("local")))
		unlink(colon + 1);
}

static void
drain(struct host *host)
{
	struct settings *set = host_settings(host);
	int64_t ms = set->milter.drain;
	unsigned left;

	settings_drop(set);
	early_stop(&host->gate);
	/* Nobody waits for a filter that does not come back. */
	left = shim_drain(ms, atomic_load(&host->stuck) ?
	    inflight_overdue(host->inflight, 0, NULL) : 0);
	if (left == 0)
		return;
	inflight_forgive(host->inflight);
	log_warning("stopped with %u messages under way; their clients are "
	    "answered 451 and try again", left);
}

enum rc
serve_run(struct host *host, const char *socket, const uid_t *peers,
    size_t npeers, void (*ready)(void *arg), void *arg, struct arena *a,
    struct slice *why_r)
{
	struct shim_conf shim = {
		.socket = socket, .peers = peers, .npeers = npeers,
		.quiet = quiet,
	};
	enum rc rc;

	the_host = host;
	shim_setup(&shim);
	serve_limits(host);
	rc = open_socket(socket, a, why_r);
	if (rc != RC_OK)
		return rc;
	ready(arg);
	if (smfi_main() != MI_SUCCESS) {
		*why_r = SLICE("libmilter ended with an error");
		rc = RC_RETRY;
	}
	remove_socket(socket);
	drain(host);
	return rc;
}
