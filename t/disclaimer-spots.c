/*
 * Where a disclaimer goes: in text and in HTML, before what is quoted, at the
 * end, at the top. A '|' in a case stands at the place that is right.
 */
#include <stdlib.h>
#include <string.h>

#include "milters/predelivery/disclaimer_html.h"
#include "milters/predelivery/disclaimer_text.h"
#include "t/tap.h"

#define REPLY	DISCLAIMER_REPLY
#define END	DISCLAIMER_END
#define TOP	DISCLAIMER_TOP

static const struct {
	enum disclaimer_place place;
	const char *text;
} texts[] = {
	{ END, "|" },
	{ END, "a\n|" },
	{ END, "a|" },
	{ END, "a\n|\n\n" },
	{ TOP, "|a\n" },
	{ REPLY, "a\nb\n|" },
	{ REPLY, "a\n|\n> b\n> c\n" },
	{ END, "a\n\n> b\n> c\n|" },
	{ REPLY, "a\n|\nOn 1.2.2026, B <b@example.org> wrote:\n> b\n" },
	{ REPLY, "a\n|\nOn 1.2.2026, B <b@example.org>\nwrote:\n> b\n" },
	{ REPLY, "a\n|\nAm 01.02.2026 um 10:00 schrieb B:\n\n> b\n" },
	{ REPLY, "a\n|\nLe 1 f\xc3\xa9vr. 2026 \xc3\xa0 10:00, B a "
	    "\xc3\xa9" "crit :\n> b\n" },
	{ REPLY, "a\n|\nEl dom, 1 feb 2026 a las 10:00, B (<b@example.org>) "
	    "escribi\xc3\xb3:\n> b\n" },
	{ REPLY, "a\n|\n2026-02-01 10:00, B napisa\xc5\x82:\n> b\n" },
	{ REPLY, "a\n|\n2026\xe5\xb9\xb4" "2\xe6\x9c\x88" "1 B "
	    "\xe5\x86\x99\xe9\x81\x93\xef\xbc\x9a\n> b\n" },
	{ REPLY, "look at this:\n|> b\n" },
	{ REPLY, "|> b\n> c\n" },
	{ REPLY, "On 1.2.2026 B wrote:\n> b\na\n> c\nd\n|" },
	{ REPLY, "> b\n\na\n|" },
	{ REPLY, "a\n|\n-----Original Message-----\nFrom: b\nSent: c\n\nd\n" },
	{ REPLY, "a\n|\n-----Urspr\xc3\xbcngliche Nachricht-----\n"
	    "Von: b\n\nc\n" },
	{ REPLY, "a\n|\n---------- Forwarded message ---------\nDe : b\n"
	    "Date: c\n\nd\n" },
	{ REPLY, "a\n|\n________________________________\nFrom: b\nSent: c\n"
	    "\nd\n" },
	{ REPLY, "a\n|\nVon: b@example.org\nGesendet: c\nAn: d\nBetreff: e\n"
	    "\nf\n" },
	{ REPLY, "a\n|\n*From:* b@example.org\n*Sent:* c\n*To:* d\n\nf\n" },
	{ REPLY, "a\n|\n---- On Mon, 1 Feb 2026, b wrote ----\nc\n" },
	{ REPLY, "a\n|\n> b\n\n-----Original Message-----\nFrom: c\n" },
	{ REPLY, "a\n-----\nb\n|" },
	{ REPLY, "--------- list ---------\nb\n|" },
	{ REPLY, "From: here\nto there\n|" },
	{ REPLY, "Name: a\nPhone: 1\nMail: b@example.org\n|" },
	{ REPLY, "http://example.org\nsee https://example.org\n|" },
	{ REPLY, "a\n-- \nB\n|\n> b\n" },
	{ REPLY, "a\r\n|\r\n> b\r\n" },
	{ REPLY, "a\r\n|\r\nOn 1.2.2026 b wrote:\r\n\r\n> b\r\n" },
};

