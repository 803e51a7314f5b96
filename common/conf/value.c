#include "conf/value.h"

#include <idn2.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>

#include "conf/near.h"

enum { SHOWN_MAX = 60, DOMAIN_MAX = 253, ITEMS_MAX = 100000 };

/* What one value_read has at hand. */
struct reading {
	struct arena *a;
	const struct conf_option *o;
	void *field;
	struct slice why;
	unsigned line;
};

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first: that is how a bound is printed. */
static const struct unit size_units[] = {
	{ "G", UINT64_C(1) << 30 }, { "M", UINT64_C(1) << 20 },
	{ "k", UINT64_C(1) << 10 }, { NULL, 0 }
};
static const struct unit time_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 },
	{ "ms", 1 }, { NULL, 0 }
};

static enum rc
bad(struct reading *r, struct slice why)
{
	r->why = why;
	return RC_BAD;
}

/* Text as it may stand in a message. */
static const char *
shown(struct arena *a, struct slice s)
{
	char *str = arena_str(a, slice_sub(s, 0, SHOWN_MAX));

	for (char *p = str; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (s.len > SHOWN_MAX)
		memcpy(str + SHOWN_MAX - 3, "...", 3);
	return str;
}

static struct slice
show_value(struct arena *a, const config_setting_t *s)
{
	switch (s->type) {
	case CONFIG_TYPE_INT:
		return arena_printf(a, "%d", s->value.ival);
	case CONFIG_TYPE_INT64:
		return arena_printf(a, "%lld", s->value.llval);
	case CONFIG_TYPE_FLOAT:
		return arena_printf(a, "%g", s->value.fval);
	case CONFIG_TYPE_BOOL:
		return slice_of(s->value.ival ? "true" : "false");
	case CONFIG_TYPE_STRING:
		return arena_printf(a, "\"%s\"",
		    shown(a, slice_of(config_setting_get_string(s))));
	case CONFIG_TYPE_GROUP:
		return SLICE("a group");
	default:
		return SLICE("a list");
	}
}

/* "max_parts is 0; it wants a whole number from 1 to 10000" */
static enum rc
unwanted(struct reading *r, const config_setting_t *s)
{
	struct slice is = show_value(r->a, s), wants = value_wants(r->a, r->o);

	return bad(r, arena_printf(r->a, "%s is %.*s; it wants %.*s",
	    r->o->name, SLICE_ARG(is), SLICE_ARG(wants)));
}

static bool
in_bounds(const struct conf_option *o, uint64_t n)
{
	return (o->min <= 0 || n >= (uint64_t)o->min) &&
	    (o->max <= 0 || n <= (uint64_t)o->max);
}

/* A whole number that is not below zero. */
static bool
natural(const config_setting_t *s, uint64_t *n_r)
{
	long long n;

	if (s->type != CONFIG_TYPE_INT && s->type != CONFIG_TYPE_INT64)
		return false;
	n = config_setting_get_int64(s);
	*n_r = (uint64_t)n;
	return n >= 0;
}

/* UTF-8 by RFC 3629: shortest form, no surrogates, up to U+10FFFF. */
static size_t
utf8_length(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 :
	    p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > s.len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

/* NULL, or why these bytes are no text for us. */
static const char *
text_fault(struct slice s)
{
	size_t len;

	for (; s.len > 0; s = slice_after(s, len)) {
		unsigned char c = (unsigned char)s.ptr[0];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return "holds a control character; remove it";
		len = utf8_length(s);
		if (len == 0)
			return "is not UTF-8; save the file as UTF-8";
	}
	return NULL;
}

/* The setting's text, checked; what names it in a message. */
static enum rc
read_text(struct reading *r, const config_setting_t *s, struct slice *text_r)
{
	const char *fault;

	if (s->type != CONFIG_TYPE_STRING)
		return unwanted(r, s);
	*text_r = slice_of(config_setting_get_string(s));
	fault = text_fault(*text_r);
	if (fault != NULL)
		return bad(r, arena_printf(r->a, "%s %s", r->o->name, fault));
	return RC_OK;
}

static enum rc
read_bool(struct reading *r, const config_setting_t *s)
{
	if (s->type != CONFIG_TYPE_BOOL)
		return unwanted(r, s);
	*(bool *)r->field = config_setting_get_bool(s);
	return RC_OK;
}

static enum rc
read_count(struct reading *r, const config_setting_t *s)
{
	uint64_t n;

	if (!natural(s, &n) || n > UINT_MAX || !in_bounds(r->o, n))
		return unwanted(r, s);
	*(unsigned *)r->field = (unsigned)n;
	return RC_OK;
}

/* "64k" by these units; false when malformed or over 63 bits. */
static bool
measure(struct slice text, const struct unit *units, uint64_t *n_r)
{
	size_t digits = 0;

	while (digits < text.len && ascii_digit(text.ptr[digits]))
		digits++;
	for (const struct unit *u = units; u->name != NULL; u++)
		if (slice_eq_nocase(slice_after(text, digits),
		    slice_of(u->name)))
			return slice_number(slice_sub(text, 0, digits),
			    INT64_MAX / u->factor, n_r) &&
			    !__builtin_mul_overflow(*n_r, u->factor, n_r);
	return false;
}

static enum rc
read_size(struct reading *r, const config_setting_t *s)
{
	struct slice text;
	uint64_t n;

	if (s->type == CONFIG_TYPE_STRING) {
		text = slice_of(config_setting_get_string(s));
		if (!measure(text, size_units, &n) &&
		    !slice_number(text, INT64_MAX, &n))
			return unwanted(r, s);
	} else if (!natural(s, &n)) {
		return unwanted(r, s);
	}
	if (!in_bounds(r->o, n))
		return unwanted(r, s);
	*(uint64_t *)r->field = n;
	return RC_OK;
}

static enum rc
read_time(struct reading *r, const config_setting_t *s)
{
	uint64_t n;

	if (s->type != CONFIG_TYPE_STRING || !measure(
	    slice_of(config_setting_get_string(s)), time_units, &n) ||
	    !in_bounds(r->o, n))
		return unwanted(r, s);
	*(int64_t *)r->field = (int64_t)n;
	return RC_OK;
}

static void
store(struct reading *r, struct slice text)
{
	*(const char **)r->field = arena_str(r->a, text);
}

static enum rc
read_string(struct reading *r, const config_setting_t *s)
{
	struct slice text;

	if (read_text(r, s, &text) != RC_OK)
		return RC_BAD;
	if (!in_bounds(r->o, text.len))
		return unwanted(r, s);
	store(r, text);
	return RC_OK;
}

/* Empty means "none" only where that is the default. */
static bool
may_be_empty(const struct conf_option *o)
{
	return o->value == NULL || o->value[0] == '\0';
}

static enum rc
read_path(struct reading *r, const config_setting_t *s)
{
	struct slice text;

	if (read_text(r, s, &text) != RC_OK)
		return RC_BAD;
	if ((text.len == 0 && !may_be_empty(r->o)) || text.len >= PATH_MAX)
		return unwanted(r, s);
	store(r, text);
	return RC_OK;
}

static enum rc
read_enum(struct reading *r, const config_setting_t *s)
{
	struct near near = near_to(SLICE_NONE);
	struct slice text, wants;

	if (read_text(r, s, &text) != RC_OK)
		return RC_BAD;
	near = near_to(text);
	for (int i = 0; r->o->choices[i] != NULL; i++) {
		if (slice_eq(text, slice_of(r->o->choices[i]))) {
			*(int *)r->field = i;
			return RC_OK;
		}
		near_try(&near, r->o->choices[i]);
	}
	if (near.best == NULL)
		return unwanted(r, s);
	wants = value_wants(r->a, r->o);
	return bad(r, arena_printf(r->a, "%s is \"%s\"; did you mean \"%s\"? "
	    "It wants %.*s", r->o->name, shown(r->a, text), near.best,
	    SLICE_ARG(wants)));
}

/* "192.0.2.53:53", "[2001:db8::53]:53" */
static bool
is_server(struct slice text)
{
	size_t colon = slice_find_last(text, ':');
	struct slice address = slice_sub(text, 0, colon);
	bool brackets = slice_starts(address, SLICE("["));
	uint64_t port;
	struct ip ip;

	if (brackets) {
		if (!slice_ends(address, SLICE("]")))
			return false;
		address = slice_sub(address, 1, address.len - 2);
	}
	return slice_number(slice_after(text, colon + 1), 65535, &port) &&
	    port > 0 && !slice_starts_nocase(address, SLICE("IPv6:")) &&
	    slice_has(address, ':') == brackets && ip_parse(address, &ip);
}

static enum rc
read_server(struct reading *r, const config_setting_t *s)
{
	struct slice text;

	if (read_text(r, s, &text) != RC_OK)
		return RC_BAD;
	if (text.len == 0 ? !may_be_empty(r->o) : !is_server(text))
		return unwanted(r, s);
	store(r, text);
	return RC_OK;
}

/* The setting as a list of bounded length; *count_r items. */
static enum rc
read_items(struct reading *r, const config_setting_t *s, size_t *count_r)
{
	int count;

	if (!config_setting_is_array(s) && !config_setting_is_list(s))
		return unwanted(r, s);
	count = config_setting_length(s);
	if (count > ITEMS_MAX || !in_bounds(r->o, (uint64_t)count)) {
		struct slice wants = value_wants(r->a, r->o);

		return bad(r, arena_printf(r->a, "%s has %d items; it wants "
		    "%.*s", r->o->name, count, SLICE_ARG(wants)));
	}
	*count_r = (size_t)count;
	return RC_OK;
}

/* Item i as text, not empty; r->line then is its line. */
static enum rc
read_item(struct reading *r, const config_setting_t *s, size_t i,
    struct slice *text_r)
{
	const config_setting_t *item =
	    config_setting_get_elem(s, (unsigned)i);
	struct slice is, wants;

	r->line = item->line;
	if (item->type != CONFIG_TYPE_STRING) {
		is = show_value(r->a, item);
		wants = value_wants(r->a, r->o);
		return bad(r, arena_printf(r->a, "%s holds %.*s; it wants %.*s",
		    r->o->name, SLICE_ARG(is), SLICE_ARG(wants)));
	}
	if (read_text(r, item, text_r) != RC_OK)
		return RC_BAD;
	if (text_r->len == 0)
		return bad(r, arena_printf(r->a, "%s holds an empty text; "
		    "remove it", r->o->name));
	return RC_OK;
}

static enum rc
read_list(struct reading *r, const config_setting_t *s)
{
	struct conf_list *list = r->field;
	struct slice *items, text;
	size_t count;

	if (read_items(r, s, &count) != RC_OK)
		return RC_BAD;
	items = arena_array(r->a, count, sizeof *items);
	for (size_t i = 0; i < count; i++) {
		if (read_item(r, s, i, &text) != RC_OK)
			return RC_BAD;
		items[i] = arena_copy(r->a, text);
	}
	*list = (struct conf_list){ items, count };
	return RC_OK;
}

static enum rc
bad_network(struct reading *r, struct slice text)
{
	struct network net;
	struct slice right;

	if (!net_parse_loose(text, &net))
		return bad(r, arena_printf(r->a, "%s holds \"%s\", which is no "
		    "network; write it as \"192.0.2.0/24\", \"2001:db8::/32\" "
		    "or one address", r->o->name, shown(r->a, text)));
	net_mask(&net);
	right = net_format(r->a, &net);
	return bad(r, arena_printf(r->a, "%s holds \"%s\", with bits set "
	    "behind its prefix; write \"%.*s\" or one address", r->o->name,
	    shown(r->a, text), SLICE_ARG(right)));
}

static enum rc
read_networks(struct reading *r, const config_setting_t *s)
{
	struct conf_nets *nets = r->field;
	struct network *items;
	struct slice text;
	size_t count;

	if (read_items(r, s, &count) != RC_OK)
		return RC_BAD;
	items = arena_array(r->a, count, sizeof *items);
	for (size_t i = 0; i < count; i++) {
		if (read_item(r, s, i, &text) != RC_OK)
			return RC_BAD;
		if (!net_parse(text, &items[i]))
			return bad_network(r, text);
	}
	*nets = (struct conf_nets){ items, count };
	return RC_OK;
}

/* What libidn2 lets pass; it has seen to hyphens and the length of labels. */
static const char *
domain_fault(struct slice domain)
{
	struct slice rest = domain, label = SLICE_NONE;
	bool digits = true;

	if (domain.len > DOMAIN_MAX)
		return "is longer than 253 bytes";
	while (rest.ptr != NULL) {
		label = slice_cut(rest, '.', &rest);
		if (label.len == 0)
			return "has an empty label";
		for (size_t i = 0; i < label.len; i++)
			if (!ascii_alnum(label.ptr[i]) &&
			    label.ptr[i] != '-' && label.ptr[i] != '_')
				return "is no domain name";
	}
	for (size_t i = 0; i < label.len; i++)
		digits = digits && ascii_digit(label.ptr[i]);
	return digits ? "is no domain name" : NULL;
}

/* U-labels become A-labels (RFC 5891), upper case becomes lower. */
static enum rc
read_domain(struct reading *r, struct slice text, struct slice *domain_r)
{
	char *ascii = NULL;
	const char *fault;
	int err = idn2_to_ascii_8z(arena_str(r->a, text), &ascii,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	if (err != IDN2_OK) {
		fault = idn2_strerror(err);
		return bad(r, arena_printf(r->a, "%s holds \"%s\", which is no "
		    "domain (%s); write it as \"example.org\"", r->o->name,
		    shown(r->a, text), fault));
	}
	*domain_r = arena_copy(r->a, slice_of(ascii));
	idn2_free(ascii);
	fault = domain_fault(*domain_r);
	if (fault == NULL)
		return RC_OK;
	return bad(r, arena_printf(r->a, "%s holds \"%s\", which %s; write it "
	    "as \"example.org\"", r->o->name, shown(r->a, text), fault));
}

static enum rc
read_domains(struct reading *r, const config_setting_t *s)
{
	struct conf_list *list = r->field;
	struct slice *items, text;
	size_t count;

	if (read_items(r, s, &count) != RC_OK)
		return RC_BAD;
	items = arena_array(r->a, count, sizeof *items);
	for (size_t i = 0; i < count; i++)
		if (read_item(r, s, i, &text) != RC_OK ||
		    read_domain(r, text, &items[i]) != RC_OK)
			return RC_BAD;
	*list = (struct conf_list){ items, count };
	return RC_OK;
}

static enum rc (*const readers[])(struct reading *r,
    const config_setting_t *s) = {
	[CONF_BOOL] = read_bool,
	[CONF_COUNT] = read_count,
	[CONF_SIZE] = read_size,
	[CONF_TIME] = read_time,
	[CONF_STRING] = read_string,
	[CONF_PATH] = read_path,
	[CONF_ENUM] = read_enum,
	[CONF_LIST] = read_list,
	[CONF_NETWORKS] = read_networks,
	[CONF_DOMAINS] = read_domains,
	[CONF_SERVER] = read_server,
};

enum rc
value_read(struct arena *a, const struct conf_option *o,
    const config_setting_t *s, void *field, struct slice *why_r,
    unsigned *line_r)
{
	struct reading r = { .a = a, .o = o, .field = field, .line = s->line };
	enum rc rc = readers[conf_kind_of(o)](&r, s);

	*why_r = r.why;
	*line_r = r.line;
	return rc;
}

/* A bound with the largest unit that leaves it whole. */
static struct slice
bound(struct arena *a, int64_t n, const struct unit *units)
{
	for (const struct unit *u = units; u->name != NULL; u++)
		if (n > 0 && (uint64_t)n % u->factor == 0)
			return arena_printf(a, "%llu%s", (unsigned long long)
			    ((uint64_t)n / u->factor), u->name);
	return arena_printf(a, "%lld%s", (long long)n,
	    units == time_units ? "s" : "");
}

static const struct unit no_units[] = { { NULL, 0 } };

static struct slice
bounds(struct arena *a, const struct conf_option *o,
    const struct unit *units, const char *of)
{
	struct slice min = bound(a, o->min, units);
	struct slice max = bound(a, o->max, units);

	if (o->max > 0 && o->max != INT64_MAX)
		return arena_printf(a, "%.*s to %.*s%s", SLICE_ARG(min),
		    SLICE_ARG(max), of);
	if (o->min > 0)
		return arena_printf(a, "at least %.*s%s", SLICE_ARG(min), of);
	return SLICE("");
}

/* "a list of networks" and then how it is written and how long it may be. */
static struct slice
wants(struct arena *a, const char *what, const char *before,
    struct slice range)
{
	return arena_printf(a, "%s%s%.*s", what, range.len > 0 ? before : "",
	    SLICE_ARG(range));
}

static struct slice
wants_choice(struct arena *a, const struct conf_option *o)
{
	struct buf b = buf_in(a);

	buf_adds(&b, "one of");
	for (size_t i = 0; o->choices[i] != NULL; i++)
		buf_addf(&b, "%s \"%s\"", i > 0 ? "," : "", o->choices[i]);
	return arena_copy(a, buf_slice(&b));
}

struct slice
value_wants(struct arena *a, const struct conf_option *o)
{
	switch (conf_kind_of(o)) {
	case CONF_BOOL:
		return SLICE("true or false");
	case CONF_COUNT:
		return wants(a, "a whole number", ", ",
		    bounds(a, o, no_units, ""));
	case CONF_SIZE:
		return wants(a, "bytes, or a size as \"64k\", \"10M\", \"2G\"",
		    ", ", bounds(a, o, size_units, ""));
	case CONF_TIME:
		return wants(a, "a time as \"250ms\", \"30s\", \"5m\", \"4h\", "
		    "\"7d\"", ", ", bounds(a, o, time_units, ""));
	case CONF_STRING:
		return wants(a, "text in double quotes", ", ",
		    bounds(a, o, no_units, " bytes"));
	case CONF_PATH:
		return SLICE("a path in double quotes");
	case CONF_ENUM:
		return wants_choice(a, o);
	case CONF_LIST:
		return wants(a, "a list as [ \"a\", \"b\" ]", ", ",
		    bounds(a, o, no_units, " items"));
	case CONF_NETWORKS:
		return wants(a, "networks as [ \"192.0.2.0/24\", "
		    "\"2001:db8::/32\" ]", ", ",
		    bounds(a, o, no_units, " items"));
	case CONF_DOMAINS:
		return wants(a, "domains as [ \"example.org\" ]", ", ",
		    bounds(a, o, no_units, " items"));
	case CONF_SERVER:
		return SLICE("an address and a port as \"192.0.2.53:53\" or "
		    "\"[2001:db8::53]:53\"");
	case CONF_SCOPES:
		return SLICE("a list of groups as "
		    "( { domain = \"example.org\"; ... }, { ... } )");
	default:
		return SLICE("");
	}
}

static void
add_quoted(struct buf *b, struct slice s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"' || s.ptr[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, s.ptr[i]);
	}
	buf_addc(b, '"');
}

static void
add_setting(struct buf *b, const config_setting_t *s)
{
	switch (s->type) {
	case CONFIG_TYPE_INT:
		buf_addf(b, "%d", s->value.ival);
		break;
	case CONFIG_TYPE_INT64:
		buf_addf(b, "%lldL", s->value.llval);
		break;
	case CONFIG_TYPE_FLOAT:
		buf_addf(b, "%g", s->value.fval);
		break;
	case CONFIG_TYPE_BOOL:
		buf_adds(b, s->value.ival ? "true" : "false");
		break;
	case CONFIG_TYPE_STRING:
		add_quoted(b, slice_of(config_setting_get_string(s)));
		break;
	default:
		break;
	}
}

struct slice
value_text(struct arena *a, const config_setting_t *s)
{
	struct buf b = buf_in(a);

	if (!config_setting_is_array(s) && !config_setting_is_list(s)) {
		add_setting(&b, s);
		return buf_slice(&b);
	}
	buf_addc(&b, '[');
	for (int i = 0; i < config_setting_length(s); i++) {
		buf_adds(&b, i > 0 ? ", " : " ");
		add_setting(&b, config_setting_get_elem(s, (unsigned)i));
	}
	buf_adds(&b, " ]");
	return buf_slice(&b);
}

static struct slice
written_list(struct arena *a, struct slice items)
{
	struct buf b = buf_in(a);
	const char *before = " ";

	buf_addc(&b, '[');
	while (items.len > 0) {
		struct slice item = slice_trim(slice_cut(items, ',', &items));

		buf_adds(&b, before);
		add_quoted(&b, item);
		before = ", ";
	}
	buf_adds(&b, " ]");
	return buf_slice(&b);
}

static bool
all_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_digit(s.ptr[i]))
			return false;
	return s.len > 0;
}

