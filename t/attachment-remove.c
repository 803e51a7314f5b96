/*
 * A part goes, and all else stays (milters/attachment-dlp/remove.h): cases, and
 * on every message of the shared data each part that can be taken out.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "milters/attachment-dlp/remove.h"
#include "t/removes.h"
#include "t/tap.h"

static const char note[] = "This was removed:\n-- \n--b\n--b--\na.exe\n";

static void
read_mail(struct message *msg, struct arena *a, struct slice file)
{
	struct slice head, body;

	message_split(a, file, &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
}

/* ---- cases ---- */

#define MIXED	"From: a@b.test\nMIME-Version: 1.0\n" \
	"Content-Type: multipart/mixed; boundary=b\n\n"
#define EXE	"Content-Type: application/octet-stream; name=a.exe\n" \
	"Content-Transfer-Encoding: base64\n\nTVpQ\n"
#define NOTE	"Content-Type: text/plain; charset=utf-8\r\n" \
	"Content-Transfer-Encoding: 7bit\r\nContent-Disposition: inline\r\n"
#define TEXT	"This was removed:\r\n -- \r\n --b\r\n --b--\r\na.exe"

static const struct {
	const char *name, *mail;
	unsigned part;			/* of the walk, from 0 */
	const char *result;		/* body; NULL: it cannot be done */
} cases[] = {
	{ "a part of several", MIXED "--b\n\nHi\n--b\n" EXE "--b--\nEnd\n", 2,
	    "--b\r\n\r\nHi\r\n--b\r\n" NOTE "\r\n" TEXT "\r\n--b--\r\n"
	    "End\r\n" },
	{ "the only one", MIXED "--b\n" EXE "--b--\n", 1,
	    "--b\r\n" NOTE "\r\n" TEXT "\r\n--b--\r\n" },
	{ "one without a header", MIXED "--b\n\nHi\n--b--\n", 1,
	    "--b\r\n" NOTE "\r\n" TEXT "\r\n--b--\r\n" },
	{ "one without a content", MIXED "--b\nContent-Type: a/b\n--b--\n", 1,
	    "--b\r\n" NOTE "\r\n" TEXT "\r\n--b--\r\n" },
	{ "the message itself", "From: a@b.test\n" EXE, 0, TEXT "\r\n" },
	{ "of an attached message", MIXED "--b\nContent-Type: message/rfc822\n"
	    "\nSubject: x\nContent-Type: a/b\nX: y\n\ndata\n--b--\n", 2,
	    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\nX: y\r\n"
	    NOTE "\r\n" TEXT "\r\n\r\n--b--\r\n" },
	{ "an attached message", MIXED "--b\nContent-Type: message/rfc822\n"
	    "\nSubject: x\n\ndata\n--b--\n", 1,
	    "--b\r\n" NOTE "\r\n" TEXT "\r\n--b--\r\n" },
	{ "a uuencoded file", "From: a@b.test\n\nHi\nbegin 644 a.exe\n"
	    "#0V%T\n`\nend\nBye\n", 1, "Hi\r\n" TEXT "\r\nBye\r\n" },
	{ "signed", "MIME-Version: 1.0\nContent-Type: multipart/signed; "
	    "boundary=b\n\n--b\n" EXE "--b\nContent-Type: application/"
	    "pgp-signature\n\nx\n--b--\n", 1, NULL },
	{ "S/MIME", "Content-Type: application/pkcs7-mime\n\nx\n", 0, NULL },
	{ "behind the closing boundary", MIXED "--b\n\nHi\n--b--\n--b\n" EXE
	    "--b--\n", 2, NULL },
};

static void
test_cases(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct arena *a = arena_new();
		const struct part *root, *p;
		const char *why = NULL;
		struct slice head, body;
		struct patches edits;
		struct message msg;

		read_mail(&msg, a, slice_of(cases[i].mail));
		p = root = message_parts(&msg);
		for (unsigned n = 0; p != NULL && n < cases[i].part; n++)
			p = part_next(root, p);
		p = p != NULL ? remove_target(&msg, p, &why) : NULL;
		if (cases[i].result == NULL) {
			tap_ok(p == NULL && why != NULL, "%s: refused",
			    cases[i].name);
		} else if (tap_ok(p != NULL, "%s: a target", cases[i].name)) {
			patches_init(&edits, a, &msg);
			remove_part(&edits, &msg, p, slice_of(note));
			patches_apply(&edits, a, &head, &body);
			tap_is(body, slice_of(cases[i].result), "its bytes");
			why = removes(&msg, p, slice_of(note));
			tap_ok(why == NULL, "all else stays%s%s", why != NULL ?
			    ": " : "", why != NULL ? why : "");
		}
		arena_free(a);
	}
}

static void
test_header(void)
{
	struct arena *a = arena_new();
	struct slice head, body;
	struct patches edits;
	struct message msg;

	read_mail(&msg, a, SLICE("From: a@b.test\nContent-Type: a/b;\n name=c\n"
	    "Content-Disposition: attachment\nContent-ID: <x>\nX: y\n\nz\n"));
	patches_init(&edits, a, &msg);
	remove_part(&edits, &msg, message_parts(&msg),
	    SLICE("Entfernt: \303\244.exe\n"));
	patches_apply(&edits, a, &head, &body);
	tap_is(head, SLICE("From: a@b.test\r\nContent-Type: text/plain; "
	    "charset=utf-8\r\nContent-Disposition: inline\r\nX: y\r\n"
	    "Content-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n"),
	    "fields of the message itself");
	tap_is(body, SLICE("RW50ZmVybnQ6IMOkLmV4ZQ0K\r\n"),
	    "a note beyond ASCII is base64");
	arena_free(a);
}

/* ---- all mail there is ---- */

static struct { unsigned mails, removed, refused, wrong; } count;

enum { PARTS = 6, BYTES = 1 << 20 };	/* of one message; of a file */

static void
each_part(struct message *msg, const char *path)
{
	const struct part *root = message_parts(msg);
	unsigned n = 0;

	for (const struct part *p = root; p != NULL && n < PARTS;
	    p = part_next(root, p)) {
		const struct part *target;
		const char *why;

		if (part_multipart(p))
			continue;
		n++;
		target = remove_target(msg, p, &why);
		if (target == NULL) {
			count.refused++;
			continue;
		}
		why = removes(msg, target, slice_of(note));
		count.removed++;
		if (why == NULL)
			continue;
		count.wrong++;
		tap_diag("%s: part %u: %s", path, n, why);
	}
}

static int
each_file(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	struct arena *a;
	struct message msg;
	struct slice file;

	(void)at;
	if (kind != FTW_F || st->st_size == 0 || st->st_size > BYTES)
		return 0;
	a = arena_new();
	file = tap_file(path);
	read_mail(&msg, a, file);
	if (message_parts(&msg)->child != NULL) {
		count.mails++;
		each_part(&msg, path);
	}
	arena_free(a);
	free((void *)(uintptr_t)file.ptr);
	return 0;
}

static void
test_data(void)
{
	char path[4096];

	if (tap_data() == NULL) {
		tap_skip(1, "no shared mail here");
		return;
	}
	snprintf(path, sizeof path, "%s/mime", tap_data());
	nftw(path, each_file, 20, FTW_PHYS);
	tap_ok(count.wrong == 0 && count.removed > 100, "%u messages of "
	    "several parts: %u removed, %u refused", count.mails, count.removed,
	    count.refused);
}

int
main(void)
{
	test_cases();
	test_header();
	test_data();
	return tap_done();
}
