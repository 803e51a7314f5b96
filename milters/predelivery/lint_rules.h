/*
 * lint_rules - the rules of lint.h, a row each
 *
 * X(NAME, option, id, of, severity, text): LINT_NAME is its number, lint_option
 * the option that says how severe it is (and the default of that), id what
 * people read. `of` says what mail it is about: ANY outbound mail that is
 * looked at, BULK only, or LISTS: bulk mail to more than one recipient or with
 * a field of a mailing list.
 */
#ifndef PREDELIVERY_LINT_RULES_H
#define PREDELIVERY_LINT_RULES_H

#define LINT_TABLE(X) \
	X(SENDER_DOMAIN, sender_domain, "sender-domain", ANY, "warn", \
	  "The domains of MAIL FROM and From have an MX record, or an address " \
	  "where they have none.") \
	X(SENDER_MX, sender_mx, "sender-mx", BULK, "warn", \
	  "The domain of MAIL FROM has an MX record that takes mail.") \
	X(SENDER_ADDRESS, sender_address, "sender-address", BULK, "off", \
	  "The domain of MAIL FROM has an A or AAAA record of its own.") \
	X(ROLE_SENDER, role_sender, "role-sender", BULK, "warn", \
	  "Neither MAIL FROM nor From is an address of role_names.") \
	X(FROM, from, "from", ANY, "warn", \
	  "There is one From field, with one mailbox that can be read without " \
	  "doubt.") \
	X(VISIBLE_SENDER, visible_sender, "visible-sender", ANY, "warn", \
	  "The name in From shows no address but that of the sender, and in " \
	  "bulk mail there is a name.") \
	X(SUBJECT, subject, "subject", ANY, "warn", \
	  "There is one Subject, and it is not empty.") \
	X(DATE, date, "date", ANY, "warn", \
	  "There is one Date that RFC 5322 allows, not more than a week old " \
	  "and not more than a day in the future.") \
	X(MESSAGE_ID, message_id, "message-id", ANY, "warn", \
	  "There is one Message-ID, of the form <left@right>.") \
	X(LINE_LENGTH, line_length, "line-length", ANY, "warn", \
	  "No line is longer than 998 octets.") \
	X(PRECEDENCE, precedence, "precedence", ANY, "warn", \
	  "Precedence and Auto-Submitted stand once at most and say what they " \
	  "may say.") \
	X(LIST_UNSUBSCRIBE, list_unsubscribe, "list-unsubscribe", LISTS, \
	  "warn", \
	  "List-Unsubscribe has one https address, and List-Unsubscribe-Post " \
	  "offers one click (RFC 8058).") \
	X(UNSUBSCRIBE_SIGNED, unsubscribe_signed, "unsubscribe-signed", LISTS, \
	  "warn", \
	  "Where the mail is signed already, a DKIM signature covers both of " \
	  "them. What is signed behind us is for the signer to cover.") \
	X(LIST_HELP, list_help, "list-help", LISTS, "warn", \
	  "Without List-Unsubscribe there is List-Help, with a mailto or https " \
	  "address.") \
	X(HTTP_LINKS, http_links, "http-links", BULK, "warn", \
	  "No link of the text or of a List- field begins with http:.") \
	X(IMPRINT, imprint, "imprint", BULK, "off", \
	  "One of the phrases of imprint_phrases stands in the text.") \
	X(OPT_OUT, opt_out, "opt-out", LISTS, "warn", \
	  "The text has the address of List-Unsubscribe or a phrase of " \
	  "opt_out_phrases, beside a link.") \
	X(ROLE_RECIPIENTS, role_recipients, "role-recipients", BULK, "warn", \
	  "No recipient is an address of role_names.") \
	X(SPF, spf, "spf", ANY, "warn", \
	  "The SPF record of the domain of MAIL FROM ends in -all or ~all.") \
	X(DKIM_KEY, dkim_key, "dkim-key", ANY, "warn", \
	  "The domain of From has a DKIM key: under a selector of " \
	  "dkim_selectors, or under that of a signature that is there.") \
	X(ABUSE_ADDRESS, abuse_address, "abuse-address", BULK, "warn", \
	  "abuse_address is set for the sender.")

enum lint_id {
#define LINT_ID(name, option, id, of, severity, text) LINT_ ## name,
	LINT_TABLE(LINT_ID)
#undef LINT_ID
	LINT_RULES
};

#endif
