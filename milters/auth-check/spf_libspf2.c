#include "spf_libspf2.h"

#include <netinet/in.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <spf2/spf.h>
#include <spf2/spf_dns.h>
#include <spf2/spf_dns_rr.h>
#include <spf2/spf_log.h>

#include "spf_name.h"

enum { RECORDS_MAX = 200, TXT_MAX = 65535 };

struct hook {
	spf_lookup *lookup;
	void *arg;
	bool pending;
};

/* Where an error that libspf2 does not come back from leads to. */
static __thread jmp_buf *escape;

/*
 * Its own handlers print, and the one for errors ends the process; this one
 * may not return either (noreturn). It is called where a pointer is NULL that
 * must not be, so for a missing argument or without memory. What libspf2
 * held then is lost.
 */
static void __attribute__((noreturn))
give_up(const char *file, int line, const char *text)
{
	(void)file;
	(void)line;
	(void)text;
	if (escape == NULL)
		abort();
	longjmp(*escape, 1);
}

/* What is not an error of this kind comes back as an error code. */
static void
quiet(const char *file, int line, const char *text)
{
	(void)file;
	(void)line;
	(void)text;
}

static void
set_handlers(void)
{
	SPF_error_handler = give_up;
	SPF_warning_handler = quiet;
	SPF_info_handler = quiet;
	SPF_debug_handler = quiet;
}

static SPF_dns_stat_t
netdb_status(const struct dns_answer *answer)
{
	switch (answer->status) {
	case DNS_OK:
		return answer->count > 0 ? NETDB_SUCCESS : NO_DATA;
	case DNS_NODATA:
		return NO_DATA;
	case DNS_NXDOMAIN:
		return HOST_NOT_FOUND;
	default:
		return TRY_AGAIN;
	}
}

/* Addresses as bytes, all else with a NUL behind it. */
static bool
add_record(SPF_dns_rr_t *rr, const struct dns_record *record)
{
	size_t len = record->data.len;

	if (len > TXT_MAX ||
	    SPF_dns_rr_buf_realloc(rr, rr->num_rr, len + 1) != SPF_E_SUCCESS)
		return false;
	memcpy(rr->rr[rr->num_rr]->txt, record->data.ptr, len);
	rr->rr[rr->num_rr]->txt[len] = '\0';
	rr->num_rr++;
	return true;
}

static bool
known_type(ns_type type)
{
	return type == ns_t_a || type == ns_t_aaaa || type == ns_t_mx ||
	    type == ns_t_ptr || type == ns_t_txt;
}

static SPF_dns_rr_t *
lookup(SPF_dns_server_t *server, const char *domain, ns_type type,
    int should_cache)
{
	struct hook *hook = server->hook;
	struct dns_answer answer = { .status = DNS_NXDOMAIN };
	struct slice name = slice_of(domain);
	SPF_dns_rr_t *rr;

	(void)should_cache;
	if (name.len > 0 && name.ptr[name.len - 1] == '.')
		name.len--;
	if (known_type(type) && spf_askable(name) &&
	    !hook->lookup(hook->arg, name, (enum dns_type)type, &answer)) {
		hook->pending = true;
		answer = (struct dns_answer){ .status = DNS_TIMEOUT };
	}
	rr = SPF_dns_rr_new_init(server, domain, type, 0,
	    netdb_status(&answer));
	for (size_t i = 0; rr != NULL && answer.status == DNS_OK &&
	    i < answer.count && i < RECORDS_MAX; i++)
		if (!add_record(rr, &answer.records[i]))
			break;
	return rr;
}

static enum spf_result
result_of(SPF_response_t *response, SPF_errcode_t error)
{
	switch (SPF_response_result(response)) {
	case SPF_RESULT_NEUTRAL:
		return SPF_NEUTRAL;
	case SPF_RESULT_PASS:
		return SPF_PASS;
	case SPF_RESULT_FAIL:
		return SPF_FAIL;
	case SPF_RESULT_SOFTFAIL:
		return SPF_SOFTFAIL;
	case SPF_RESULT_NONE:
		return SPF_NONE;
	case SPF_RESULT_TEMPERROR:
		return SPF_TEMPERROR;
	case SPF_RESULT_PERMERROR:
		return SPF_PERMERROR;
	default:
		return error == SPF_E_DNS_ERROR ? SPF_TEMPERROR :
		    SPF_PERMERROR;
	}
}