static const struct {
	enum disclaimer_place place;
	const char *html;		/* no '|': there is no place */
} htmls[] = {
	{ END, "|" },
	{ END, "a|" },
	{ END, "<p>a</p>|" },
	{ END, "<html><body><p>a</p>|</body></html>" },
	{ END, "<html><body><p>a</p>\n|</body></html>\n" },
	{ END, "<html><head></head>a|</html>" },
	{ END, "<html><body>|</body></html>" },
	{ END, "<html><body>a</body>b|</body></html>" },
	{ END, "<body>a</body>b" "|" },
	{ END, "<body><!-- </body> -->a|</body>" },
	{ END, "<body>a<script>'</body>'</script>|</body>" },
	{ END, "<body>a|<!-- never closed </body>" },
	{ END, "<body>a|<style>never closed </body>" },
	{ END, "<body>a|<a href='never closed" },
	{ END, "<body>a|<div style='display:none'>b</body>" },
	{ END, "<body>a<div hidden>b</div>c|</body>" },
	{ END, "<body>a|<a href=x>b</body>" },
	{ END, "<body>a<table><tr><td>b</table>|" },
	{ END, "<body>a<table><tr><td>b|" },
	{ END, "<body>a|<table><tr>" },
	{ END, "<body>a<table><tr><td>b</td></tr></table>|</body>" },
	{ END, "<body>a|<font color=white>b</body>" },
	{ END, "<body bgcolor=white text=white>a</body>" },
	{ END, "|<div hidden>a" },
	{ END, "<!--" },
	{ TOP, "|" },
	{ TOP, "|a" },
	{ TOP, "<html><head><title>x</title><style>y</style></head>"
	    "<body class=z>|a" },
	{ TOP, "<!DOCTYPE html>\n|<p>a" },
	{ TOP, "<meta charset=utf-8>|<p>a" },
	{ TOP, "<title>x</title>| a" },
	{ TOP, "<body>|<div hidden>p</div>a" },
	{ TOP, "|<div hidden>p</div>a" },
	{ REPLY, "<body><p>a</p>|</body>" },
	{ REPLY, "<body>a|<div class=\"gmail_quote\">b<blockquote>c"
	    "</blockquote></div></body>" },
	{ REPLY, "<div dir=\"ltr\">a</div><br>|<div class=\"x gmail_quote y\">"
	    "b</div>" },
	{ REPLY, "a<br>|<blockquote type=\"cite\">b</blockquote><br>" },
	{ REPLY, "a<br>|<div class=\"moz-cite-prefix\">On x, b wrote:<br></div>"
	    "<blockquote type=\"cite\" cite=\"mid:x\">b</blockquote>" },
	{ REPLY, "<blockquote type=cite>b</blockquote>a|" },
	{ REPLY, "<blockquote type=cite>b</blockquote>a|"
	    "<blockquote type=cite>c</blockquote> &nbsp; " },
	{ REPLY, "<blockquote>a saying</blockquote>a|" },
	{ REPLY, "<body>a|<div id=\"appendonsend\"></div><hr>"
	    "<div id=\"divRplyFwdMsg\">From: b</div>c</body>" },
	{ REPLY, "<body>a|<div id=\"divRplyFwdMsg\">From: b</div>"
	    "<div>c</div></body>" },
	{ REPLY, "a|<hr id=\"stopSpelling\">From: b<br>c" },
	{ REPLY, "<div class=WordSection1><p>a</p><div>|"
	    "<div style='border:none;"
	    "border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>"
	    "<p><b>From:</b> b</p></div></div><p>c</p></div>" },
	{ REPLY, "a<br>|-----Original Message-----<br>From: b<br>c" },
	{ REPLY, "a<p>|-----Urspr&uuml;ngliche Nachricht-----<br>Von: b" },
	{ REPLY, "<p>a</p>|<div class=yahoo_quoted>b</div>" },
	{ REPLY, "|<div class=\"gmail_quote\">b</div>" },
};

/* The case without its '|', and where that stood. */
static char *
without_bar(const char *text, size_t *at_r)
{
	size_t n = strlen(text), at = (size_t)(strchr(text, '|') != NULL ?
	    strchr(text, '|') - text : -1);
	char *copy = mem_alloc(n + 1);

	*at_r = at;
	if (at == SIZE_MAX) {
		memcpy(copy, text, n + 1);
		return copy;
	}
	memcpy(copy, text, at);
	memcpy(copy + at, text + at + 1, n - at);
	return copy;
}

