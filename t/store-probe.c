/*
 * store-probe - objects and marks, for tests in Perl
 *
 *	store-probe keygen PRIVATE PUBLIC
 *	store-probe meta PRIVATE OBJECT...	one line of JSON each, checked
 *						whole
 *	store-probe body PRIVATE OBJECT		the message
 *	store-probe release PRIVATE OBJECT SEALKEY SECONDS RECIPIENT...
 *						the message with a mark that
 *						expires so many seconds from now
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "milter/seal.h"
#include "store/mark.h"
#include "text/json.h"

static struct arena *arena;

static int
fail(const char *what, struct slice why)
{
	fprintf(stderr, "%s: %.*s\n", what, SLICE_ARG(why));
	return 1;
}

/* The whole object: its meta block and the message. */
static enum rc
read_object(const struct crypt_keys *keys, const char *path,
    struct object_meta *meta_r, struct buf *bytes_r, struct slice *why_r)
{
	struct object *o;
	struct slice piece;
	enum rc rc = object_open(open(path, O_RDONLY), keys, arena, &o,
	    why_r);

	if (rc != RC_OK)
		return rc;
	*meta_r = *object_meta(o);
	while ((rc = object_next(o, &piece)) == RC_OK && piece.len > 0)
		buf_add(bytes_r, piece);
	object_close(o);
	*why_r = SLICE("its end is not what it says");
	return rc;
}

static void
print_meta(const struct object_meta *m)
{
	struct buf out = buf_in(arena);
	struct json w;

	json_init(&w, &out);
	json_begin_object(&w);
	json_put(&w, "id", slice_of(m->id));
	json_put(&w, "kind", slice_of(object_kind_name(m->kind)));
	json_put(&w, "content", slice_of(m->content));
	json_put(&w, "identity", slice_of(m->identity));
	json_put(&w, "sender", m->sender);
	json_key(&w, "recipients");
	json_begin_array(&w);
	for (size_t i = 0; i < m->nrecipients; i++)
		json_text(&w, m->recipients[i]);
	json_end(&w);
	json_put(&w, "queue_id", m->queue_id);
	json_put(&w, "ip", ip_format(arena, &m->client_ip));
	json_put(&w, "name", m->client_name);
	json_put(&w, "helo", m->helo);
	json_put(&w, "user", m->user);
	json_put(&w, "direction", m->outbound ? SLICE("out") : SLICE("in"));
	json_put(&w, "filter", m->filter);
	json_put(&w, "rule", m->rule);
	json_put(&w, "reason", m->reason);
	json_put(&w, "cause", slice_of(cause_name(m->cause)));
	json_put_int(&w, "findings", (int64_t)m->nfindings);
	json_put(&w, "subject", m->subject);
	json_put_int(&w, "size", (int64_t)m->size);
	json_put_bool(&w, "smtputf8", m->smtputf8);
	json_put_bool(&w, "8bit", m->body8);
	json_end(&w);
	printf("%.*s\n", (int)out.len, out.ptr);
}

static int
release(const struct object_meta *meta, struct slice bytes, int argc,
    char **argv)
{
	struct seal_key key;
	struct mark mark;
	struct slice why, body;

	if (argc < 3 || seal_key_load(argv[0], &key, arena, &why) != RC_OK)
		return fail("seal key", SLICE("none"));
	mark_of_object(&mark, meta);
	mark.expires = clock_wall() + atoll(argv[1]);
	mark.nrecipients = (size_t)argc - 2;
	mark.recipients = arena_array(arena, mark.nrecipients,
	    sizeof *mark.recipients);
	for (size_t i = 0; i < mark.nrecipients; i++)
		mark.recipients[i] = slice_of(argv[2 + i]);
	if (mark_write(&mark, slice_make(key.bytes, key.len), arena, &body) !=
	    RC_OK)
		return fail("mark", SLICE("too long"));
	printf("%s:%.*s\r\n", MARK_FIELD, (int)body.len, body.ptr);
	fwrite(bytes.ptr, 1, bytes.len, stdout);
	return 0;
}

int
main(int argc, char **argv)
{
	struct slice why = SLICE("");
	struct crypt_keys *keys;
	struct object_meta meta;
	struct buf bytes = { 0 };
	int status = 0;

	arena = arena_new();
	if (argc < 4)
		return fail("usage", SLICE("store-probe VERB KEY FILE..."));
	if (strcmp(argv[1], "keygen") == 0)
		return store_key_make(argv[2], argv[3], arena, &why) == RC_OK ?
		    0 : fail("keygen", why);
	if (crypt_keys_load(argv[2], &keys, arena, &why) != RC_OK)
		return fail("keys", why);
	for (int i = 3; i < argc && status == 0; i++) {
		buf_clear(&bytes);
		if (read_object(keys, argv[i], &meta, &bytes, &why) != RC_OK)
			return fail(argv[i], why);
		if (strcmp(argv[1], "release") == 0) {
			status = release(&meta, buf_slice(&bytes), argc - 4,
			    argv + 4);
			break;
		}
		if (strcmp(argv[1], "body") == 0)
			fwrite(buf_slice(&bytes).ptr, 1, bytes.len, stdout);
		else
			print_meta(&meta);
	}
	buf_free(&bytes);
	crypt_keys_free(keys);
	arena_free(arena);
	return status;
}
