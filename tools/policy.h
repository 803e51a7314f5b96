/*
 * policy - the verbs below gatehouse policy, and what they share
 *
 * policy_in_use	the policy that daemons have: of the map, or without one; EX_OK
 *			or it was told
 */
#ifndef TOOLS_POLICY_H
#define TOOLS_POLICY_H

#include "tools/policy-build.h"

struct policy_args {
	const char *config;
	bool json, if_stale, dry_run, authenticated;
	const char *recipient, *ip;
	const char *words[3];
	int nwords;
};

int policy_compile(struct build *b, const struct policy_args *args);
int policy_get(struct build *b, const struct policy_args *args);
int policy_explain(struct build *b, const struct policy_args *args);
int policy_diff(struct build *b, const struct policy_args *args);
int policy_lists_check(struct build *b, const struct policy_args *args);
int policy_lists_export(struct build *b, const struct policy_args *args);

int policy_in_use(struct build *b, struct policy **policy_r);

#endif