static void
text_spots(void)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		size_t at;
		char *text = without_bar(texts[i].text, &at);
		struct text_spot spot = disclaimer_text_spot(slice_of(text),
		    texts[i].place);

		if (!tap_is_int((long long)spot.at, (long long)at,
		    "text %zu", i))
			tap_diag("%s", texts[i].text);
		free(text);
	}
	tap_ok(disclaimer_text_spot(SLICE("a\n-- \nb\n"), END).signature,
	    "a signature is seen");
	tap_ok(!disclaimer_text_spot(SLICE("a\n> -- \n> b\n"), END).signature,
	    "a quoted one is none");
	tap_ok(!disclaimer_text_spot(SLICE("a\n\n> b\n-- \nc\n"),
	    TOP).signature, "and one that comes later");
	tap_ok(disclaimer_text_spot(SLICE("a\nb"), END).lf, "LF");
	tap_ok(!disclaimer_text_spot(SLICE("a\r\nb"), END).lf, "CRLF");
}

static void
html_spots(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof htmls / sizeof *htmls; i++) {
		size_t want, at = SIZE_MAX;
		char *html = without_bar(htmls[i].html, &want);

		if (!disclaimer_html_spot(a, slice_of(html), htmls[i].place,
		    &at))
			at = SIZE_MAX;
		if (!tap_is_int((long long)at, (long long)want, "html %zu", i))
			tap_diag("%s", htmls[i].html);
		free(html);
		arena_reset(a);
	}
	arena_free(a);
}

static void
pgp(void)
{
	tap_is_int(disclaimer_pgp(SLICE("a\n-----BEGIN PGP MESSAGE-----\n")),
	    DISCLAIMER_ENCRYPTED, "PGP message");
	tap_is_int(disclaimer_pgp(
	    SLICE("-----BEGIN PGP SIGNED MESSAGE-----\n")), DISCLAIMER_SIGNED,
	    "PGP signature");
	tap_is_int(disclaimer_pgp(SLICE("> -----BEGIN PGP MESSAGE-----\n")),
	    DISCLAIMER_ADDED, "a quoted one is no matter");
	tap_is_int(disclaimer_pgp(
	    SLICE("-----BEGIN PGP PUBLIC KEY BLOCK-----")), DISCLAIMER_ADDED,
	    "nor is a key");
}

/* How long a text that repeats `unit` takes. */
static int64_t
spent(const char *unit, size_t n, bool html)
{
	size_t len = strlen(unit), at;
	char *bytes = mem_alloc(n + len);
	struct arena *a = arena_new();
	int64_t from;

	for (at = 0; at < n; at += len)
		memcpy(bytes + at, unit, len);
	from = tap_worked();
	if (html)
		disclaimer_html_spot(a, slice_make(bytes, n), REPLY, &at);
	else
		disclaimer_text_spot(slice_make(bytes, n), REPLY);
	from = tap_worked() - from;
	arena_free(a);
	free(bytes);
	return from;
}

static void
hostile(void)
{
	static const char *const plain[] = { "From: a\n", "> a\nb 123:\n",
	    "-----a-----\n", "____________________\n", "\n", "-----", "a:",
	    "a 123:\n\n> b\n", "From: a" };
	static const char *const html[] = { "<div class=gmail_quote>",
	    "<blockquote type=cite>a</blockquote>b", "<div hidden>", "-----",
	    "<p class='a a a a a a a a a a a a a a a a a a a'>",
	    "-----a----- <br>" };
	enum { SHORT = 200 << 10, TIMES = 8 };

	for (unsigned h = 0; h < 2; h++)
		for (size_t i = 0; i < (h ? sizeof html / sizeof *html :
		    sizeof plain / sizeof *plain); i++) {
			const char *unit = h ? html[i] : plain[i];
			int64_t one = spent(unit, SHORT, h);
			int64_t many = spent(unit, (size_t)SHORT * TIMES, h);

			tap_ok(many <= (one + 5) * TIMES * 4, "hostile %u %zu: "
			    "linear", h, i);
		}
}

int
main(void)
{
	text_spots();
	html_spots();
	pgp();
	hostile();
	return tap_done();
}
