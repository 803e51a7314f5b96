/*
 * recipe - how Postfix is to be set up for the house
 *
 * A recipe is computed, not stored: recipe_build() is a pure function of what
 * was configured and of what Postfix this is. postfix-config prints and
 * applies it, doctor compares it with what postconf(1) says.
 *
 *	struct recipe_input in;
 *	rc = recipe_load(&source, &in, a, &why);	(recipe-input.h)
 *	rc = recipe_build(&in, &recipe, a, &why);
 *	for (size_t i = 0; i < recipe.nentries; i++) ...
 *
 * An entry is one of
 *	RECIPE_MAIN	name = value in main.cf
 *	RECIPE_MASTER	name NULL: the service exists, value being its columns
 *			("inet n - y - - smtpd"); else -o name=value of it.
 *			An option always follows its service
 *	RECIPE_MAP	a file below $config_directory/gatehouse; service is its
 *			name, value all of its text
 *
 * A service is written as in "smtp/inet", "127.0.0.1:10026/inet",
 * "gatehouse-tls/unix". Names and numbers of a port are one service
 * (recipe_same_service).
 *
 * RC_BAD with *why_r when options contradict each other, or the time-outs of a
 * chain add up to what an SMTP client does not wait for (10 minutes,
 * RFC 5321 section 4.5.3.2.6).
 */
#ifndef TOOLS_RECIPE_H
#define TOOLS_RECIPE_H

#include "base/arena.h"
#include "base/rc.h"
#include "conf/house.h"
#include "tools/postfix-conf.h"

enum recipe_role { RECIPE_INBOUND = 1, RECIPE_OUTBOUND = 2, RECIPE_BOTH = 3 };

enum recipe_file { RECIPE_MAIN, RECIPE_MASTER, RECIPE_MAP };

/* What it means when Postfix is set otherwise. */
enum recipe_severity {
	RECIPE_MUST,		/* mail is lost, unfiltered or in the clear */
	RECIPE_SHOULD,		/* a promise is broken, an attack easier */
	RECIPE_MAY,		/* less comfortable */
};

enum recipe_mode {
	RECIPE_SET,		/* exactly this */
	RECIPE_FIRST,		/* this stands first in the list; the rest is
				   the administrator's. value has both */
	RECIPE_DEFAULT,		/* only where main.cf says nothing */
};

struct postfix_version {
	unsigned major, minor, patch;
};

struct recipe_entry {
	enum recipe_file file;
	const char *service;	/* NULL for RECIPE_MAIN */
	const char *name, *value;
	const char *reason;	/* one sentence, without a line break */
	enum recipe_mode mode;
	enum recipe_severity severity;
	const char *since;	/* "3.9, 3.8.5, 3.7.10"; NULL: before 3.5 */
	enum recipe_role role;	/* what wants it */
	bool own;		/* a service that nobody but us may have */
};

/* What the recipe cannot do, or what has to be done elsewhere. */
struct recipe_note {
	enum recipe_severity severity;
	const char *about;	/* the parameter, or the option of a file */
	const char *text;
};

struct recipe {
	struct recipe_entry *entries;
	size_t nentries;
	struct recipe_note *notes;
	size_t nnotes;
};

struct recipe_filter {
	const char *name;	/* "auth-check", or "chain" */
	const char *socket;	/* "unix:gatehouse/auth-check/sock" */
	int64_t deadline;	/* ms, its own */
	int64_t content_timeout; /* ms, Postfix's for it */
	bool edits;		/* changes body, header or envelope */
};

struct recipe_chain {
	const struct recipe_filter *items;
	size_t count;
};

/* What splitter.conf says. */
struct recipe_splitter {
	const char *socket;	/* "unix:gatehouse/splitter/sock" */
	const char *server;	/* that it gives copies to */
	int64_t deadline;	/* ms */
};

/* What spamcheck.conf says. */
struct recipe_spamcheck {
	const char *socket;	/* "unix:gatehouse/spamcheck/sock" */
	int64_t deadline;	/* ms */
};

struct recipe_input {
	enum recipe_role role;
	struct postfix_version version;
	/* Does this Postfix know that parameter? NULL: judged by version. */
	bool (*knows)(void *arg, const char *name);
	/* What main.cf says, without our own changes; NULL: it does not. The
	 * text as it stands there, $ not expanded. */
	const char *(*existing)(void *arg, const char *name);
	void *arg;
	struct conf_list map_types;	/* postconf -m */
	bool postscreen;	/* port 25 is postscreen's already */
	bool chroot;		/* as the services that are there */
	bool notices;		/* the house writes mail of its own */
	struct recipe_splitter splitter; /* when the house has one */
	struct recipe_spamcheck spamcheck; /* the same */
	const char *directory;	/* "hash:/.../current": where the maps of the
				   directory stand; NULL: there is none */
	const char *ca_file;	/* of this machine; NULL: none was found */
	bool both_chains;	/* both chains are defined, whatever the role */
	const struct house_conf *house;
	const struct postfix_conf *conf;
	struct recipe_chain inbound, outbound;
};

enum rc recipe_build(const struct recipe_input *in, struct recipe *r,
    struct arena *a, struct slice *why_r);

/* "3.7.11", "3.11-20251208"; false: no such thing. */
bool postfix_version_read(const char *text, struct postfix_version *v_r);
/* Is it in that version? since as in recipe_entry. */
bool postfix_version_has(const struct postfix_version *v, const char *since);

/* "25/inet" and "smtp/inet", "[::1]:10026/inet" and the same in digits: do
 * they listen on the same address and port, or are of the same name? */
bool recipe_same_service(struct slice a, struct slice b);

const char *recipe_severity_name(enum recipe_severity severity);
const char *recipe_role_name(enum recipe_role role);

/* The sum of content_timeouts of a chain, ms; connects and commands too. */
int64_t recipe_chain_time(const struct recipe_chain *chain,
    const struct postfix_conf *conf);

/* Time as Postfix writes it: "30s", "5m", "4h"; rounded up to a second. */
const char *recipe_time(int64_t ms, struct arena *a);

#endif
