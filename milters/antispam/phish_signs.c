#include <stdarg.h>

#include "phish.h"

/*
 * The logarithm of how much more often the sign stands in the project's spam
 * than in its ham (1500 of each; bench/phishing), drawn towards what one would
 * think, which counts as ten messages. Less than it would be: numbers, which
 * are of 2002 nearly all; shorteners and brands in a subject, which newsletters
 * of today have, and half of the ham is old or from lists; senders that call
 * themselves a brand, for people may be called so. What the mail does not have,
 * or has once (look-alikes, data:, pages that ask for a password, feeds), is
 * what one would think.
 */
const struct phish_weight phish_weights[PHISH_SIGNS] = {
	[SIGN_TEXT_DIFFERS] = { "link-text-differs", 0.6, CLASS_PHISHING },
	[SIGN_TEXT_POPULAR] = { "link-text-popular", 2.4, CLASS_PHISHING },
	[SIGN_ALIKE] = { "link-lookalike", 3.0, CLASS_PHISHING },
	[SIGN_ALIKE_OURS] = { "link-lookalike-ours", 4.0, CLASS_PHISHING },
	[SIGN_EDITED] = { "link-one-letter-off", 1.0, CLASS_PHISHING },
	[SIGN_ENDING_OURS] = { "link-other-ending", 1.5, CLASS_PHISHING },
	[SIGN_BRAND_HOST] = { "link-brand-in-host", 1.7, CLASS_PHISHING },
	[SIGN_DOMAIN_WITHIN] = { "link-domain-in-host", 2.5, CLASS_PHISHING },
	[SIGN_USERINFO] = { "link-userinfo", 2.4, CLASS_PHISHING },
	[SIGN_MIXED] = { "link-mixed-scripts", 3.0, CLASS_PHISHING },
	[SIGN_NUMBER] = { "link-number", 2.8, CLASS_PHISHING },
	[SIGN_ODD_NUMBER] = { "link-odd-number", 2.8, CLASS_PHISHING },
	[SIGN_SHORTENER] = { "link-shortened", 1.5, CLASS_SPAM },
	[SIGN_HOSTING] = { "link-free-hosting", 1.6, CLASS_PHISHING },
	[SIGN_MANY_LABELS] = { "link-many-labels", 1.5, CLASS_PHISHING },
	[SIGN_REDIRECT] = { "link-open-redirect", 0.6, CLASS_PHISHING },
	[SIGN_DATA] = { "link-data", 2.5, CLASS_PHISHING },
	[SIGN_SCRIPT_LINK] = { "link-script", 0.6, CLASS_PHISHING },
	[SIGN_RECIPIENT] = { "link-names-reader", 1.8, CLASS_PHISHING },
	[SIGN_CODE] = { "link-in-code", 0.8, CLASS_PHISHING },
	[SIGN_FEED_URL] = { "link-on-feed", 6.0, CLASS_PHISHING },
	[SIGN_FEED_HOST] = { "host-on-feed", 5.0, CLASS_PHISHING },
	[SIGN_MIXED_NAME] = { "name-mixed-scripts", 3.0, CLASS_PHISHING },
	[SIGN_MIXED_SUBJECT] = { "subject-mixed-scripts", 2.4,
	    CLASS_PHISHING },
	[SIGN_SENDER_ALIKE] = { "sender-lookalike", 3.0, CLASS_PHISHING },
	[SIGN_BRAND_SENDER] = { "brand-sender", 1.7, CLASS_PHISHING },
	[SIGN_BRAND_LEADS] = { "brand-sender-leads-away", 3.5,
	    CLASS_PHISHING },
	[SIGN_BRAND_SUBJECT] = { "brand-subject", 0.5, CLASS_PHISHING },
	[SIGN_PASSWORD] = { "form-password", 2.5, CLASS_PHISHING },
	[SIGN_FILE_HTML] = { "file-html", 0.5, CLASS_PHISHING },
	[SIGN_FILE_FORM] = { "file-form-password", 3.5, CLASS_PHISHING },
	[SIGN_FILE_SCRIPT] = { "file-script", 1.5, CLASS_PHISHING },
	[SIGN_SMUGGLED] = { "file-builds-page", 2.8, CLASS_PHISHING },
};

void
phish_say(struct phish_seen *s, enum phish_sign sign, const char *fmt, ...)
{
	const struct phish_weight *w = &phish_weights[sign];
	va_list args;

	if (s->seen[sign])
		return;
	s->seen[sign] = true;
	va_start(args, fmt);
	clues_add(s->look->clues, w->name, w->weight, w->of,
	    arena_vprintf(s->a, fmt, args));
	va_end(args);
}
