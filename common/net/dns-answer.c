#include "net/dns-answer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { LABEL_MAX = 63, WIRE_NAME_MAX = 255 };

struct answer {
	struct dns_answer public;
	atomic_uint holders;
	size_t size;
	struct dns_record records[];	/* and the bytes behind them */
};

size_t
dns_key(struct slice name, enum dns_type type, char key_r[DNS_KEY_MAX])
{
	size_t label = 0;

	if (name.len == 0 || name.len > DNS_NAME_MAX)
		return 0;
	key_r[0] = (char)(type >> 8);
	key_r[1] = (char)type;
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] != '.')
			label++;
		else if (label == 0)
			return 0;
		else
			label = 0;
		if (label > LABEL_MAX)
			return 0;
		key_r[2 + i] = ascii_lower(name.ptr[i]);
	}
	return label > 0 ? 2 + name.len : 0;
}

/* One byte of a name; keep_dots where a dot parts labels. */
static size_t
escape_byte(char c, bool keep_dots, char out[4])
{
	unsigned char byte = (unsigned char)c;

	if (ascii_alnum(c) || c == '-' || c == '_' || (c == '.' && keep_dots)) {
		out[0] = c;
		return 1;
	}
	out[0] = '\\';
	out[1] = (char)('0' + byte / 100);
	out[2] = (char)('0' + byte / 10 % 10);
	out[3] = (char)('0' + byte % 10);
	return 4;
}

void
dns_escape(struct slice key, char name_r[DNS_ESCAPED_MAX])
{
	size_t at = 0;

	for (size_t i = 2; i < key.len; i++)
		at += escape_byte(key.ptr[i], true, name_r + at);
	name_r[at] = '\0';
}

/*
 * A name as text. libunbound has undone compression, so a pointer is as
 * malformed as a label that leaves the record. A dot inside a label comes out
 * as \046: "paypal\046com.evil.test" must not read as what it imitates.
 */
static bool
name_text(const struct rdata *in, size_t at, struct buf *out)
{
	size_t start = at;

	while (at < in->len && in->ptr[at] != 0) {
		size_t len = in->ptr[at++];
		char escaped[4];

		if (len > LABEL_MAX || len >= in->len - at)
			return false;
		if (at - 1 > start)
			buf_addc(out, '.');
		for (; len > 0; len--, at++) {
			size_t n = escape_byte(ascii_lower((char)in->ptr[at]),
			    false, escaped);

			buf_add(out, slice_make(escaped, n));
		}
	}
	return at + 1 == in->len && at + 1 - start <= WIRE_NAME_MAX;
}

static bool
strings_joined(const struct rdata *in, struct buf *out)
{
	size_t at = 0;

	while (at < in->len) {
		size_t len = in->ptr[at++];

		if (len > in->len - at)
			return false;
		buf_add(out, slice_make(in->ptr + at, len));
		at += len;
	}
	return in->len > 0;
}

static bool
bytes_as_they_are(const struct rdata *in, struct buf *out)
{
	buf_add(out, slice_make(in->ptr, in->len));
	return true;
}

static bool
read_record(enum dns_type type, const struct rdata *in,
    struct dns_record *record_r, struct buf *out)
{
	switch (type) {
	case DNS_A:
		return in->len == 4 && bytes_as_they_are(in, out);
	case DNS_AAAA:
		return in->len == 16 && bytes_as_they_are(in, out);
	case DNS_TXT:
		return strings_joined(in, out);
	case DNS_CNAME:
	case DNS_PTR:
		return name_text(in, 0, out);
	case DNS_MX:
		if (in->len < 3)
			return false;
		record_r->preference = (unsigned)in->ptr[0] << 8 | in->ptr[1];
		return name_text(in, 2, out);
	case DNS_TLSA:
		return in->len > 3 && bytes_as_they_are(in, out);
	}
	return false;
}

static struct answer *
answer_new(enum dns_status status, const struct dns_record *records, size_t n,
    struct slice bytes)
{
	size_t size = sizeof(struct answer) + n * sizeof *records + bytes.len;
	struct answer *answer = mem_alloc(size);
	char *store = (char *)&answer->records[n];

	answer->public.status = status;
	answer->public.records = answer->records;
	answer->public.count = n;
	answer->size = size;
	atomic_init(&answer->holders, 1);
	if (bytes.len > 0)
		memcpy(store, bytes.ptr, bytes.len);
	for (size_t i = 0; i < n; i++) {
		answer->records[i] = records[i];
		answer->records[i].data.ptr = store;
		store += records[i].data.len;
	}
	return answer;
}

struct answer *
answer_read(enum dns_type type, const struct rdata *rdata, size_t n)
{
	struct dns_record records[DNS_RECORDS];
	struct buf bytes = { 0 };
	struct answer *answer = NULL;
	size_t i = 0;

	for (; i < n && i < DNS_RECORDS && bytes.len < DNS_ANSWER_BYTES; i++) {
		size_t before = bytes.len;

		records[i] = (struct dns_record){ 0 };
		if (!read_record(type, &rdata[i], &records[i], &bytes))
			goto malformed;
		records[i].data.len = bytes.len - before;
	}
	answer = answer_new(i > 0 ? DNS_OK : DNS_NODATA, records, i,
	    buf_slice(&bytes));
malformed:
	buf_free(&bytes);
	return answer;
}

struct answer *
answer_plain(enum dns_status status)
{
	return answer_new(status, NULL, 0, SLICE(""));
}

void
answer_set(struct answer *answer, bool secure, unsigned ttl)
{
	answer->public.secure = secure;
	answer->public.ttl = ttl;
}

const struct dns_answer *
answer_public(const struct answer *answer)
{
	return &answer->public;
}

size_t
answer_size(const struct answer *answer)
{
	return answer->size;
}

struct answer *
answer_hold(struct answer *answer)
{
	atomic_fetch_add_explicit(&answer->holders, 1, memory_order_relaxed);
	return answer;
}

void
answer_drop(struct answer *answer)
{
	if (answer != NULL && atomic_fetch_sub_explicit(&answer->holders, 1,
	    memory_order_acq_rel) == 1)
		free(answer);
}

void
dns_answer_copy(struct arena *a, const struct dns_answer *from,
    struct dns_answer *to)
{
	struct dns_record *records;

	*to = *from;
	records = arena_array(a, from->count, sizeof *records);
	for (size_t i = 0; i < from->count; i++) {
		records[i] = from->records[i];
		records[i].data = arena_copy(a, from->records[i].data);
	}
	to->records = records;
}

const char *
dns_status_name(enum dns_status status)
{
	static const char *const names[] = {
		[DNS_OK] = "ok", [DNS_NODATA] = "nodata",
		[DNS_NXDOMAIN] = "nxdomain", [DNS_SERVFAIL] = "servfail",
		[DNS_TIMEOUT] = "timeout", [DNS_BUDGET] = "budget",
		[DNS_CANCELLED] = "cancelled",
	};

	if ((size_t)status >= sizeof names / sizeof *names)
		return "unknown";
	return names[status];
}
