/*
 * write - what notices and digests share when they fill in a template
 *
 * write_common	hostname, now, ... for settings
 * write_message what a template may say of an object; mail-derived text goes
 *		in as it is, the template escapes it
 * write_cause	the name that is true for this cause
 * write_letter	fills in a template and makes the mail of it; RC_BAD when the
 *		result is over TEMPLATE_OUT
 */
#ifndef NOTICE_WRITE_H
#define NOTICE_WRITE_H

#include "notice/options.h"
#include "notice/state.h"
#include "store/index.h"

struct write_to {
	const struct notices *n;
	const struct notices_conf *conf; /* of whom it goes to */
	enum notice_template which;
	struct slice key;		/* the same key, the same Message-ID */
	struct slice recipient;
	struct slice attached;		/* or absent */
	int64_t now;
	struct slice data;		/* as in letter.h, with its name */
	const char *data_type, *data_name;
	struct slice in_reply_to;
};

void write_common(struct arena *a, struct template_data **data,
    const struct write_to *to);
void write_message(struct arena *a, struct template_data **data,
    const struct write_to *to, const struct store_object *object,
    bool deleted);
void write_cause(struct arena *a, struct template_data **data,
    struct slice cause);
enum rc write_letter(struct arena *a, const struct write_to *to,
    struct template_data *data, struct state_mail *mail_r,
    struct slice *why_r);

#endif
