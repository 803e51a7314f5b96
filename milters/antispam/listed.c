#include "listed.h"

#include "text/address.h"

/* The one address in From. More than one, or none: nobody can be allowed by
 * it, and SLICE_NONE is returned. */
static struct slice
author(const struct job *job, struct slice *domain_r)
{
	const struct field *from = message_field(job->msg, SLICE("From"), 0);
	struct address_list list;
	struct address one, more;

	if (from == NULL || message_count(job->msg, SLICE("From")) != 1)
		return SLICE_NONE;
	address_open(&list, job->arena, field_value(job->arena, from));
	if (!address_next(&list, &one) || address_next(&list, &more) ||
	    !domain_ascii(job->arena, one.domain, domain_r))
		return SLICE_NONE;
	return address_print(job->arena, one.local, one.domain);
}

static bool
aligned(const struct job *job, struct slice domain)
{
	return slice_eq(job_finding(job, SLICE("auth-check"),
	    SLICE("dmarc")), SLICE("pass")) &&
	    slice_eq_nocase(job_finding(job, SLICE("auth-check"),
	    SLICE("dmarc-from")), domain);
}

enum rc
listed_look(const struct job *job, const struct policy_who *who,
    struct spam_listed *listed_r, struct slice *why_r)
{
	struct slice domain = SLICE_NONE, from = author(job, &domain);
	struct policy_sender sender = { .ip = job->client->ip,
	    .address = from.ptr != NULL ? from : SLICE("") };
	enum rc rc;

	*listed_r = (struct spam_listed){ .what = LISTED_NOT };
	if (!policy_has_map(job->policy))
		return RC_OK;
	sender.aligned = from.ptr != NULL && aligned(job, domain);
	rc = policy_listed(job->policy, who, &sender, &listed_r->what,
	    &listed_r->entry);
	if (rc == RC_OK && listed_r->what == LISTED_NOT) {
		sender.address = job->envelope->sender;
		sender.aligned = false;
		rc = policy_listed(job->policy, who, &sender, &listed_r->what,
		    &listed_r->entry);
	}
	if (rc != RC_OK)
		*why_r = SLICE("the policy map cannot be read; type: "
		    "gatehouse policy compile");
	return rc;
}
