/*
 * decide_part - recipients whose options differ
 *
 * antivirus_groups makes one group of all where there are no scopes, or nobody to
 * whom they could apply, or the message is outbound, where the sender's options
 * count; else in the order in which recipients of each first come. What is
 * decided for a group is left to the caller. Pure; after antivirus_resolve.
 */
#ifndef ANTIVIRUS_DECIDE_PART_H
#define ANTIVIRUS_DECIDE_PART_H

#include "decide.h"
#include "options.h"

struct judgement {
	enum antivirus_action action;
	const char *rule;
	enum cause cause;
	enum lack lack;
	struct slice reason;
	struct slice tag;		/* value of the header field; empty:
					   none */
};

struct group {
	struct group *next;
	const struct antivirus_conf *conf;
	struct judgement judgement;
	struct verdict verdict;
};

struct groups {
	struct group *first;		/* never NULL */
	struct group **of;		/* by recipient, NULL where Postfix has
					   refused him; itself NULL: one group
					   of all */
};

void antivirus_groups(const struct job *job, struct groups *groups_r);

#endif