struct slice
value_written(struct arena *a, const struct conf_option *o)
{
	struct slice value = slice_of(o->value != NULL ? o->value : "");
	struct buf b = buf_in(a);

	switch (conf_kind_of(o)) {
	case CONF_BOOL:
	case CONF_COUNT:
		return value;
	case CONF_SIZE:
		if (all_digits(value))
			return value;
		break;
	case CONF_LIST:
	case CONF_NETWORKS:
	case CONF_DOMAINS:
		return slice_starts(value, SLICE("[")) ? value :
		    written_list(a, value);
	case CONF_SCOPES:
		return SLICE("( )");
	default:
		break;
	}
	if (slice_starts(value, SLICE("\"")))
		return value;
	add_quoted(&b, value);
	return buf_slice(&b);
}

/* The largest unit that the value is a multiple of. */
static void
add_measure(struct buf *b, uint64_t n, const struct unit *units)
{
	const struct unit *u = units;

	while (u->name != NULL && (n == 0 || n % u->factor != 0))
		u++;
	if (u->name == NULL)
		buf_addf(b, n == 0 && units == time_units ? "\"0s\"" : "%llu",
		    (unsigned long long)n);
	else
		buf_addf(b, "\"%llu%s\"", (unsigned long long)(n / u->factor),
		    u->name);
}

