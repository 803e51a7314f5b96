/*
 * sheet - the settings file: one line a setting, for very many users
 *
 *	user a@example.org     auth-check.dmarc_policy = "ignore"
 *	domain example.org     auth-check.spf_fail = "reject"
 *	profile "sales team"   auth-check.spf_none = "tag"
 *	final client acme      auth-check.spf_fail = "reject"
 *	final domain lax.test  auth-check.dmarc_policy
 *
 * A line is a level with a name, FILE.OPTION, and a value as it would stand in
 * FILE.conf. `final` before it marks the option final there; such a line may do
 * without a value. Lines that begin with # and empty ones are passed over. It
 * means what a scope block of FILE.conf would mean (conf/scope.h), and what
 * both set is an error.
 *
 * sheet_open	text outlives the reader; name is for messages
 * sheet_next	the next setting; false at the end, or when a line is wrong:
 *		then why says "file:line: what is wrong; what would be right".
 *		Whether the option is one, and its value right, is for
 *		scope_add to say
 */
#ifndef POLICY_SHEET_H
#define POLICY_SHEET_H

#include "conf/scope.h"

enum { SHEET_LINE_MAX = 65536 };

struct sheet_line {
	enum scope_level level;
	struct slice name;		/* as written, without quotes */
	struct slice file, option;	/* "auth-check", "spf_fail" */
	struct slice raw;		/* SLICE_NONE: only final */
	bool final;
	unsigned line;
};

struct sheet {
	struct arena *arena;
	const char *name;
	struct slice rest;
	unsigned line;
	struct slice why;		/* empty: nothing is wrong */
};

void sheet_open(struct sheet *s, struct arena *a, const char *name,
    struct slice text);
bool sheet_next(struct sheet *s, struct sheet_line *line_r);

#endif
