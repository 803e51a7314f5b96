#include "graymail.h"

#include <string.h>

#include "graymail_words.h"
#include "text/address.h"

/* What was seen; points are log-odds. */
struct seeing {
	const struct graymail_words *words;
	struct message *msg;
	struct arena *a;
	double all, list, notice, letters;
	bool fields;
	unsigned says, subject;		/* enum graymail_group */
	bool code;			/* one stands near its word */
	size_t text;			/* bytes of the longest text */
	struct buf why;
	unsigned nwhy;
};

enum { WHYS = 4 };

static void
because(struct seeing *s, double weight, const char *what)
{
	s->all += weight;
	if (s->nwhy++ < WHYS)
		buf_addf(&s->why, "%s%s", s->nwhy == 1 ? "" : ", ", what);
}

/* ---- fields ---- */

enum kind_of_field { OF_ANY, OF_LIST, OF_NOTICE, OF_LETTERS };

struct bulk_field {
	const char *name;		/* "X-GitHub-": what begins so */
	double weight;
	enum kind_of_field of;
};

/* A mail platform alone says little: receipts and codes go the same way. */
static const struct bulk_field bulk_fields[] = {
	{ "List-Id", 2.5, OF_ANY },
	{ "List-Post", 2, OF_LIST },
	{ "List-Archive", 1, OF_LIST },
	{ "List-Unsubscribe", 2, OF_LETTERS },
	{ "List-Unsubscribe-Post", 1.2, OF_LETTERS },
	{ "X-Mailman-Version", 2.5, OF_LIST },
	{ "X-BeenThere", 2, OF_LIST },
	{ "Mailing-List", 2.5, OF_LIST },
	{ "X-Mailing-List", 2.5, OF_LIST },
	{ "X-Sympa-To", 2, OF_LIST },
	{ "X-ML-Name", 2, OF_LIST },
	{ "X-Google-Group-Id", 2, OF_LIST },
	{ "Feedback-ID", 1.2, OF_LETTERS },
	{ "X-CSA-Complaints", 1.5, OF_LETTERS },
	{ "X-Campaign", 1.5, OF_LETTERS },
	{ "X-CampaignId", 1.5, OF_LETTERS },
	{ "X-Campaign-Id", 1.5, OF_LETTERS },
	{ "X-rpcampaign", 1.5, OF_LETTERS },
	{ "X-Mailing-Id", 1.5, OF_LETTERS },
	{ "X-MailingId", 1.5, OF_LETTERS },
	{ "X-MC-User", 1.2, OF_LETTERS },
	{ "X-MC-Relay", 1, OF_LETTERS },
	{ "X-ListMember", 1.5, OF_LETTERS },
	{ "X-Report-Abuse", 0.8, OF_LETTERS },
	{ "X-Report-Abuse-To", 0.8, OF_LETTERS },
	{ "X-EmarSys-", 1, OF_LETTERS },
	{ "X-SFMC-Stack", 0.8, OF_LETTERS },
	{ "X-Klaviyo-", 1.2, OF_LETTERS },
	{ "X-HubSpot-", 1, OF_LETTERS },
	{ "X-Mailer-RecptId", 0.8, OF_LETTERS },
	{ "X-Mailer-MsgId", 0.8, OF_LETTERS },
	{ "X-SG-EID", 0.6, OF_ANY },
	{ "X-Mailgun-Sid", 0.6, OF_ANY },
	{ "X-Mandrill-User", 0.6, OF_ANY },
	{ "X-SES-Outgoing", 0.6, OF_ANY },
	{ "X-PM-Message-Id", 0.4, OF_ANY },
	{ "X-Mailjet-Campaign", 1.2, OF_LETTERS },
	{ "X-MJ-Mid", 0.6, OF_ANY },
	{ "X-sib-id", 0.6, OF_ANY },
	{ "X-ConvertKit-", 1.2, OF_LETTERS },
	{ "X-Beehiiv-", 1.2, OF_LETTERS },
	{ "X-GitHub-", 3, OF_NOTICE },
	{ "X-GitLab-", 3, OF_NOTICE },
	{ "X-Gitea-", 3, OF_NOTICE },
	{ "X-JIRA-FingerPrint", 3, OF_NOTICE },
	{ "X-Atlassian-Token", 2, OF_NOTICE },
	{ "X-Bugzilla-", 3, OF_NOTICE },
	{ "X-Redmine-", 3, OF_NOTICE },
	{ "X-Trac-", 3, OF_NOTICE },
	{ "X-Jenkins-", 3, OF_NOTICE },
	{ "X-Gerrit-", 3, OF_NOTICE },
	{ "X-Phabricator-", 3, OF_NOTICE },
	{ "X-Launchpad-", 3, OF_NOTICE },
	{ "X-Debian-PR-", 3, OF_NOTICE },
	{ "X-Discourse-", 3, OF_NOTICE },
	{ "X-Facebook-Notify", 3, OF_NOTICE },
	{ "X-LinkedIn-", 3, OF_NOTICE },
	{ "X-Notification", 2.5, OF_NOTICE },
	{ "X-Nagios-", 2.5, OF_NOTICE },
	{ "X-Cron-Env", 2.5, OF_NOTICE },
};

