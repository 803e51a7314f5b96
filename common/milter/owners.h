/*
 * owners - whose settings count for a message, and who has the same
 *
 * owners_resolve	for ask(): what is set for each recipient that Postfix has
 *			not refused, or for who sends (job_sender) when `sender`.
 *			Nothing is looked up where nobody can have settings of
 *			his own. RC_RETRY with *why_r: trouble of ours
 * owners_conf		what counts for recipient i; NULL where he was refused
 * owners_group		recipients with the same options, byte for byte, in the
 *			order in which the first of each comes; one group of all
 *			where nobody has his own, or the sender's count. There is
 *			always one
 * owners_level		job_decided for one of them: which level set that option;
 *			empty: the default, or nobody has his own
 *
 * Results live in the job's arena. All but owners_resolve are pure.
 */
#ifndef MILTER_OWNERS_H
#define MILTER_OWNERS_H

#include "milter/filter.h"

struct owner {
	const void *conf;		/* NULL: Postfix has refused him */
	struct policy_who who;
};

struct owners {
	struct owner *each;		/* by recipient, or the one who sends;
					   NULL: nobody has his own */
	size_t n;
	bool sender;			/* it is he who sends */
};

struct owner_groups {
	const void **conf;		/* of each */
	size_t n;
	unsigned *of;			/* by recipient, OWNER_NONE where he was
					   refused; NULL: one group of all */
};

#define OWNER_NONE	UINT32_MAX

enum rc owners_resolve(const struct job *job,
    const struct conf_option *options, const struct scopes *scopes,
    size_t size, bool sender, struct owners *owners_r, struct slice *why_r);
const void *owners_conf(const struct job *job, const struct owners *owners,
    size_t i);
void owners_group(const struct job *job, const struct owners *owners,
    size_t size, struct owner_groups *groups_r);
struct slice owners_level(const struct job *job, const struct owners *owners,
    size_t i, const char *option, const struct scopes *scopes);

#endif
