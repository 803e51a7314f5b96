/*
 * policy-stage - a small house whose map is compiled from texts
 *
 * Two tables, "one" and "two", with options of all kinds that may stand in a
 * scope. stage_compile gives NULL, or what was wrong; the map is at stage_path.
 */
#ifndef T_POLICY_STAGE_H
#define T_POLICY_STAGE_H

#include "policy/policy.h"

struct stage_one {
	struct scopes *scopes;
	unsigned count;
	int64_t time;
	struct conf_list list;
	const char *text;
	int mode;
	bool flag;
	unsigned fixed;
};

struct stage_two {
	struct scopes *scopes;
	unsigned count;
	struct conf_nets nets;
};

extern const struct conf_option stage_one_options[], stage_two_options[];

struct stage_texts {
	const char *house, *one, *two;	/* NULL: empty */
	const char *directory;		/* records, without head and foot */
	const char *sheet, *lists;
};

struct stage {
	struct arena *arena;
	char *dir;
	const char *path;
	struct house_conf house;
	struct stage_one one;
	struct stage_two two;
};

void stage_open(struct stage *s);
void stage_close(struct stage *s);
const char *stage_compile(struct stage *s, const struct stage_texts *t);
/* The map as it is there; NULL, and what is wrong. */
struct policy *stage_policy(struct stage *s, struct slice *why_r);
/* What is set for that address in table one. */
enum rc stage_ask(struct stage *s, const struct policy *p, const char *address,
    struct stage_one *one_r, struct policy_who *who_r);

#endif
