/*
 * postconf - what postconf(1) says of a Postfix, to be asked by name
 *
 * postconf_load	runs it: all parameters with their defaults, services
 *		of master.cf with their -o options, the types of maps. RC_RETRY
 *		with *why_r when it cannot be run or says that main.cf is bad
 * postconf_read	the same from texts in memory: postconf, postconf -M,
 *		postconf -P, postconf -m, and what went to standard error. Lines
 *		that are none of theirs are passed over
 * postconf_main	the value of a parameter as written, $ not expanded;
 *		SLICE_NONE when Postfix has none of that name
 * postconf_get	the same for a service, whose -o comes first; service NULL:
 *		main.cf
 * postconf_value	the same with $name, ${name}, $(name) and ${name?text},
 *		${name:text}, ${name?{text}:{text}} and comparisons,
 *		${{$a} == {b} ? {text} : {text}}, replaced as Postfix does.
 *		Nothing becomes longer than POSTCONF_VALUE; what is nested
 *		deeper than POSTCONF_DEPTH, or comes after 2000 names, is
 *		left out
 * postconf_word	the next item of a list: commas and blanks part items,
 *		{braces} keep them together; the outer braces go, *braced_r
 *		(may be NULL) says that there were some. False at the end
 * postconf_packed	a list without blanks between its items, since postconf
 *		-P takes none; what has none stays as it is
 * postconf_time	"30s", "5m", "4h", "1d", "1w" in ms, a bare number in
 *		the unit given ('s', 'h', 'd'); false when it is none
 * postconf_milters	the list of smtpd_milters, with the settings of each
 *		milter or the parameters that stand for them
 *
 * All of it is read-only after it was made; what is returned lives in the
 * arena.
 */
#ifndef TOOLS_POSTCONF_H
#define TOOLS_POSTCONF_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/rc.h"

enum {
	POSTCONF_SERVICES = 1000,
	POSTCONF_OPTIONS = 20000,	/* of all services together */
	POSTCONF_VALUE = 256 << 10,
	POSTCONF_DEPTH = 30,
	POSTCONF_MILTERS = 100,
};

struct map;

struct postconf_service {
	struct slice name, type;	/* "smtp", "inet" */
	bool chroot;			/* "-" counts as Postfix 3 has it: no */
	struct slice command, args;	/* "smtpd" */
};

struct postconf {
	struct map *parameters, *options;	/* to struct slice */
	const struct postconf_service *services;
	size_t nservices;
	const struct slice *types;		/* "hash" ... */
	size_t ntypes;
	const struct slice *complaints;		/* lines of its warnings */
	size_t ncomplaints;
};

struct postconf_milter {
	struct slice endpoint;			/* "unix:gatehouse/x/sock" */
	struct slice action;			/* default_action */
	int64_t connect, command, content;	/* ms; 0: not understood */
};

enum rc postconf_load(const char *dir, deadline_t until, struct arena *a,
    struct postconf **pc_r, struct slice *why_r);
struct postconf *postconf_read(struct slice main, struct slice services,
    struct slice options, struct slice types, struct slice complaints,
    struct arena *a);

struct slice postconf_main(const struct postconf *pc, const char *name);
struct slice postconf_get(const struct postconf *pc,
    const struct postconf_service *service, struct slice name);
/* Has the service an -o of its own for it? */
bool postconf_own(const struct postconf *pc,
    const struct postconf_service *service, struct slice name);
struct slice postconf_value(const struct postconf *pc,
    const struct postconf_service *service, const char *name,
    struct arena *a);
struct slice postconf_expand(const struct postconf *pc,
    const struct postconf_service *service, struct slice text,
    struct arena *a);

bool postconf_word(struct slice *rest, struct slice *word_r, bool *braced_r);
struct slice postconf_packed(struct slice list, struct arena *a);
bool postconf_time(struct slice text, char unit, int64_t *ms_r);
/* "yes" or "no", as Postfix reads it. */
bool postconf_yes(struct slice value);
size_t postconf_milters(const struct postconf *pc,
    const struct postconf_service *service, const char *parameter,
    struct arena *a, struct postconf_milter milters_r[POSTCONF_MILTERS]);

#endif
