#include "bench/mail.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
	TEXT_MIN = 5000, TEXT_MAX = 50000,
	FILE_MIN = 100000, FILE_MAX = 1000000,	/* as sent, in base64 */
	LINE_RAW = 57,				/* makes 76 of base64 */
	QP_LINE = 74,
};

enum kind { KIND_TEXT, KIND_ONE, KIND_SEVERAL };

/* A mail that is being written. */
struct draft {
	struct buf out;
	uint64_t rng;
	unsigned long boundary;
	size_t text;			/* bytes of it; 0: as it falls */
};

static const char *const words[] = {
	"account", "agenda", "answer", "before", "between", "board", "budget",
	"calendar", "change", "client", "colleague", "contract", "copy",
	"customer", "date", "deadline", "delivery", "department", "detail",
	"document", "draft", "evening", "example", "figure", "final", "first",
	"forward", "friday", "from", "garden", "grüße", "house", "idea",
	"invoice", "issue", "kind", "later", "letter", "list", "market",
	"meeting", "message", "minute", "monday", "month", "morning", "name",
	"number", "offer", "office", "order", "other", "paper", "payment",
	"people", "plan", "please", "position", "price", "project", "question",
	"quarter", "reason", "receipt", "regards", "report", "result",
	"review", "room", "schedule", "second", "service", "short", "status",
	"straße", "subject", "summary", "supplier", "table", "team", "thanks",
	"their", "there", "thursday", "ticket", "today", "total", "training",
	"travel", "update", "version", "visit", "warehouse", "week", "which",
	"with", "work", "year", "your", "zürich",
};

static const char *const names[] = {
	"Ada", "Anna", "Bruno", "Carla", "David", "Elena", "Frank", "Greta",
	"Hugo", "Ines", "Jonas", "Klara", "Lukas", "Maria", "Nina", "Oskar",
};

static const struct {
	const char *type, *suffix, *magic;
	size_t magic_len;
} files[] = {
	{ "application/pdf", "pdf", "%PDF-1.7\n", 9 },
	{ "image/jpeg", "jpg", "\xff\xd8\xff\xe0\0\x10JFIF", 10 },
	{ "application/zip", "zip", "PK\3\4\x14\0\0\0\x08\0", 10 },
	{ "application/vnd.openxmlformats-officedocument."
	    "wordprocessingml.document", "docx", "PK\3\4\x14\0\6\0\x08\0", 10 },
};

uint64_t
rng_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

size_t
rng_below(uint64_t *state, size_t limit)
{
	return (size_t)(rng_next(state) % limit);
}

static size_t
rng_between(uint64_t *state, size_t low, size_t high)
{
	return low + rng_below(state, high - low + 1);
}

uint64_t
mail_hash(uint64_t hash, struct slice line)
{
	uint64_t part;

	for (size_t at = 0; at < line.len; at += sizeof part) {
		struct slice eight = slice_sub(line, at, sizeof part);

		part = 0;
		memcpy(&part, eight.ptr, eight.len);
		hash = (hash ^ part) * UINT64_C(0xff51afd7ed558ccd);
		hash ^= hash >> 32;
	}
	return hash;
}

static const char *
word(struct draft *d)
{
	return words[rng_below(&d->rng, sizeof words / sizeof *words)];
}

static const char *
name(struct draft *d)
{
	return names[rng_below(&d->rng, sizeof names / sizeof *names)];
}

static void
add_link(struct draft *d, struct buf *b)
{
	static const char *const hosts[] = {
		"www.example.com", "shop.example.net", "news.example.org",
		"t.mail.example.com", "docs.example.net",
	};

	buf_addf(b, "https://%s/%s/%s?id=%08llx&u=%s",
	    hosts[rng_below(&d->rng, sizeof hosts / sizeof *hosts)], word(d),
	    word(d), (unsigned long long)(rng_next(&d->rng) & 0xffffffff),
	    word(d));
}

static void
add_sentence(struct draft *d, struct buf *b)
{
	size_t n = rng_between(&d->rng, 5, 14);

	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%s%s", i == 0 ? "" : " ", word(d));
	buf_addc(b, '.');
}

/* Paragraphs, a link in every third; some lines begin with a dot. */
static void
add_text(struct draft *d, struct buf *b, size_t size)
{
	while (b->len < size) {
		if (rng_below(&d->rng, 8) == 0)
			buf_adds(b, ". ");
		add_sentence(d, b);
		buf_addc(b, '\n');
		if (rng_below(&d->rng, 3) == 0) {
			add_link(d, b);
			buf_addc(b, '\n');
		}
		if (rng_below(&d->rng, 4) == 0)
			buf_addc(b, '\n');
	}
}

