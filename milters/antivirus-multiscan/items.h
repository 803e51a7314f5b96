/*
 * items - what of a message has to be scanned
 *
 * items_read	fills the ledger: first the message as a letter (headers, text
 *		and structure; long attachments left out, since they are items
 *		of their own), then each part in each plausible reading, then
 *		the members of each container, as the unpack cell finds them.
 *		RC_RETRY with *why_r when there is no memory for it
 *
 * Passwords for encrypted archives are words of the text: those behind
 * "password" and its like in several languages, and what stands in quotes.
 * items_passwords gives them, at most UNPACK_PASSWORDS.
 */
#ifndef ANTIVIRUS_ITEMS_H
#define ANTIVIRUS_ITEMS_H

#include "ledger.h"
#include "mime/message.h"

struct items_conf {
	struct cell *unpack;
	struct unpack_limits limits;
	const struct conf_list *passwords;	/* tried on all mail */
};

void items_read(struct message *msg, const struct items_conf *conf,
    deadline_t until, struct ledger *l);
size_t items_passwords(struct message *msg, struct arena *a,
    struct slice *out, size_t max);

#endif
