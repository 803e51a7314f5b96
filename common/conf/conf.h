/*
 * conf - an option is declared once
 *
 * One table row an option. The parser, the default (which passes its own
 * check), the sample file under etc/ and the manual's text all come from it.
 * Files are libconfig syntax; a file is checked against all tables given, and
 * what no table knows is an error with a "did you mean".
 *
 * Values in the file:
 *   CONF_BOOL		true, false				bool
 *   CONF_COUNT		whole number				unsigned
 *   CONF_SIZE		"64k", "10M", "2G", or bytes		uint64_t
 *   CONF_TIME		"250ms", "30s", "5m", "4h", "7d"	int64_t ms
 *   CONF_STRING	text					const char *
 *   CONF_PATH		absolute, or relative to where the manual says
 *   CONF_ENUM		one of `choices`			int (its index)
 *   CONF_LIST		[ "a", "b" ]				struct conf_list
 *   CONF_NETWORKS	[ "192.0.2.0/24", ... ]			struct conf_nets
 *   CONF_DOMAINS	[ "example.org", ... ] lower case, A-labels
 *
 * conf_load	reads one file into the structs of its sections, all defaults
 *		first. RC_BAD with *why_r = "file:line: what is wrong; what
 *		would be right" for: unknown key, wrong type, out of range,
 *		overflow, duplicate, unreadable file or include. Nothing of a
 *		bad file is used. A NULL path gives the defaults
 * conf_sample	the commented sample file
 * conf_manual	the options as mdoc/man text
 *
 * Values live in the arena. After loading all is read-only: any thread reads.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/rc.h"
#include "net/ip.h"

enum conf_kind { CONF_END = 0, CONF_BOOL, CONF_COUNT, CONF_SIZE, CONF_TIME,
    CONF_STRING, CONF_PATH, CONF_ENUM, CONF_LIST, CONF_NETWORKS,
    CONF_DOMAINS };

struct conf_list {
	const struct slice *items;	/* each has a NUL behind it */
	size_t count;
};

struct conf_nets {
	const struct network *items;
	size_t count;
};

struct conf_option {
	const char *name;
	enum conf_kind kind;
	size_t offset;			/* in the section's struct */
	const char *value;		/* the default as it would be written */
	int64_t min, max;		/* COUNT; SIZE bytes; TIME ms; LIST items;
					   STRING bytes. both 0: no bound */
	const char *text;		/* the manual's sentence(s) */
	const char *const *choices;	/* ENUM: names, NULL at the end */
};

/* One table and the struct it fills; an array of them ends with options NULL. */
struct conf_section {
	const struct conf_option *options;
	void *base;
};

enum rc conf_load(struct arena *a, const char *path,
    const struct conf_section *sections, struct slice *why_r);
void conf_sample(struct buf *out, const char *title,
    const struct conf_section *sections);
void conf_manual(struct buf *out, const struct conf_section *sections);

bool conf_list_has(const struct conf_list *list, struct slice item);
bool conf_list_has_nocase(const struct conf_list *list, struct slice item);
bool conf_nets_hold(const struct conf_nets *nets, const struct ip *ip);

#endif