static void
add_html(struct draft *d, struct buf *b, size_t size)
{
	buf_addf(b, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\">"
	    "<title>%s</title>\n<style>p { margin: 0 0 1em; color: #222 }"
	    "</style></head>\n<body>\n", word(d));
	while (b->len < size) {
		buf_adds(b, "<p style=\"font-family: sans-serif\">");
		add_sentence(d, b);
		if (rng_below(&d->rng, 3) == 0) {
			buf_adds(b, " <a href=\"");
			add_link(d, b);
			buf_addf(b, "\">%s</a>", word(d));
		}
		buf_adds(b, "</p>\n");
	}
	buf_adds(b, "<img src=\"");
	add_link(d, b);
	buf_adds(b, "\" width=\"1\" height=\"1\">\n</body></html>\n");
}

/* One byte in quoted-printable; a dot is doubled where a line begins. */
static size_t
qp_byte(struct draft *d, char c, size_t column)
{
	if (column == 0 && c == '.') {
		buf_adds(&d->out, "..");
		return 2;
	}
	if (c != '=' && (unsigned char)c < 127) {
		buf_addc(&d->out, c);
		return 1;
	}
	buf_addf(&d->out, "=%02X", (unsigned char)c);
	return 3;
}

static void
add_qp(struct draft *d, struct slice text)
{
	struct slice line;

	while (slice_line(&text, &line)) {
		size_t column = 0;

		for (size_t i = 0; i < line.len; i++) {
			if (column >= QP_LINE - 2) {
				buf_adds(&d->out, "=\r\n");
				column = 0;
			}
			column += qp_byte(d, line.ptr[i], column);
		}
		buf_adds(&d->out, "\r\n");
	}
}

static void
add_file(struct draft *d)
{
	size_t lines = rng_between(&d->rng, FILE_MIN, FILE_MAX) / 78;
	size_t f = rng_below(&d->rng, sizeof files / sizeof *files);
	unsigned char raw[64], coded[96];
	uint64_t noise;

	buf_addf(&d->out, "Content-Type: %s;\r\n\tname=\"%s.%s\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"%s.%s\"\r\n\r\n",
	    files[f].type, "report", files[f].suffix, "report",
	    files[f].suffix);
	for (size_t n = 0; n < lines; n++) {
		for (size_t i = 0; i < sizeof raw; i += sizeof noise) {
			noise = rng_next(&d->rng);
			memcpy(raw + i, &noise, sizeof noise);
		}
		if (n == 0)
			memcpy(raw, files[f].magic, files[f].magic_len);
		int len = EVP_EncodeBlock(coded, raw, LINE_RAW);
		buf_add(&d->out, slice_make(coded, (size_t)len));
		buf_adds(&d->out, "\r\n");
	}
}

static void
add_leaf(struct draft *d, const char *type, size_t size,
    void (*fill)(struct draft *, struct buf *, size_t))
{
	struct buf text = { 0 };

	buf_addf(&d->out, "Content-Type: %s; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n", type);
	fill(d, &text, size);
	add_qp(d, buf_slice(&text));
	buf_free(&text);
}

static void
add_boundary(struct draft *d, char level, const char *end)
{
	buf_addf(&d->out, "\r\n--=_%c_%08lx%s\r\n", level, d->boundary, end);
}

static void
add_alternative(struct draft *d)
{
	size_t size = rng_between(&d->rng, TEXT_MIN, TEXT_MAX);

	if (d->text > 0)
		size = d->text;
	add_boundary(d, 'a', "");
	add_leaf(d, "text/plain", size / 3, add_text);
	add_boundary(d, 'a', "");
	add_leaf(d, "text/html", size - size / 3, add_html);
	add_boundary(d, 'a', "--");
}

static void
add_mixed(struct draft *d, size_t nfiles)
{
	buf_adds(&d->out, "This is a message in MIME format.\r\n");
	add_boundary(d, 'm', "");
	buf_addf(&d->out, "Content-Type: multipart/alternative;\r\n"
	    "\tboundary=\"=_a_%08lx\"\r\n\r\n", d->boundary);
	add_alternative(d);
	for (size_t i = 0; i < nfiles; i++) {
		add_boundary(d, 'm', "");
		add_file(d);
	}
	add_boundary(d, 'm', "--");
}

