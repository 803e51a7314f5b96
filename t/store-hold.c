/*
 * store-hold - holds the message on standard input as a filter would
 *
 *	store-hold PUBLIC FOLDER CAUSE SENDER RECIPIENT... <MESSAGE
 *
 * MESSAGE has CRLF ends. Prints the object's id. QUEUE_ID, REASON, USER and
 * HELO in the environment stand in its meta block. CAUSE "record:NAME" makes
 * the record of a message that was deleted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/object.h"

static int
fail(const char *what, struct slice why)
{
	fprintf(stderr, "store-hold: %s: %.*s\n", what, SLICE_ARG(why));
	return 1;
}

static struct slice
given(const char *name)
{
	const char *value = getenv(name);

	return slice_of(value != NULL ? value : "");
}

static void
read_all(struct buf *b)
{
	size_t n;

	while ((n = fread(buf_room(b, 65536), 1, 65536, stdin)) > 0)
		buf_took(b, n);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct buf all = { 0 };
	struct object_meta m = { .kind = OBJECT_HELD, .time = clock_wall(),
	    .filter = SLICE("probe"), .rule = SLICE("asked"),
	    .queue_id = given("QUEUE_ID"), .reason = given("REASON"),
	    .user = given("USER_NAME"), .helo = given("HELO") };
	struct crypt_public key;
	struct message msg;
	struct slice why, head, body, cause;
	size_t at;

	if (argc < 6 || crypt_public_load(argv[1], &key, a, &why) != RC_OK)
		return fail("usage", SLICE("PUBLIC FOLDER CAUSE SENDER "
		    "RECIPIENT..."));
	read_all(&all);
	at = slice_search(buf_slice(&all), SLICE("\r\n\r\n"));
	head = slice_sub(buf_slice(&all), 0, at + 2);
	body = slice_after(buf_slice(&all), at + 4);
	cause = slice_of(argv[3]);
	if (slice_starts(cause, SLICE("record:"))) {
		m.kind = OBJECT_DELETED;
		cause = slice_after(cause, 7);
	}
	if (!cause_parse(cause, &m.cause))
		return fail("cause", cause);
	m.sender = slice_of(argv[4]);
	m.nrecipients = (size_t)argc - 5;
	m.recipients = arena_array(a, m.nrecipients, sizeof *m.recipients);
	for (size_t i = 0; i < m.nrecipients; i++)
		m.recipients[i] = slice_of(argv[5 + i]);
	message_read(&msg, a, head, body, NULL);
	object_describe(&m, &msg, a);
	memset(m.identity, '0', 32);
	if (object_digests(&m, head, body) != RC_OK)
		return fail("digest", SLICE("no memory"));
	memcpy(m.content, m.sha256, sizeof m.content);
	if (object_id(&m) != RC_OK || object_write(argv[2], &key, &m, head,
	    body, NULL, a, &why) != RC_OK)
		return fail(argv[2], why);
	puts(m.id);
	buf_free(&all);
	arena_free(a);
	return 0;
}
