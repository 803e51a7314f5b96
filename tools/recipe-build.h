/*
 * recipe-build - what the parts of a recipe share; only recipe*.c use it
 *
 * b_main	name = value in main.cf
 * b_service	a service of master.cf; b_option adds -o to the last one
 * b_own_service	the same, where another of that name or port is in our
 *		way and not to be changed
 * b_map	a file below $config_directory/gatehouse
 * b_note	something to be told
 * b_fails	RC_BAD, once and for all: the first reason stays
 *
 * With `since`, an entry that this Postfix does not know becomes a note.
 */
#ifndef TOOLS_RECIPE_BUILD_H
#define TOOLS_RECIPE_BUILD_H

#include "tools/recipe.h"

#define RECIPE_DIR	"${config_directory}/gatehouse"

/* smtpd_forbid_bare_newline in any form. */
#define BARE_NEWLINE	"3.9, 3.8.4, 3.7.9, 3.6.13, 3.5.23"

struct builder {
	const struct recipe_input *in;
	const struct postfix_conf *conf;
	struct arena *arena;
	struct buf entries, notes;
	const char *service;
	enum recipe_role role;		/* of what is added now */
	bool bad;
	struct slice why;
};

/* Who wants it how much, and what has to be known of a Postfix first. */
struct want {
	enum recipe_severity severity;
	enum recipe_mode mode;
	const char *since;
};

#define MUST		((struct want){ RECIPE_MUST, RECIPE_SET, NULL })
#define SHOULD		((struct want){ RECIPE_SHOULD, RECIPE_SET, NULL })
#define MAY		((struct want){ RECIPE_MAY, RECIPE_SET, NULL })

void b_main(struct builder *b, struct want want, const char *name,
    const char *value, const char *reason);
void b_service(struct builder *b, const char *service, const char *columns,
    const char *reason);
void b_own_service(struct builder *b, const char *service,
    const char *columns, const char *reason);
void b_option(struct builder *b, struct want want, const char *name,
    const char *value, const char *reason);
void b_map(struct builder *b, const char *file, const char *text,
    const char *reason);
void b_note(struct builder *b, enum recipe_severity severity,
    const char *about, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void b_fails(struct builder *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

const char *b_printf(struct builder *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* What main.cf says; "" when it does not, or says nothing. */
const char *b_existing(struct builder *b, const char *name);
/* ours, and behind it what stands in main.cf for that parameter. */
const char *b_first(struct builder *b, const char *name, const char *ours);
/* Does this Postfix know the parameter? */
bool b_knows(struct builder *b, const char *name, const char *since);
/* "unix - - y - - smtp", chrooted as the other services are. */
const char *b_columns(struct builder *b, const char *type, const char *priv,
    const char *maxproc, const char *command);
/* A list of maps; those without a type get the best that there is. */
const char *b_maps(struct builder *b, const struct conf_list *maps,
    const char *option);

void recipe_queue(struct builder *b);
void recipe_milters(struct builder *b);
void recipe_inbound(struct builder *b);
void recipe_outbound(struct builder *b);
/* The listeners that only this machine may use. */
void recipe_own(struct builder *b);
/* Mail for recipients who need different forms. */
void recipe_split(struct builder *b);
/* recipe-spamcheck.c: drafts go to the spam check. */
void recipe_spamcheck(struct builder *b);
/* The map of their transport; NULL: there is no such service. */
const char *b_spamcheck_map(struct builder *b);
/* recipe-split.c: of a transport to a service of ours; its deadline in ms. */
void b_lmtp_options(struct builder *b, int64_t deadline);
/* Options of a listener, named by `option`, that lets nobody but this machine
 * in; recipients: its smtpd_recipient_restrictions, and why. */
void b_loopback_only(struct builder *b, const char *option,
    const char *listener, const char *recipients, const char *reason);
void recipe_scrub(struct builder *b);
void recipe_routes(struct builder *b);
/* recipe-directory.c: that map of the directory, and behind it `more`; NULL
 * where there is nothing. */
const char *b_directory(struct builder *b, const char *map,
    const struct conf_list *more, const char *option);
/* All maps of transports that are not main.cf's own; NULL: none. */
const char *b_transports(struct builder *b);
void recipe_aliases(struct builder *b);
void recipe_reinject_cleanup(struct builder *b);

#endif