static void
set_client(SPF_request_t *request, const struct ip *ip)
{
	struct in6_addr six;
	struct in_addr four;

	if (ip->family == AF_INET6) {
		memcpy(&six, ip->bytes, sizeof six);
		SPF_request_set_ipv6(request, six);
	} else {
		memcpy(&four, ip->bytes, sizeof four);
		SPF_request_set_ipv4(request, four);
	}
}

static struct slice
text(struct arena *a, const char *s)
{
	return s != NULL ? spf_printable(a, slice_of(s), 400) : SLICE("");
}

static void
take_answer(struct arena *a, SPF_response_t *response, SPF_errcode_t error,
    struct spf_answer *r)
{
	const char *why = error != SPF_E_SUCCESS ? SPF_strerror(error) : NULL;

	r->result = result_of(response, error);
	r->reason = text(a, SPF_response_get_header_comment(response));
	if (r->reason.len == 0)
		r->reason = text(a, why);
	if (r->reason.len == 0)
		r->reason = arena_printf(a, "libspf2 says %s for %.*s",
		    spf_result_name(r->result), SLICE_ARG(r->domain));
}

static void
query_request(struct arena *a, const struct spf_query *q,
    SPF_server_t *server, struct spf_answer *r)
{
	SPF_request_t *request = SPF_request_new(server);
	SPF_response_t *response = NULL;
	SPF_errcode_t error;

	if (request == NULL)
		return;
	set_client(request, &q->ip);
	SPF_request_set_helo_dom(request, arena_str(a, q->helo));
	SPF_request_set_env_from(request, arena_str(a, r->identity));
	error = SPF_request_query_mailfrom(request, &response);
	if (response != NULL) {
		take_answer(a, response, error, r);
		SPF_response_free(response);
	}
	SPF_request_free(request);
}

static void
query_server(struct arena *a, const struct spf_query *q, SPF_dns_server_t *dns,
    struct spf_answer *r)
{
	SPF_server_t *server = SPF_server_new_dns(dns, 0);

	if (server == NULL)
		return;
	SPF_server_set_rec_dom(server, q->receiver.len > 0 ?
	    arena_str(a, q->receiver) : "unknown");
	query_request(a, q, server, r);
	SPF_server_free(server);
}

static void
query_guarded(struct arena *a, const struct spf_query *q,
    SPF_dns_server_t *dns, struct spf_answer *r)
{
	jmp_buf here;

	r->result = SPF_TEMPERROR;
	r->reason = SLICE("libspf2 gave up");
	escape = &here;
	if (setjmp(here) == 0)
		query_server(a, q, dns, r);
	escape = NULL;
}

void
spf_libspf2_check(struct arena *a, const struct spf_query *query,
    spf_lookup *ask, void *arg, struct spf_answer *r)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct hook hook = { .lookup = ask, .arg = arg };
	SPF_dns_server_t dns = { .lookup = lookup, .name = "gatehouse",
	    .hook = &hook };
	struct slice local;

	pthread_once(&once, set_handlers);
	*r = (struct spf_answer){ .mechanism = SLICE(""),
	    .explanation = SLICE("") };
	if (!spf_identity(a, query, &local, &r->domain)) {
		r->identity = r->decided = r->domain;
		r->reason = arena_printf(a, "\"%.*s\" is no domain name that "
		    "could have an SPF record",
		    SLICE_ARG(spf_printable(a, r->domain, DNS_NAME_MAX)));
		return;
	}
	r->decided = r->domain;
	r->identity = arena_printf(a, "%.*s@%.*s", SLICE_ARG(local),
	    SLICE_ARG(r->domain));
	query_guarded(a, query, &dns, r);
	if (hook.pending)
		r->result = SPF_PENDING;
}