static void
add_item(struct buf *b, size_t i, struct slice item)
{
	buf_adds(b, i > 0 ? ", " : "[ ");
	add_quoted(b, item);
}

static void
add_list(struct buf *b, const struct conf_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		add_item(b, i, list->items[i]);
	buf_adds(b, list->count > 0 ? " ]" : "[ ]");
}

static void
add_nets(struct buf *b, struct arena *a, const struct conf_nets *nets)
{
	for (size_t i = 0; i < nets->count; i++)
		add_item(b, i, net_format(a, &nets->items[i]));
	buf_adds(b, nets->count > 0 ? " ]" : "[ ]");
}

struct slice
conf_shown(struct arena *a, const struct conf_option *o, const void *field)
{
	struct buf b = buf_in(a);

	switch (conf_kind_of(o)) {
	case CONF_BOOL:
		return slice_of(*(const bool *)field ? "true" : "false");
	case CONF_COUNT:
		buf_addf(&b, "%u", *(const unsigned *)field);
		break;
	case CONF_SIZE:
		add_measure(&b, *(const uint64_t *)field, size_units);
		break;
	case CONF_TIME:
		add_measure(&b, (uint64_t)*(const int64_t *)field,
		    time_units);
		break;
	case CONF_ENUM:
		add_quoted(&b, slice_of(o->choices[*(const int *)field]));
		break;
	case CONF_LIST:
	case CONF_DOMAINS:
		add_list(&b, field);
		break;
	case CONF_NETWORKS:
		add_nets(&b, a, field);
		break;
	case CONF_SCOPES:
		return SLICE("( )");
	default:
		add_quoted(&b, slice_of(*(const char *const *)field));
		break;
	}
	return buf_slice(&b);
}
