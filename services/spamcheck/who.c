#include "services/spamcheck/who.h"

#include "text/field.h"

/* --- the way here -------------------------------------------------------- */

/* The value of NAME=value in what XFORWARD said; absent: it said nothing. */
static struct slice
attribute(struct slice xforward, struct slice name)
{
	struct slice rest = xforward, one, found = SLICE_NONE;

	while (rest.ptr != NULL) {
		one = slice_cut(rest, ' ', &rest);
		/* The last one counts, as for Postfix. */
		if (slice_starts_nocase(one, name))
			found = slice_after(one, name.len);
	}
	return found;
}

/* The next word outside of comments. */
static bool
next_word(struct slice *rest, struct slice *word_r)
{
	unsigned depth = 0;

	while (rest->len > 0) {
		bool inside = depth > 0;
		size_t end = 0;

		while (end < rest->len && !ascii_space(rest->ptr[end]))
			end++;
		*word_r = slice_sub(*rest, 0, end);
		*rest = slice_after(*rest, end + 1);
		for (size_t i = 0; i < end; i++) {
			inside = inside || word_r->ptr[i] == '(';
			depth += word_r->ptr[i] == '(';
			depth -= word_r->ptr[i] == ')' && depth > 0;
		}
		if (!inside && word_r->len > 0)
			return true;
	}
	return false;
}

/* "with PROTOCOL id QUEUE_ID": is it the field of this Postfix for this
 * message, and by which protocol did it come? */
static bool
is_ours(struct slice received, struct slice queue_id, struct slice *with_r)
{
	struct slice before[3] = { SLICE_NONE, SLICE_NONE, SLICE_NONE }, word;

	while (queue_id.len > 0 && next_word(&received, &word)) {
		if (word.ptr[word.len - 1] == ';')
			word.len--;
		if (slice_eq(before[2], SLICE("id")) &&
		    slice_eq(word, queue_id)) {
			*with_r = slice_eq(before[0], SLICE("with")) ?
			    before[1] : SLICE("");
			return true;
		}
		before[0] = before[1];
		before[1] = before[2];
		before[2] = word;
	}
	return false;
}

/* What is below our Received field, and how it came; all, where the first one
 * is none of ours. */
static struct slice
draft_of(const struct lmtp_mail *mail, struct slice message, struct arena *a,
    struct slice *with_r)
{
	struct slice rest = slice_sub(message, 0, WHO_HEADER), all = rest;
	struct field f;

	*with_r = SLICE("");
	while (rest.len > 0 && rest.ptr[0] != '\r' && rest.ptr[0] != '\n' &&
	    field_next(&rest, &f))
		if (slice_eq_nocase(f.name, SLICE("Received")))
			return is_ours(field_value(a, &f), mail->queue_id,
			    with_r) ? slice_after(message, all.len -
			    rest.len) : message;
	return message;
}

struct slice
who_draft(const struct lmtp_mail *mail, struct slice message, struct arena *a)
{
	struct slice with;

	return draft_of(mail, message, a, &with);
}

/* --- one of us ----------------------------------------------------------- */

static bool
from_our_network(const struct lmtp_mail *mail, const struct house_conf *house)
{
	struct slice addr = attribute(mail->xforward, SLICE("ADDR="));
	struct slice source = attribute(mail->xforward, SLICE("SOURCE="));
	struct ip ip;

	if (addr.ptr == NULL)		/* pickup(8): no client */
		return slice_eq_nocase(source, SLICE("LOCAL"));
	return ip_parse(addr, &ip) && conf_nets_hold(&house->networks, &ip);
}

static bool
logged_in(struct slice with)
{
	static const char *const names[] = { "ESMTPA", "ESMTPSA", "UTF8SMTPA",
	    "UTF8SMTPSA" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_eq(with, slice_of(names[i])))
			return true;
	return false;
}

/* --- nobody to answer ---------------------------------------------------- */

static bool
of_a_machine(struct arena *a, const struct field *f)
{
	static const char *const lists[] = { "List-Post", "List-Owner",
	    "List-Archive", "Mailing-List", "X-Loop", "X-Mailman-Version",
	    "X-BeenThere" };
	struct slice value;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (slice_eq_nocase(f->name, slice_of(lists[i])))
			return true;
	value = slice_trim(field_value(a, f));
	if (slice_eq_nocase(f->name, SLICE("Auto-Submitted")))
		return !slice_eq_nocase(slice_trim(slice_sub(value, 0,
		    slice_find(value, ';'))), SLICE("no"));
	return slice_eq_nocase(f->name, SLICE("Precedence")) &&
	    (slice_eq_nocase(value, SLICE("list")) ||
	    slice_eq_nocase(value, SLICE("junk")));
}

const char *
who_refuses(const struct lmtp_mail *mail, struct slice message,
    const struct notices *n, struct arena *a)
{
	struct slice with, rest;
	struct field f;

	if (mail->sender.len == 0)
		return "550 5.7.1 there is no sender who could be told";
	rest = slice_sub(draft_of(mail, message, a, &with), 0, WHO_HEADER);
	if (!notices_ours(n, a, mail->sender) ||
	    !(from_our_network(mail, n->house) || logged_in(with)))
		return "550 5.7.1 messages are checked for senders of this "
		    "house only";
	while (rest.len > 0 && rest.ptr[0] != '\r' && rest.ptr[0] != '\n' &&
	    field_next(&rest, &f))
		if (of_a_machine(a, &f))
			return "550 5.7.1 what a list or a machine has sent "
			    "is not checked";
	return NULL;
}
