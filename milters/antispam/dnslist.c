#include "dnslist.h"

#include <string.h>
#include <sys/socket.h>

#include "number.h"
#include "text/address.h"

static const char *const kinds[DNSLIST_KINDS] = { "ip", "helo", "sender",
    "from", "url" };

const char *
dnslist_kind_name(enum dnslist_kind kind)
{
	return kinds[kind];
}

/* ---- reading an entry ---- */

static enum rc
wrong(struct slice entry, const char *what, struct arena *a,
    struct slice *why_r)
{
	*why_r = arena_printf(a, "dns_lists: \"%.*s\": %s; an entry is as "
	    "\"zen.example.org=127.0.0.[2..11] ip 2.5 : spam sources\"",
	    SLICE_ARG(entry), what);
	return RC_BAD;
}

static void
set_range(uint64_t bits[4], uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n <= to; n++)
		bits[n / 64] |= UINT64_C(1) << (n % 64);
}

/* "3", "2..11" */
static bool
read_range(struct slice text, uint64_t bits[4])
{
	size_t dots = slice_search(text, SLICE(".."));
	uint64_t from, to;

	if (!slice_number(slice_sub(text, 0, dots), 255, &from))
		return false;
	to = from;
	if (dots < text.len &&
	    !slice_number(slice_after(text, dots + 2), 255, &to))
		return false;
	set_range(bits, from, to);
	return from <= to;
}

/* One of the four: "0", "[2..11;14]". *text becomes what follows it. */
static bool
read_octet(struct slice *text, uint64_t bits[4])
{
	bool many = slice_starts(*text, SLICE("["));
	size_t end = slice_find(*text, many ? ']' : '.');
	struct slice item, rest = slice_sub(*text, many, end - many);

	if (many && end == text->len)
		return false;
	*text = slice_after(*text, end + many);
	if (!many)
		return !slice_has(rest, ';') && read_range(rest, bits);
	while (rest.ptr != NULL) {
		item = slice_cut(rest, ';', &rest);
		if (!read_range(item, bits))
			return false;
	}
	return true;
}

static bool
read_answers(struct slice text, struct dnslist *list)
{
	for (size_t i = 0; i < 4; i++) {
		if (i > 0) {
			if (!slice_starts(text, SLICE(".")))
				return false;
			text = slice_after(text, 1);
		}
		if (!read_octet(&text, list->answers[i]))
			return false;
	}
	return text.len == 0;
}

static const char *
read_zone(struct slice word, struct dnslist *list, struct arena *a)
{
	struct slice filter, bits, zone = slice_cut(word, '=', &filter);
	uint64_t n;

	zone = slice_cut(zone, '&', &bits);
	if (!domain_ascii(a, zone, &list->zone) ||
	    !slice_has(list->zone, '.'))
		return "the zone is no domain";
	if (filter.ptr != NULL && bits.ptr != NULL)
		return "answers and bits together";
	list->chosen = filter.ptr != NULL;
	if (list->chosen && !read_answers(filter, list))
		return "the answers are none";
	if (bits.ptr == NULL)
		return NULL;
	if (!slice_number(bits, 255, &n) || n == 0)
		return "bits are a number from 1 to 255";
	list->bits = (unsigned)n;
	return NULL;
}

static const char *
read_kind(struct slice word, struct dnslist *list)
{
	for (int k = 0; k < DNSLIST_KINDS; k++) {
		if (slice_eq(word, slice_of(kinds[k]))) {
			list->kind = (enum dnslist_kind)k;
			return NULL;
		}
	}
	return "a kind is ip, helo, sender, from or url";
}

static const char *
read_flag(struct slice word, struct dnslist *list)
{
	if (slice_eq(word, SLICE("hops")))
		list->hops = true;
	else if (slice_eq(word, SLICE("text")))
		list->text = true;
	else if (slice_eq(word, SLICE("phishing")))
		list->phishing = true;
	else
		return "behind the weight hops, text or phishing may stand";
	return NULL;
}

/* What anybody may write into his mail can speak against it, not for it. */
static const char *
together(const struct dnslist *list)
{
	if (list->hops && list->kind != DNSLIST_IP)
		return "hops is for the kind ip";
	if (list->weight < 0 && list->hops)
		return "an allow list knows the client alone, not hops";
	if (list->weight < 0 && list->kind != DNSLIST_IP &&
	    list->kind != DNSLIST_FROM)
		return "an allow list is of the kind ip or from";
	if (list->weight < 0 && list->phishing)
		return "an allow list lists no phishing";
	return list->weight > 0 || list->weight < 0 ? NULL :
	    "a weight of 0 says nothing";
}

