/*
 * wire - the milter protocol as Postfix speaks it: the client's side
 *
 * A packet is a length of four bytes in network order, a command, its data.
 * Nothing here reads or writes a socket: packets are put into a buffer and
 * taken out of one. doctor asks with it whether a milter would serve Postfix,
 * bench/sessions how many it serves at once.
 *
 * wire_put	one packet
 * wire_offer	the first packet of a session: version, and all that Postfix
 *		would let a milter do or leave out
 * wire_take	the packet that begins at *in. RC_OK: code and data, *in goes
 *		behind it; RC_RETRY: more bytes have to come; RC_BAD: no such
 *		packet, its length being 0 or over WIRE_MAX
 * wire_agreed	what a milter answered to the offer (the data of its 'O');
 *		false when it is too short for that, or says that it does what
 *		was not offered
 * wire_command	the command of that code, with the flags by which a milter
 *		asks to be spared it, or its answer; NULL: no such command
 *
 * What a milter asks of macros (SMFIR_SETSYMLIST) is not looked at.
 */
#ifndef MILTER_WIRE_H
#define MILTER_WIRE_H

#include "base/buf.h"
#include "base/rc.h"

enum {
	WIRE_VERSION = 6,
	WIRE_MAX = 1 << 20,		/* libmilter's own limit of a packet */
	WIRE_ACTIONS = 0x1ff,		/* what Postfix 3.7 offers */
	WIRE_PROTOCOL = 0x1fffff,
};

/* In the order in which a message has them. */
struct wire_command {
	char code;
	uint32_t no, no_reply;		/* 0: cannot be left out */
};

struct wire_terms {
	uint32_t version, actions, protocol;
};

extern const struct wire_command wire_commands[];	/* code 0 at the end */

void wire_put(struct buf *out, char code, struct slice data);
void wire_offer(struct buf *out);
enum rc wire_take(struct slice *in, char *code_r, struct slice *data_r);
bool wire_agreed(struct slice data, struct wire_terms *terms_r);
const struct wire_command *wire_command(char code);

#endif
