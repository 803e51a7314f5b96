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
 *   CONF_SERVER	"192.0.2.53:53", "[2001:db8::53]:53"	const char *
 *   CONF_SCOPES	( { domain = "example.org"; ... } )	struct scopes *
 * CONF_SCOPED beside the kind: the option may stand in a scope too, and then
 * differs by client, domain, profile or user (conf/scope.h).
 * CONF_FORM beside it: the option changes bytes of the message, so recipients
 * who differ in it cannot share one copy (policy_form).
 * A PATH or SERVER may be empty only where its default is. Text is UTF-8
 * without control characters, but for the tab.
 *
 * conf_load	reads one file into the structs of its sections, all defaults
 *		first. RC_BAD with *why_r = "file:line: what is wrong; what
 *		would be right" for: unknown key, wrong type, out of range,
 *		overflow, duplicate, unreadable file or include. Nothing of a
 *		bad file is used: the sections then hold the defaults. A NULL
 *		path gives the defaults
 * conf_load_trusted
 *		the same for a daemon: the file, and what it includes, must
 *		belong to root or to our own user, and neither they nor a folder
 *		above them may be writable by anybody else (a folder with the
 *		sticky bit is no danger). *why_r names the file or folder
 * conf_parse	the same from memory, without includes; name stands for the
 *		file in *why_r
 * conf_value	one value as it would stand in a file, "[ \"a\", \"b\" ]" or
 *		"10M" in its quotes, checked and put into a field of that
 *		option. *why_r does not begin with a place
 * conf_shown	a field's value as it would stand in a file
 * conf_text	the file and what it includes, as one text: to know whether
 *		anything in it has changed
 * conf_sample	the commented sample file; title is its first line
 * conf_manual	the options as .TP entries for man(7)
 * conf_roff	a text as man(7) has it: each sentence begins a line
 *
 * @include "other.conf" stands on a line of its own, relative to the file it
 * is in; eight deep, no patterns, no cycles.
 *
 * A default is written as in the file, but without the quotes around a text
 * and without the brackets of a list: "10M", "postfix, root".
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
    CONF_DOMAINS, CONF_SERVER, CONF_SCOPES };
#define CONF_SCOPED	0x100u
#define CONF_FORM	0x200u

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
	unsigned kind;			/* enum conf_kind; CONF_SCOPED, _FORM */
	size_t offset;			/* in the section's struct */
	const char *value;		/* the default as it would be written */
	int64_t min, max;		/* COUNT; SIZE and STRING bytes; TIME
					   ms; items of a list.
					   max 0: no upper bound */
	const char *text;		/* the manual's sentence(s) */
	const char *const *choices;	/* ENUM: names, NULL at the end */
};

static inline enum conf_kind
conf_kind_of(const struct conf_option *o)
{
	return (enum conf_kind)(o->kind & (CONF_SCOPED - 1));
}

/* One table and the struct it fills; an array ends with options NULL. */
struct conf_section {
	const struct conf_option *options;
	void *base;
};

enum rc conf_load(struct arena *a, const char *path,
    const struct conf_section *sections, struct slice *why_r);
enum rc conf_load_trusted(struct arena *a, const char *path,
    const struct conf_section *sections, struct slice *why_r);
enum rc conf_parse(struct arena *a, const char *name, struct slice text,
    const struct conf_section *sections, struct slice *why_r);
enum rc conf_value(struct arena *a, const struct conf_option *o,
    struct slice text, void *field, struct slice *why_r);
struct slice conf_shown(struct arena *a, const struct conf_option *o,
    const void *field);
enum rc conf_text(struct arena *a, const char *path, struct slice *text_r,
    struct slice *why_r);
void conf_sample(struct buf *out, const char *title,
    const struct conf_section *sections);
void conf_manual(struct buf *out, const struct conf_section *sections);
void conf_roff(struct buf *out, struct slice text);

/* Bytes of a field of that kind. */
size_t conf_field_size(enum conf_kind kind);

bool conf_list_same(const struct conf_list *a, const struct conf_list *b);
bool conf_list_has(const struct conf_list *list, struct slice item);
bool conf_list_has_nocase(const struct conf_list *list, struct slice item);
bool conf_nets_hold(const struct conf_nets *nets, const struct ip *ip);

#endif
