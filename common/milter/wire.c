#include "milter/wire.h"

#include <arpa/inet.h>
#include <string.h>

const struct wire_command wire_commands[] = {
	{ 'C', 0x1, 0x1000 }, { 'H', 0x2, 0x2000 }, { 'M', 0x4, 0x4000 },
	{ 'R', 0x8, 0x8000 }, { 'T', 0x200, 0x10000 }, { 'L', 0x20, 0x80 },
	{ 'N', 0x40, 0x40000 }, { 'B', 0x10, 0x80000 }, { 'E', 0, 0 },
	{ 0, 0, 0 },
};

static void
put_u32(struct buf *out, uint32_t n)
{
	n = htonl(n);
	buf_add(out, slice_make(&n, sizeof n));
}

static uint32_t
get_u32(struct slice s)
{
	uint32_t n;

	memcpy(&n, s.ptr, sizeof n);
	return ntohl(n);
}

void
wire_put(struct buf *out, char code, struct slice data)
{
	put_u32(out, (uint32_t)data.len + 1);
	buf_addc(out, code);
	buf_add(out, data);
}

void
wire_offer(struct buf *out)
{
	put_u32(out, 13);
	buf_addc(out, 'O');
	put_u32(out, WIRE_VERSION);
	put_u32(out, WIRE_ACTIONS);
	put_u32(out, WIRE_PROTOCOL);
}

enum rc
wire_take(struct slice *in, char *code_r, struct slice *data_r)
{
	uint32_t len;

	if (in->len < sizeof len)
		return RC_RETRY;
	len = get_u32(*in);
	if (len == 0 || len > WIRE_MAX)
		return RC_BAD;
	if (in->len - sizeof len < len)
		return RC_RETRY;
	*code_r = in->ptr[sizeof len];
	*data_r = slice_sub(*in, sizeof len + 1, len - 1);
	*in = slice_after(*in, sizeof len + len);
	return RC_OK;
}

bool
wire_agreed(struct slice data, struct wire_terms *terms_r)
{
	if (data.len < 12)
		return false;
	terms_r->version = get_u32(data);
	terms_r->actions = get_u32(slice_after(data, 4));
	terms_r->protocol = get_u32(slice_after(data, 8));
	return (terms_r->actions & ~(uint32_t)WIRE_ACTIONS) == 0 &&
	    (terms_r->protocol & ~(uint32_t)WIRE_PROTOCOL) == 0;
}

const struct wire_command *
wire_command(char code)
{
	for (const struct wire_command *c = wire_commands; c->code != 0; c++)
		if (c->code == code)
			return c;
	return NULL;
}
