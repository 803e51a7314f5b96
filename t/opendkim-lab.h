/*
 * opendkim-lab - messages signed by libopendkim, with keys made for this run
 *
 * What our verifier is compared with is thus signed by somebody else, who
 * makes canonical forms with other code.
 */
#ifndef T_OPENDKIM_LAB_H
#define T_OPENDKIM_LAB_H

#include "dkim/dkim.h"

struct opendkim_lab;

/* RSA-2048 and Ed25519. */
struct opendkim_lab *opendkim_lab_open(void);
void opendkim_lab_close(struct opendkim_lab *lab);

struct opendkim_want {
	enum dkim_algorithm algorithm;
	enum dkim_canon header, body;
	bool all;			/* fields; else those that should be */
};

/* The field with its CRLF, for d=example.org and a selector of the algorithm;
 * SLICE_NONE when the library would not. */
struct slice opendkim_lab_sign(struct opendkim_lab *lab, struct arena *a,
    const struct message *msg, const struct opendkim_want *want);
/*
 * The message put to libopendkim as its manual says, without any guard and
 * with this key record: its DKIM_STAT, which is 0 for success.
 */
int opendkim_lab_unguarded(struct opendkim_lab *lab,
    const struct message *msg, struct slice record);
/* An arc_lookup; arg is the lab. */
const struct dns_answer *opendkim_lab_lookup(void *arg, struct slice name);

#endif
