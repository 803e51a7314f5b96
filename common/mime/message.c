#include "mime/message.h"

#include <string.h>

#include "mime/header.h"

const struct message_limits message_limits_default = {
	.fields = 2000,
	.header_bytes = 1 << 20,
	.depth = 50,
	.parts = 1000,
};

/* In the order of the bits in part.h. */
static const char *const flag_names[] = {
	"limit-fields", "limit-header-bytes", "limit-depth", "limit-parts",
	"limit-work", "limit-readings", "limit-parameters",
	"junk-header-line", "blank-fold", "space-before-colon",
	"nul-in-header", "bare-cr-in-header", "header-cut-short",
	"duplicate-content-type", "duplicate-transfer-encoding",
	"duplicate-boundary", "duplicate-disposition", "duplicate-parameter",
	"bad-content-type", "bad-parameter", "bad-transfer-encoding",
	"bad-boundary", "no-boundary", "no-delimiter", "not-closed",
	"delimiter-junk", "parts-after-close", "encoded-multipart",
	"no-mime-version", "uuencode", "partial", "nul-in-body",
};

const char *
message_flag_name(unsigned bit)
{
	if (bit >= sizeof flag_names / sizeof *flag_names)
		return NULL;
	return flag_names[bit];
}

void
message_read(struct message *msg, struct arena *a, struct slice head,
    struct slice body, const struct message_limits *limits)
{
	memset(msg, 0, sizeof *msg);
	msg->arena = a;
	msg->head = head;
	msg->body = body;
	msg->limits = limits != NULL ? *limits : message_limits_default;
	msg->flags = header_fields(a, head, &msg->limits, &msg->fields,
	    &msg->nfields);
}

const struct field *
message_field(const struct message *msg, struct slice name, size_t from)
{
	return header_find(msg->fields, msg->nfields, name, from);
}

size_t
message_count(const struct message *msg, struct slice name)
{
	size_t count = 0;

	for (size_t i = 0; i < msg->nfields; i++)
		count += slice_eq_nocase(msg->fields[i].name, name);
	return count;
}

size_t
message_size(const struct message *msg)
{
	return msg->head.len + 2 + msg->body.len;
}

/* Up to and with the empty line; *head_r is what stands before that line. */
static struct slice
find_blank(struct slice file, struct slice *head_r)
{
	struct slice rest = file, line;

	while (rest.len > 0) {
		const char *at = rest.ptr;

		slice_line(&rest, &line);
		if (line.len > 0)
			continue;
		*head_r = slice_make(file.ptr, (size_t)(at - file.ptr));
		return rest.ptr != NULL ? rest : slice_after(file, file.len);
	}
	*head_r = file;
	return slice_after(file, file.len);
}

/* The same lines, each with CRLF at its end. */
static struct slice
with_crlf(struct arena *a, struct slice text)
{
	struct slice rest = text, line;
	size_t lines = 0, len = 0;
	char *ptr;

	while (slice_line(&rest, &line))
		lines++;
	ptr = arena_bytes(a, text.len + 2 * lines + 1);
	rest = text;
	while (slice_line(&rest, &line)) {
		if (line.len > 0)
			memcpy(ptr + len, line.ptr, line.len);
		len += line.len;
		ptr[len++] = '\r';
		ptr[len++] = '\n';
	}
	ptr[len] = '\0';
	return slice_make(ptr, len);
}

void
message_split(struct arena *a, struct slice file, struct slice *head_r,
    struct slice *body_r)
{
	struct slice head, body = find_blank(file, &head);

	*head_r = with_crlf(a, head);
	*body_r = with_crlf(a, body);
}
