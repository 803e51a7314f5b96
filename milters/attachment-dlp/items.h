/*
 * items - a message taken apart, once for all steps
 *
 * items_of_message
 *		each part of the MIME tree but multiparts, strict and lax, in
 *		each plausible reading, and behind it the members of each
 *		container, as the unpack cell finds them. An item that is not
 *		all there says why; `lack` is the first of these. What it is
 *		stands in `identity`. Never waits beyond `until`
 *
 * An item is `text` when it is what the letter itself says: a text part without
 * a name that is not told to be an attachment, and whose bytes are text; or what
 * the cell tells of a document's text. Rules for attachments do not look at
 * these.
 *
 * items_of_file
 *		the same for a file that stands alone: its name and declared
 *		type ("": none) are given, and there is no part
 *
 * libmagic is asked, in the cell, for what identify_unsure says; for at most
 * 128 items, and never for the letter's own text. No answer is as it is with
 * containers: trouble, or `unpacked`.
 *
 * content_read (content/content.h) gives the texts; it is called once, by
 * items_of_message, and its result stands in `content`. All of it lives in the
 * message's arena.
 */
#ifndef ATTACHMENT_ITEMS_H
#define ATTACHMENT_ITEMS_H

#include "conf/conf.h"
#include "content/content.h"
#include "identify.h"
#include "unpack/unpack.h"

struct item {
	struct item *next;
	struct item *container;		/* NULL: a part of the message */
	const struct part *part;	/* that it is, or is in */
	unsigned number;		/* of the part, from 1 */
	struct slice name;		/* of the file, UTF-8 where it is told,
					   else any bytes; empty: none */
	struct slice path;		/* for people: "a.zip/b.exe" */
	struct slice bytes;		/* decoded; cut where `why` says so */
	struct slice format;		/* "zip"; empty: no container */
	struct identity identity;
	bool text;			/* of the letter, not attached */
	enum unpack_why why;		/* of it, or of what is in it */
	enum cell_end unpacked;		/* containers; else CELL_ANSWERED */
};

struct items {
	struct item *first, **last;
	unsigned count;
	bool late;			/* the cell had no answer in time, or
					   is down: our trouble */
	const struct item *lack;	/* the first that is not all there */
	struct content content;
};

struct items_conf {
	struct cell *unpack;
	struct unpack_limits limits;
	const struct conf_list *passwords;	/* tried on all mail */
	bool all_kinds;			/* libmagic is asked for each item */
};

void items_of_message(struct message *msg, const struct items_conf *conf,
    deadline_t until, struct items *items_r);
void items_of_file(struct arena *a, struct slice name, struct slice mime,
    struct slice bytes, const struct items_conf *conf, deadline_t until,
    struct items *items_r);

#endif
