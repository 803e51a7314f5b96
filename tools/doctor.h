/*
 * doctor - is this machine, with its Postfix, what the house needs?
 *
 * A check is a row: what it looks at, what it needs to look, and the kinds of
 * findings that it may have. A finding says what is wrong (the check says it
 * each time), why it matters (its kind does) and what to type to mend it: a
 * command, or lines that begin with # where an editor is needed.
 *
 *	static const struct doctor_kind kinds[] = {
 *		[GONE] = { "gone", DOCTOR_CRITICAL, "Postfix answers 451." },
 *		{ NULL, 0, NULL }
 *	};
 *	doctor_say(r, GONE, "systemctl start x", "%s is not there", path);
 *
 * Each check runs in a process of its own, all at the same time, and is ended
 * when its time is over: that is a finding too. So a check may wait, crash,
 * chroot and change users. Checks only read: none changes a file, sends mail
 * or leaves a line in a journal.
 *
 * doctor_say	a finding of that kind; `type` NULL when there is nothing to
 *		type. Both texts are one line; what comes from outside may be
 *		in them, what prints them makes it safe
 * doctor_saw	what was looked at and is right (for --verbose)
 * doctor_unseen what could not be looked at, and why: severity unknown
 * doctor_type	what to type: formatted, in the report's arena
 * doctor_shell	a word for a shell, quoted where it has to be
 * doctor_instance	" -c DIR" for Postfix's commands; "" for the usual one
 *
 * Any number of findings may be said; DOCTOR_FINDINGS of a check are kept, and
 * how many there were more is told.
 */
#ifndef TOOLS_DOCTOR_H
#define TOOLS_DOCTOR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/rc.h"
#include "conf/house.h"
#include "tools/postconf.h"

enum { DOCTOR_FINDINGS = 200 };

enum doctor_severity { DOCTOR_OK, DOCTOR_INFO, DOCTOR_WARNING,
    DOCTOR_CRITICAL, DOCTOR_UNKNOWN };

/* What a check cannot look without. */
enum { DOCTOR_ROOT = 1, DOCTOR_HOUSE = 2, DOCTOR_POSTFIX = 4 };

struct doctor_kind {
	const char *id;			/* NULL at the end */
	enum doctor_severity severity;
	const char *why;
};

/* What all checks see, and none changes. */
struct doctor {
	const char *conf_dir;		/* of gatehouse.conf; may be NULL */
	const char *postfix_dir;	/* NULL: postconf's own */
	int64_t patience;		/* ms for each check */
	deadline_t until;		/* all are to have ended by then */
	bool root;
	bool conf_given;		/* --config: not the usual folder */
	bool applied;			/* postfix-config has written into
					   Postfix's files */
	const struct house_conf *house;	/* NULL: house_why */
	struct slice house_why;
	const struct postconf *postfix;	/* NULL: postfix_why */
	struct slice postfix_why;
};

struct doctor_report;

struct doctor_check {
	const char *id, *looks;
	const struct doctor_kind *kinds;
	unsigned needs;
	void (*run)(struct doctor_report *r);
};

struct doctor_finding {
	const char *id;
	enum doctor_severity severity;
	const char *why;
	struct slice what, type;
};

struct doctor_report {
	const struct doctor *doctor;
	const struct doctor_check *check;
	struct arena *arena;
	struct doctor_finding findings[DOCTOR_FINDINGS];
	size_t nfindings, more;
	struct buf saw;			/* lines */
};

void doctor_say(struct doctor_report *r, unsigned kind, const char *type,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void doctor_saw(struct doctor_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void doctor_unseen(struct doctor_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
const char *doctor_type(struct doctor_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
const char *doctor_shell(struct doctor_report *r, struct slice word);
const char *doctor_instance(struct doctor_report *r);

/* doctor-run.c: runs them all, each report in its own place. */
void doctor_run(const struct doctor *d, const struct doctor_check *const *list,
    size_t count, struct doctor_report *reports, struct arena *a);
extern const struct doctor_kind doctor_common[];	/* of any check */

/* doctor-tell.c */
enum doctor_severity doctor_worst(const struct doctor_report *reports,
    size_t count);
void doctor_text(struct buf *out, const struct doctor_report *reports,
    size_t count, bool verbose);
void doctor_json(struct buf *out, const struct doctor_report *reports,
    size_t count);
void doctor_list(struct buf *out, const struct doctor_check *const *list,
    size_t count, bool json);
/* The same for man(7). */
void doctor_manual(struct buf *out, const struct doctor_check *const *list,
    size_t count);
const char *doctor_severity_name(enum doctor_severity s);

/* One file of checks each. */
extern const struct doctor_check doctor_config, doctor_rights,
    doctor_daemons, doctor_journal;		/* doctor-house.c */
extern const struct doctor_check doctor_sockets;	/* doctor-sockets.c */
extern const struct doctor_check doctor_milters;	/* doctor-milters.c */
extern const struct doctor_check doctor_listeners, doctor_scope; /* -scope.c */
extern const struct doctor_check doctor_recipe, doctor_sizes; /* -recipe.c */
extern const struct doctor_check doctor_maps;		/* doctor-maps.c */
extern const struct doctor_check doctor_postfix, doctor_queue; /* -queue.c */
extern const struct doctor_check doctor_splitter;	/* doctor-splitter.c */
extern const struct doctor_check doctor_spamcheck;	/* doctor-spamcheck.c */
extern const struct doctor_check doctor_policy;		/* doctor-policy.c */
extern const struct doctor_check doctor_store, doctor_track,
    doctor_sandbox;				/* doctor-services.c */
extern const struct doctor_check doctor_directory;	/* -directory.c */
extern const struct doctor_check doctor_dns;		/* doctor-dns.c */
extern const struct doctor_check doctor_outbound;	/* doctor-outbound.c */
extern const struct doctor_check doctor_spam;		/* doctor-spam.c */
extern const struct doctor_check doctor_clock, doctor_disk; /* -machine.c */

#endif
