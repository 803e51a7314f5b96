/*
 * phish - signs of phishing in a message
 *
 * phish_check_links	what each link is, and what is shown for it
 * phish_check_feeds	links that a feed names (phish_feeds.h)
 * phish_check_sender	a brand that writes from a domain of somebody else
 * phish_check_markup	forms and scripts, in the text and in attachments
 *
 * Each is a spam_check (look.h), and sees nothing where what it compares with
 * is not open (known, feeds). A sign is said once, with the first link that
 * has it. What weighs how much is in phish_signs.c, measured on the project's
 * mail.
 */
#ifndef ANTISPAM_PHISH_H
#define ANTISPAM_PHISH_H

#include "look.h"
#include "phish_known.h"

enum phish_sign {
	SIGN_TEXT_DIFFERS, SIGN_TEXT_POPULAR, SIGN_ALIKE, SIGN_ALIKE_OURS,
	SIGN_EDITED, SIGN_ENDING_OURS, SIGN_BRAND_HOST, SIGN_DOMAIN_WITHIN,
	SIGN_USERINFO, SIGN_MIXED, SIGN_NUMBER, SIGN_ODD_NUMBER,
	SIGN_SHORTENER, SIGN_HOSTING, SIGN_MANY_LABELS, SIGN_REDIRECT,
	SIGN_DATA, SIGN_SCRIPT_LINK, SIGN_RECIPIENT, SIGN_CODE,
	SIGN_FEED_URL, SIGN_FEED_HOST,
	SIGN_MIXED_NAME, SIGN_MIXED_SUBJECT, SIGN_SENDER_ALIKE,
	SIGN_BRAND_SENDER, SIGN_BRAND_LEADS, SIGN_BRAND_SUBJECT,
	SIGN_PASSWORD, SIGN_FILE_HTML, SIGN_FILE_FORM,
	SIGN_FILE_SCRIPT, SIGN_SMUGGLED,
	PHISH_SIGNS
};

/* What the signs are called, what they weigh, and of which class they are. */
struct phish_weight {
	const char *name;
	double weight;
	enum mail_class of;
};

extern const struct phish_weight phish_weights[PHISH_SIGNS];

/* One sign, once for a message: words in the look's arena. */
struct phish_seen {
	struct spam_look *look;
	struct arena *a;
	bool seen[PHISH_SIGNS];
};

void phish_say(struct phish_seen *s, enum phish_sign sign, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

spam_check phish_check_links, phish_check_feeds, phish_check_sender,
    phish_check_markup;

#endif
