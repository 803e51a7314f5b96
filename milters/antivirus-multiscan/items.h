/*
 * items - what of a message has to be scanned
 *
 * items_read	fills the ledger: first the message as a letter (headers, text
 *		and structure; long attachments left out, since they are items
 *		of their own), then each part in each plausible reading, then
 *		the members of each container, as the unpack cell finds them, or
 *		as they are known when it was opened before and all of them are
 *		in the verdict cache. After scan_begin
 *
 * A letter begins with a line of ours, "Received:", since engines tell mail by
 * its first line, and who sends it chooses that.
 *
 * Its frame is what decides which parts an engine sees in it: the fields
 * Content-* and MIME-Version, all bytes of them. What stands inside is all that
 * follows the header block. A letter has them only when all its other fields
 * are plain, so that no reader can take a line of them for the end of the
 * header block, or for another field: a name of letters, digits and hyphens
 * with the colon behind it, lines of at most 998 printable bytes, no line of
 * blanks, no control characters.
 *
 * items_frame	is public for tests
 *
 * Passwords for encrypted archives are words of the text: those behind
 * "password" and its like in several languages, and what stands in quotes.
 * items_passwords gives them, at most UNPACK_PASSWORDS.
 */
#ifndef ANTIVIRUS_ITEMS_H
#define ANTIVIRUS_ITEMS_H

#include "known.h"
#include "mime/message.h"
#include "scan.h"

struct items_conf {
	struct cell *unpack;
	struct scan_pool *pool;
	struct known *known;		/* NULL: nothing is */
	struct unpack_limits limits;
	const struct conf_list *passwords;	/* tried on all mail */
};

void items_read(struct message *msg, const struct items_conf *conf,
    deadline_t until, struct ledger *l);
struct slice items_frame(const struct message *msg, struct arena *a);
size_t items_passwords(struct message *msg, struct arena *a,
    struct slice *out, size_t max);

#endif
