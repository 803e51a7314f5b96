/*
 * lint_part - what the files of lint.h share
 *
 * A rule looks at a mail that was read once (lint_read) and says what is wrong:
 * SLICE_NONE where nothing is. *state_r begins as LINT_GOOD; one that says
 * something makes it LINT_BAD, unless the rule has set it to something else.
 */
#ifndef PREDELIVERY_LINT_PART_H
#define PREDELIVERY_LINT_PART_H

#include "lint.h"
#include "list_uri.h"
#include "mime/message.h"
#include "text/address.h"

enum { LINT_FROMS = 5 };

struct lint_read {
	const struct lint_mail *m;
	struct slice bulk;		/* why it is bulk mail; empty: it is
					   none */
	bool list;			/* and to more than one */
	struct address from[LINT_FROMS];
	size_t nfrom;			/* mailboxes; not more than LINT_FROMS
					   are kept */
	size_t from_fields;
	struct lint_domains domains;
	struct list_uri unsubscribe[LIST_URIS];
	size_t nunsubscribe;
	/* lint_body.c; text and links are folded. */
	bool text_read;
	struct slice text, links;
	bool linked;			/* there is a link anywhere */
	struct slice http;		/* where one begins with http: */
};

typedef struct slice lint_rule(struct lint_read *r, enum lint_state *state_r);

/* How many fields of that name there are; the value of the first. */
size_t lint_fields(const struct lint_read *r, const char *name,
    struct slice *value_r);
bool lint_is_role(const struct lint_read *r, struct slice address);

/* Regular expressions among them are right? RC_BAD with *why_r. */
enum rc lint_phrases_check(const char *option,
    const struct conf_list *phrases, struct arena *a, struct slice *why_r);

/* lint_header.c */
lint_rule lint_role_sender, lint_from, lint_visible_sender, lint_subject,
    lint_date, lint_message_id, lint_precedence, lint_role_recipients,
    lint_abuse_address;
/* lint_list.c */
lint_rule lint_list_unsubscribe, lint_unsubscribe_signed, lint_list_help;
/* lint_body.c */
lint_rule lint_line_length, lint_http_links, lint_imprint, lint_opt_out;
/* lint_dns.c */
lint_rule lint_sender_domain, lint_sender_mx, lint_sender_address, lint_spf,
    lint_dkim_key;

#endif
