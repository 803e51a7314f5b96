/*
 * facts - what a message says, as conditions ask for it
 *
 * Each fact is found out when it is asked for the first time, and kept. All
 * that comes from mail is bounded: fields and parts by the message's own
 * limits, values and names as below. What could not be read whole says so
 * (incomplete), so that "no" is not said of what nobody looked at.
 *
 * facts_init	f has to live in the job's arena, which frees what it holds
 * facts_values	decoded values of all fields of that name (RFC 2047), unfolded
 * facts_from	mailboxes of all From fields, also those that only a careless
 *		client would see there (text/address.h)
 * facts_sender	the envelope's; text "" for <>
 * facts_recipient	one of the envelope's
 * facts_attachments	file name and type of each part that is one: it has a
 *		name, or is called an attachment, or is neither text nor a
 *		container
 * facts_crypto	CRYPTO_* bits: what is encrypted or signed in it, and how
 * facts_country	"DE"; "unknown" where the address is in no country
 * facts_language	"de"; "unknown" where it cannot be told
 */
#ifndef PREDELIVERY_FACTS_H
#define PREDELIVERY_FACTS_H

#include "milter/filter.h"
#include "match.h"

struct country;

enum {
	FACTS_MAILBOXES = 200,		/* of From */
	FACTS_TEXT = 32768,		/* bytes of the body that tell its
					   language */
};

struct mailbox {
	struct slice text;		/* local@domain, normal form */
	struct slice plain;		/* the same without extension */
	struct slice domain;		/* A-labels; SLICE_NONE: it has none */
};

struct mailboxes {
	struct mailbox *items;
	size_t n;
	bool incomplete;
};

struct attachment {
	struct slice name;		/* UTF-8; SLICE_NONE: none */
	struct slice type;		/* "application/pdf" */
};

struct attachments {
	struct attachment *items;
	size_t n;
	bool incomplete;
};

struct values {
	struct slice *items;
	size_t n;
};

struct facts {
	const struct job *job;
	struct arena *arena;
	struct matcher matcher;
	const struct country *countries;	/* NULL: no data */
	/* What was found out; NULL or 0: not yet. */
	struct map *values;		/* by name in lower case */
	struct mailboxes *from;
	struct mailbox *sender, *recipients;
	struct attachments *attachments;
	unsigned crypto;
	bool have_crypto;
	struct slice country, language;
};

void facts_init(struct facts *f, const struct job *job,
    const struct country *countries, deadline_t deadline);
const struct values *facts_values(struct facts *f, struct slice name);
const struct mailboxes *facts_from(struct facts *f);
const struct mailbox *facts_sender(struct facts *f);
const struct mailbox *facts_recipient(struct facts *f, size_t index);
const struct attachments *facts_attachments(struct facts *f);
unsigned facts_crypto(struct facts *f);
struct slice facts_country(struct facts *f);
struct slice facts_language(struct facts *f);

#endif