static const struct bulk_field *
bulk_field(struct slice name)
{
	for (size_t i = 0; i < sizeof bulk_fields / sizeof *bulk_fields;
	    i++) {
		struct slice known = slice_of(bulk_fields[i].name);
		bool family = known.ptr[known.len - 1] == '-';

		if (family ? slice_starts_nocase(name, known) :
		    slice_eq_nocase(name, known))
			return &bulk_fields[i];
	}
	return NULL;
}

static void
count_field(struct seeing *s, const struct bulk_field *f)
{
	because(s, f->weight, f->name);
	if (f->of == OF_LIST)
		s->list += f->weight;
	if (f->of == OF_NOTICE)
		s->notice += f->weight;
	if (f->of == OF_LETTERS)
		s->letters += f->weight;
	s->fields = s->fields || strncmp(f->name, "List-", 5) == 0 ||
	    f->of == OF_LIST;
}

/* What a machine wrote (RFC 3834, 5); answers to one's own mail are no bulk. */
static void
value_fields(struct seeing *s, struct slice name, struct slice value)
{
	if (slice_eq_nocase(name, SLICE("Precedence"))) {
		bool list = slice_eq_nocase(value, SLICE("list"));

		if (!list && !slice_eq_nocase(value, SLICE("bulk")) &&
		    !slice_eq_nocase(value, SLICE("junk")))
			return;
		because(s, list ? 2 : 1.5, "Precedence");
		s->list += list ? 1.5 : 0;
		s->fields = true;
	} else if (slice_eq_nocase(name, SLICE("Auto-Submitted")) &&
	    slice_starts_nocase(value, SLICE("auto-generated"))) {
		because(s, 2, "Auto-Submitted");
		s->notice += 2;
	}
}

/* Each row of the table counts once, whatever a message repeats. */
static void
read_fields(struct seeing *s)
{
	enum { ROWS = sizeof bulk_fields / sizeof *bulk_fields };
	bool done[ROWS] = { false };

	for (size_t i = 0; i < s->msg->nfields; i++) {
		const struct field *f = &s->msg->fields[i];
		const struct bulk_field *known = bulk_field(f->name);

		if (known == NULL) {
			value_fields(s, f->name, slice_trim(f->body));
		} else if (!done[known - bulk_fields]) {
			done[known - bulk_fields] = true;
			count_field(s, known);
		}
	}
}

/* ---- addresses ---- */

static bool
begins_with_one(struct slice local, const char *const *names)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		struct slice name = slice_of(names[i]);

		if (slice_starts_nocase(local, name) && (local.len ==
		    name.len || !ascii_alpha(local.ptr[name.len])))
			return true;
	}
	return false;
}

static const char *const notifiers[] = { "notification", "notifications",
    "notify", "notifier", "alert", "alerts", "jira", "gitlab", "bugzilla",
    "cron", "monitoring", "nagios", "updates", "benachrichtigung",
    "benachrichtigungen", NULL };