static uint64_t
hash_body(struct slice body)
{
	uint64_t hash = MAIL_HASH_START;

	while (body.len > 0) {
		size_t end = slice_find(body, '\n') + 1;

		hash = mail_hash(hash, slice_sub(body, 0, end));
		body = slice_after(body, end);
	}
	return hash;
}

static struct mail
mail_make(uint64_t seed, enum kind kind, size_t text)
{
	struct draft d = { .rng = seed, .text = text > MIX_TEXT ? text : 0 };
	struct buf type = { 0 };

	d.boundary = (unsigned long)(rng_next(&d.rng) & 0xffffffff);
	if (kind == KIND_TEXT)
		add_alternative(&d);
	else
		add_mixed(&d, kind == KIND_ONE ? 1 :
		    rng_between(&d.rng, 2, 4));
	buf_addf(&type, "Content-Type: multipart/%s;\r\n"
	    "\tboundary=\"=_%c_%08lx\"\r\n",
	    kind == KIND_TEXT ? "alternative" : "mixed",
	    kind == KIND_TEXT ? 'a' : 'm', d.boundary);
	return (struct mail){
		.body = buf_slice(&d.out),
		.content_type = buf_slice(&type),
		.hash = hash_body(buf_slice(&d.out)),
	};
}

/* Ten at a time, so that the shares are exact, in an order that is not. */
static void
deal(enum kind deck[10], uint64_t *rng)
{
	static const enum kind ten[10] = {
		KIND_TEXT, KIND_TEXT, KIND_TEXT, KIND_TEXT, KIND_TEXT,
		KIND_TEXT, KIND_TEXT, KIND_ONE, KIND_ONE, KIND_SEVERAL,
	};

	memcpy(deck, ten, sizeof ten);
	for (size_t i = 9; i > 0; i--) {
		size_t j = rng_below(rng, i + 1);
		enum kind k = deck[i];

		deck[i] = deck[j];
		deck[j] = k;
	}
}

struct mix
mix_new(size_t n, uint64_t seed, size_t text)
{
	struct mix m = { .count = n, .seed = seed };
	enum kind deck[10];
	uint64_t rng = seed;

	m.mails = mem_alloc(n * sizeof *m.mails);
	for (size_t i = 0; i < n; i++) {
		if (i % 10 == 0)
			deal(deck, &rng);
		m.mails[i] = mail_make(rng_next(&rng),
		    text != 0 ? KIND_TEXT : deck[i % 10], text);
	}
	return m;
}

void
mix_free(struct mix *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free((void *)(uintptr_t)m->mails[i].body.ptr);
		free((void *)(uintptr_t)m->mails[i].content_type.ptr);
	}
	free(m->mails);
	*m = (struct mix){ 0 };
}

const struct mail *
mix_mail(const struct mix *m, size_t number)
{
	return &m->mails[number % m->count];
}

void
mail_header(struct buf *b, const struct mix *m, size_t number,
    const struct mail_sender *from)
{
	struct draft d = { .rng = m->seed + number };
	int hour = (int)(number / 3600 % 24), minute = (int)(number / 60 % 60);
	int second = (int)(number % 60);

	buf_addf(b, "Received: from desk%zu.%s ([198.51.100.%zu])\r\n"
	    "\tby %s with ESMTPSA id %010zx\r\n"
	    "\tfor <user@bench.test>; Mon, 5 Jan 2026 %02d:%02d:%02d +0000\r\n",
	    number % 50, from->domain, 1 + number % 250, from->name, number,
	    hour, minute, second);
	buf_addf(b, "Date: Mon, 5 Jan 2026 %02d:%02d:%02d +0000\r\n"
	    "From: \"%s %s\" <user%zu@%s>\r\nTo: User <user@bench.test>\r\n",
	    hour, minute, second, name(&d), name(&d), number % 100,
	    from->domain);
	buf_addf(b, "Subject: %s and %s, =?utf-8?Q?gr=C3=BC=C3=9Fe?= %zu\r\n"
	    "Message-ID: <%zu.%llx@%s>\r\n", name(&d), name(&d), number, number,
	    (unsigned long long)m->seed, from->domain);
	buf_addf(b, MAIL_NUMBER "%zu\r\nMIME-Version: 1.0\r\n", number);
	buf_add(b, mix_mail(m, number)->content_type);
	buf_adds(b, "\r\n");
}
