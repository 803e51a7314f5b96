/* Whose settings count in a job (milter/filter.h). */
#include <string.h>

#include "milter/filter.h"

enum rc
job_settings(const struct job *job, struct slice address,
    const struct conf_option *options, const struct scopes *scopes,
    size_t size, void *conf_r, struct policy_who *who_r, struct slice *why_r)
{
	enum rc rc = policy_find(job->policy, job->arena, address, who_r);

	/* In place: byte for byte, so that copies can be compared. */
	memcpy(conf_r, job->conf, size);
	if (rc == RC_OK)
		return policy_settings(job->policy, who_r, job->filter,
		    options, scopes, conf_r, why_r);
	*why_r = SLICE("the policy map cannot be read; type: gatehouse policy "
	    "compile");
	return rc;
}

struct slice
job_sender(const struct job *job)
{
	struct slice login = policy_login(job->policy, job->arena,
	    job->client->user);

	return login.ptr != NULL ? login : job->envelope->sender;
}

enum direction
job_direction(const struct job *job, const struct policy_who *recipient)
{
	return job->direction == DIRECTION_OUT && recipient->ours ?
	    DIRECTION_INTERNAL : job->direction;
}

struct slice
job_decided(const struct job *job, const struct policy_who *who,
    const char *option, const struct scopes *scopes)
{
	struct scope_why why;

	if (option == NULL || policy_decided(job->policy, who, job->filter,
	    option, scopes, &why) != RC_OK ||
	    (why.level == SCOPE_DEFAULT && !why.final))
		return SLICE("");
	if (why.level == SCOPE_DEFAULT)
		return SLICE("default, final");
	return arena_printf(job->arena, "%s %.*s%s (%.*s)",
	    scope_level_name(why.level), SLICE_ARG(why.name),
	    why.final ? ", final" : "", SLICE_ARG(why.where));
}
