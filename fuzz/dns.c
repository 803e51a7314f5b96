/*
 * What a name server sends, as libunbound hands it on: a byte chooses the
 * type, then records follow, each behind two bytes of length. Whatever is
 * read must keep its limits, and a name must survive being asked again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/dns-answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum dns_type types[] = { DNS_A, DNS_AAAA, DNS_TXT, DNS_MX,
    DNS_PTR, DNS_CNAME, DNS_TLSA };

static void
demand(bool good)
{
	if (!good)
		abort();
}

static void
check_key(struct slice name)
{
	char key[DNS_KEY_MAX], text[DNS_ESCAPED_MAX];
	size_t len = dns_key(name, DNS_A, key);

	if (len == 0)
		return;
	demand(len == name.len + 2);
	dns_escape(slice_make(key, len), text);
	demand(strlen(text) >= name.len);
}

static void
check_answer(enum dns_type type, const struct dns_answer *answer)
{
	size_t bytes = 0;

	demand(answer->count <= DNS_RECORDS);
	demand((answer->count > 0) == (answer->status == DNS_OK));
	for (size_t i = 0; i < answer->count; i++) {
		struct slice data = answer->records[i].data;

		bytes += data.len;
		demand(type != DNS_A || data.len == 4);
		demand(type != DNS_AAAA || data.len == 16);
		if (type == DNS_MX || type == DNS_PTR || type == DNS_CNAME) {
			demand(data.len <= 4 * DNS_NAME_MAX);
			demand(!slice_has(data, '\0'));
			check_key(data);
		}
	}
	demand(bytes <= DNS_ANSWER_BYTES + 65536);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rdata rdata[DNS_RECORDS + 10];
	enum dns_type type;
	struct answer *answer;
	size_t n = 0, at = 1;

	if (size == 0)
		return 0;
	check_key(slice_make(data, size));
	type = types[data[0] % (sizeof types / sizeof *types)];
	while (at + 2 <= size && n < DNS_RECORDS + 10) {
		size_t len = (size_t)data[at] << 8 | data[at + 1];

		at += 2;
		len = len < size - at ? len : size - at;
		rdata[n++] = (struct rdata){ data + at, len };
		at += len;
	}
	answer = answer_read(type, rdata, n);
	if (answer != NULL)
		check_answer(type, answer_public(answer));
	answer_drop(answer);
	return 0;
}
