/*
 * request - what is asked at the control socket
 *
 * One line of JSON, one object, at most REQUEST_LINE bytes:
 *	{"v":1,"op":"release","object":"...","recipient":"a@example.org"}
 * Unknown keys, wrong types and other versions are refused. Bytes that are no
 * UTF-8 come as {"hex":"..."}.
 *
 * request_read	RC_BAD with *why_r. Text lives in the arena. Pure
 */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "base/rc.h"
#include "store/index.h"

enum { REQUEST_LINE = 64 * 1024, REQUEST_VERSION = 1 };

struct request {
	struct slice op;
	struct slice actor;		/* on whose behalf: "portal:alice" */
	bool user;			/* with a mail user's rights only */
	struct slice object, recipient;
	struct slice token, peer;	/* release by token; whose try it is */
	struct store_filter filter;	/* list; recipient too */
	bool dry, on, all_states;
	bool dangerous;			/* release: a virus, too */
	struct slice reason;
	struct slice verdict;		/* of a sandbox */
};

enum rc request_read(struct slice line, struct arena *a,
    struct request *r_r, struct slice *why_r);

#endif