static struct slice
word_of(struct slice *rest)
{
	struct slice text = slice_trim(*rest);
	size_t end = slice_find(text, ' ');

	*rest = slice_after(text, end);
	return slice_sub(text, 0, end);
}

enum rc
dnslist_read(struct slice entry, struct dnslist *list_r, struct arena *a,
    struct slice *why_r)
{
	struct slice words, word, rest;
	const char *bad;

	*list_r = (struct dnslist){ .kind = DNSLIST_IP };
	rest = slice_cut(entry, ':', &words);
	bad = read_zone(word_of(&rest), list_r, a);
	if (bad == NULL)
		bad = read_kind(word_of(&rest), list_r);
	if (bad == NULL && !number_read(word_of(&rest), -10, 10,
	    &list_r->weight))
		bad = "a weight is a number from -10 to 10";
	while (bad == NULL && (word = word_of(&rest)).len > 0)
		bad = read_flag(word, list_r);
	if (bad == NULL)
		bad = together(list_r);
	if (bad != NULL)
		return wrong(entry, bad, a, why_r);
	if (words.ptr != NULL)
		list_r->words = arena_copy(a, slice_sub(slice_trim(words), 0,
		    DNSLIST_WORDS));
	return RC_OK;
}

/* ---- what is asked ---- */

static struct slice
joined(struct arena *a, struct slice name, const struct dnslist *list)
{
	if (name.len == 0 || name.len + 1 + list->zone.len > DNS_NAME_MAX)
		return SLICE_NONE;
	return arena_printf(a, "%.*s.%.*s", SLICE_ARG(name),
	    SLICE_ARG(list->zone));
}

struct slice
dnslist_name(struct arena *a, const struct dnslist *list,
    const struct ip *ip)
{
	struct slice name = ip_reverse(a, ip);
	struct slice tail = ip->family == AF_INET ? SLICE(".in-addr.arpa") :
	    SLICE(".ip6.arpa");

	if (!slice_ends(name, tail))
		return SLICE_NONE;
	return joined(a, slice_sub(name, 0, name.len - tail.len), list);
}

struct slice
dnslist_under(struct arena *a, const struct dnslist *list,
    struct slice domain)
{
	return joined(a, domain, list);
}

bool
dnslist_public(const struct ip *ip)
{
	static const struct network none[] = {
		{ { AF_INET, { 0 } }, 8 },
		{ { AF_INET, { 10 } }, 8 },
		{ { AF_INET, { 100, 64 } }, 10 },
		{ { AF_INET, { 127 } }, 8 },
		{ { AF_INET, { 169, 254 } }, 16 },
		{ { AF_INET, { 172, 16 } }, 12 },
		{ { AF_INET, { 192, 168 } }, 16 },
		{ { AF_INET, { 224 } }, 3 },
		{ { AF_INET6, { 0 } }, 16 },
		{ { AF_INET6, { 0xfc } }, 7 },
		{ { AF_INET6, { 0xfe, 0x80 } }, 9 },
		{ { AF_INET6, { 0xff } }, 8 },
	};

	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		if (net_holds(&none[i], ip))
			return false;
	return ip->family != 0;
}

/* ---- what it says ---- */

static bool
refusal(const struct dnslist *list, const unsigned char *ip)
{
	if (ip[1] == 255 && ip[2] == 255)
		return true;
	return !list->chosen && ip[1] == 0 && ip[2] == 0 &&
	    (ip[3] == 1 || ip[3] == 255);
}

static bool
wanted(const struct dnslist *list, const unsigned char *ip)
{
	if (list->bits != 0)
		return (ip[3] & list->bits) != 0;
	for (size_t i = 0; list->chosen && i < 4; i++)
		if ((list->answers[i][ip[i] / 64] >> (ip[i] % 64) & 1) == 0)
			return false;
	return true;
}

/* The worst of what several records say: who lists and refuses at once
 * answers anything. */
static enum dnslist_says
records(const struct dnslist *list, const struct dns_answer *answer)
{
	enum dnslist_says says = DNSLIST_NO;

	for (size_t i = 0; i < answer->count; i++) {
		unsigned char ip[4];

		if (answer->records[i].data.len != sizeof ip)
			continue;
		memcpy(ip, answer->records[i].data.ptr, sizeof ip);
		if (ip[0] != 127)
			return DNSLIST_STRANGE;
		if (refusal(list, ip))
			says = DNSLIST_REFUSED;
		else if (says == DNSLIST_NO && wanted(list, ip))
			says = DNSLIST_HIT;
	}
	return says;
}

enum dnslist_says
dnslist_answer(const struct dnslist *list, const struct dns_answer *answer)
{
	switch (answer->status) {
	case DNS_OK:
		return records(list, answer);
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		return DNSLIST_NO;
	default:
		return DNSLIST_SILENT;
	}
}
