/*
 * rules-stage - a message and rules, for what predelivery makes of both
 *
 * stage_begin	mail of a@sender.test from 192.0.2.1 to us@our.test, inbound,
 *		a Tuesday at noon (UTC); head and body with CRLF
 * stage_rules	these rules; RC_BAD leaves s->why
 * stage_decide	asks and decides; the plan
 * stage_to	one recipient more
 * stage_head, stage_body	as the plan leaves them
 * stage_end	all of it goes
 */
#ifndef T_RULES_STAGE_H
#define T_RULES_STAGE_H

#include "milters/predelivery/decide.h"
#include "milters/predelivery/shared.h"

struct stage {
	struct arena *arena;
	struct house_conf house;
	struct predelivery_conf conf;
	struct predelivery_shared shared;
	struct policy *policy;
	struct client client;
	struct envelope envelope;
	struct recipient recipients[20];
	struct message msg;
	struct job job;
	struct slice why;
};

enum { STAGE_NOW = 1795521600 };	/* 2026-11-24T12:00:00Z */

void stage_begin(struct stage *s, const char *head, const char *body);
enum rc stage_rules(struct stage *s, const char *text);
struct plan *stage_decide(struct stage *s);
void stage_to(struct stage *s, const char *address);
struct slice stage_head(struct stage *s, const struct plan *p);
struct slice stage_fact(const struct plan *p, const char *key);
void stage_end(struct stage *s);

#endif