static const char *const nobodies[] = { "noreply", "no-reply", "no_reply",
    "donotreply", "do-not-reply", "do_not_reply", "nepasrepondre", NULL };
static const char *const senders[] = { "newsletter", "newsletters", "news",
    "marketing", "mailing", "mailings", "offers", "deals", "promo",
    "promotions", "info-news", "campaign", "campaigns", NULL };

static void
read_from(struct seeing *s)
{
	const struct field *f = message_field(s->msg, SLICE("From"), 0);
	struct address_list list;
	struct address from;

	if (f == NULL)
		return;
	address_open(&list, s->a, field_value(s->a, f));
	if (!address_next(&list, &from))
		return;
	if (begins_with_one(from.local, notifiers)) {
		because(s, 2, "From a notifier");
		s->notice += 2;
	} else if (begins_with_one(from.local, nobodies)) {
		because(s, 0.8, "From nobody");
		s->notice += 0.5;
	} else if (begins_with_one(from.local, senders)) {
		because(s, 1.5, "From a newsletter's address");
	}
}

/* VERP: the recipient, or a long number, stands in the reverse-path; and what
 * list servers send by. */
static void
read_sender(struct seeing *s, struct slice sender)
{
	enum { LONG = 24, DIGITS = 8 };
	struct slice local = slice_sub(sender, 0,
	    slice_find_last(sender, '@'));
	size_t digits = 0;

	for (size_t i = 0; i < local.len; i++)
		digits += ascii_digit(local.ptr[i]);
	if (slice_starts_nocase(local, SLICE("owner-")) ||
	    slice_search(local, SLICE("-bounces")) < local.len ||
	    slice_ends_nocase(local, SLICE("-return")) ||
	    slice_ends_nocase(local, SLICE("-owner"))) {
		because(s, 1.5, "a list's reverse-path");
		s->list += 1;
	} else if (slice_has(local, '=') || (local.len >= LONG && digits >=
	    DIGITS) || slice_starts_nocase(local, SLICE("bounce"))) {
		because(s, 1, "a reverse-path for each recipient");
	}
}

/* ---- texts ---- */

static void
read_phrases(struct seeing *s, struct slice text, unsigned *says)
{
	struct slice plain = slice_sub(text, 0, GRAYMAIL_TEXT);
	bool brief = text.len <= GRAYMAIL_CODE_TEXT;
	struct words_scan scan;
	struct words_hit hit;
	size_t at = 0, len = 0;
	unsigned more = graymail_unspaced(plain, &at, &len);

	*says |= more;
	if ((more & SAYS_CODE) != 0 && brief)
		s->code = s->code || graymail_code_near(plain, at, len);
	words_begin(&scan, s->words->words, plain);
	while (words_next(&scan, &hit)) {
		*says |= hit.number;
		if (hit.number == SAYS_CODE && brief && !s->code)
			s->code = graymail_code_near(plain, hit.at, hit.len);
	}
}

/* A link that leads out of it, where the text does not say so. */
static bool
link_out(struct slice markup)
{
	static const char *const words[] = { "unsubscribe", "Unsubscribe",
	    "optout", "opt-out", "opt_out", "abmelden", "desinscri",
	    "desabonn", NULL };

	for (size_t i = 0; words[i] != NULL; i++)
		if (slice_search(markup, slice_of(words[i])) < markup.len)
			return true;
	return false;
}

/* Answers and forwarded mail bring the last lines of what others sent. */
static bool
first_hand(struct seeing *s)
{
	static const char *const marks[] = { "Re:", "Fw:", "Fwd:", "Wg:",
	    "Aw:", "Tr:", "Rv:", NULL };
	const struct field *f = message_field(s->msg, SLICE("Subject"), 0);
	struct slice subject = f != NULL ? slice_trim(f->body) : SLICE("");

	for (size_t i = 0; marks[i] != NULL; i++)
		if (slice_starts_nocase(subject, slice_of(marks[i])))
			return false;
	return message_count(s->msg, SLICE("In-Reply-To")) == 0;
}

