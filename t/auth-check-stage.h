/*
 * auth-check-stage - a message and what was found out about it, for decide
 *
 * begin	mail of bob@sender.example from 192.0.2.1 with that result of
 *		SPF, nothing else asked, default options. Resets the arena
 * decide	what is set for each recipient, then auth_check_decide
 * set		options anew: lines of a configuration file
 * dmarc	sender.example asks for p, with that result
 * head_after	the header block as the plan's edits leave it
 * finding, fact	of that key, or SLICE_NONE
 */
#ifndef T_AUTH_CHECK_STAGE_H
#define T_AUTH_CHECK_STAGE_H

#include "milters/auth-check/decide.h"

struct stage {
	struct arena *arena;
	struct house_conf house;
	struct auth_check_conf conf;
	struct client client;
	struct envelope envelope;
	struct message msg;
	struct auth_answers seen;
	struct job job;
	struct policy *policy;		/* without a map */
};

#define HEAD	"From: bob@sender.example\r\nSubject: hi\r\n"

const struct plan *decide(struct stage *s);
void begin(struct stage *s, struct arena *a, enum spf_result result);
void set(struct stage *s, const char *text);
void dmarc(struct stage *s, enum dmarc_result result, enum dmarc_policy p);
struct slice head_after(struct stage *s, const struct plan *p);
struct slice finding(const struct plan *p, const char *key);
struct slice fact(const struct plan *p, const char *key);

#endif
