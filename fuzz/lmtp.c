/*
 * What comes to the splitter by LMTP: commands and messages in pieces of odd
 * sizes, and then the reader of its header block. What it takes must be fit to
 * be sent on.
 */
#include <stdlib.h>
#include <string.h>

#include "services/splitter/parcel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct seal_key key = { .bytes = "0123456789abcdef", .len = 16 };
static struct spool_budget budget = { .folder = "/tmp", .max = 1 << 20 };

static enum rc
form(const void *arg, struct arena *a, struct slice mailbox,
    uint64_t *form_r)
{
	(void)arg;
	(void)a;
	*form_r = mailbox.len;
	return RC_OK;
}

static const struct forms forms = { NULL, form, NULL };

static bool
done(void *arg, const char *identity, const struct lmtp_recipient *r)
{
	(void)arg;
	(void)identity;
	(void)r;
	return false;
}

/* No line end, and nothing that ends a path, gets through. */
static void
check(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			abort();
}

static void
take(struct lmtp *l)
{
	struct lmtp_mail *letter = lmtp_take(l);
	struct parcels p;
	struct slice why;

	check(letter->sender);
	check(letter->dsn);
	check(letter->xforward);
	if (letter->nrecipients == 0 ||
	    letter->nrecipients > LMTP_RECIPIENTS)
		abort();
	for (size_t i = 0; i < letter->nrecipients; i++) {
		check(letter->recipients[i].address);
		check(letter->recipients[i].dsn);
		lmtp_answer(l, SLICE("250 2.0.0 Ok"));
	}
	/* Without our key nothing is a mark. */
	if (parcels_make(letter, &key, &forms, done, NULL, &p, &why) == RC_OK)
		abort();
	lmtp_mail_free(letter);
	lmtp_next(l);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char room[2 * LMTP_LINE];
	size_t have = 0, at = 1, step = size > 0 ? 1 + data[0] * 13 : 1;
	struct lmtp l;

	lmtp_init(&l, "h", &budget);
	while (l.state != LMTP_GONE && at < size) {
		size_t n = size - at < step ? size - at : step, used;

		if (n > sizeof room - have)
			n = sizeof room - have;
		memcpy(room + have, data + at, n);
		have += n;
		at += n;
		for (;;) {
			used = lmtp_feed(&l, slice_make(room, have));
			have -= used;
			memmove(room, room + used, have);
			if (l.state == LMTP_WHOLE)
				take(&l);
			if (used == 0)
				break;
		}
		if (have >= LMTP_LINE)
			abort();	/* it would never go on */
		buf_clear(&l.out);
	}
	lmtp_free(&l);
	return 0;
}