static void
read_texts(struct seeing *s, const struct content *content)
{
	const struct content_text *t;

	for (t = content->first; t != NULL; t = t->next) {
		if (t->kind == CONTENT_NAME)
			continue;
		read_phrases(s, t->text, t->kind == CONTENT_SUBJECT ?
		    &s->subject : &s->says);
		if (t->kind != CONTENT_HIDDEN && t->text.len > s->text)
			s->text = t->text.len;
		if (t->kind != CONTENT_HTML)
			continue;
		if (slice_search(t->markup, SLICE("href")) < t->markup.len)
			s->says |= SAYS_LINK;
		if ((s->says & SAYS_UNSUBSCRIBE) == 0 &&
		    link_out(slice_sub(t->markup, 0, GRAYMAIL_TEXT)))
			s->says |= SAYS_UNSUBSCRIBE;
	}
	if ((s->says & SAYS_UNSUBSCRIBE) != 0)
		because(s, (s->says & SAYS_LINK) != 0 && first_hand(s) ? 3 : 2,
		    "a way to unsubscribe in the text");
	if ((s->says & SAYS_BROWSER) != 0)
		because(s, 1.5, "a copy for the browser");
	if ((s->says & SAYS_WHY) != 0)
		because(s, 1, "says why it is sent");
}

/* ---- what it is ---- */

/* A file that is no picture. */
static bool
brings_file(struct message *msg)
{
	const struct part *root = message_parts(msg);

	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		if (!part_multipart(p) && !part_is(p, "image", NULL) &&
		    (p->filename.ptr != NULL || !part_is(p, "text", NULL) ||
		    slice_eq(p->disposition, SLICE("attachment"))))
			return true;
	return false;
}

static bool
is_code(const struct seeing *s)
{
	bool link = (s->subject & SAYS_RESET) != 0 &&
	    (s->says & SAYS_LINK) != 0;
	bool letter = (s->says & SAYS_UNSUBSCRIBE) != 0 &&
	    (s->says & SAYS_BROWSER) != 0;

	/* Nobody's program answers to a letter with one. */
	if (message_count(s->msg, SLICE("In-Reply-To")) > 0)
		return false;
	return (s->code || link) && !letter && s->list < 2 &&
	    s->text <= GRAYMAIL_CODE_TEXT && !brings_file(s->msg);
}

/* Said in the subject, and borne out by the text. */
static bool
is_transaction(const struct seeing *s)
{
	return (s->subject & SAYS_ORDER) != 0 &&
	    (s->says & SAYS_NUMBER) != 0 && s->list < 2;
}

static enum graymail_kind
kind_of(const struct seeing *s)
{
	if (s->code || is_transaction(s))
		return GRAYMAIL_TRANSACTION;
	if (s->all < 1)
		return GRAYMAIL_NONE;
	if (s->notice >= 2.5 || (s->notice >= 2 && s->letters < 2))
		return GRAYMAIL_NOTICE;
	return s->list >= 2 ? GRAYMAIL_LIST : GRAYMAIL_NEWSLETTER;
}

const char *
graymail_name(enum graymail_kind kind)
{
	static const char *const names[GRAYMAIL_KINDS] = { "none", "list",
	    "newsletter", "notification", "transaction" };

	return kind < GRAYMAIL_KINDS ? names[kind] : names[0];
}

void
graymail_read(const struct graymail_words *words, struct message *msg,
    const struct content *content, struct slice sender,
    struct graymail *seen_r)
{
	struct seeing s = { .words = words, .msg = msg, .a = msg->arena,
	    .why = buf_in(msg->arena) };

	read_fields(&s);
	read_from(&s);
	read_sender(&s, sender.ptr != NULL ? sender : SLICE(""));
	read_texts(&s, content);
	s.code = is_code(&s);
	*seen_r = (struct graymail){ .kind = kind_of(&s), .fields = s.fields,
	    .code = s.code };
	if (seen_r->kind == GRAYMAIL_NONE)
		return;
	if (seen_r->kind != GRAYMAIL_TRANSACTION)
		seen_r->weight = s.all;
	seen_r->words = arena_printf(msg->arena, "%s: %.*s",
	    graymail_name(seen_r->kind), SLICE_ARG(buf_slice(&s.why)));
}
