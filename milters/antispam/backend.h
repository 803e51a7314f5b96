/*
 * backend - another filter, asked over a socket: an entry of `backends`
 *
 *	[NAME=]rspamd:PLACE or spamd:PLACE [offset=N] [slope=N]
 *
 * backend_read		RC_BAD, *why_r: no entry. Texts are in the arena
 * backend_chance	the log-odds of spam that a score means: offset +
 *			slope * score, not beyond BACKEND_SURE on either side
 * backend_request	what such a filter is sent: fields of a client, and the
 *			message. For spamd it has a Received field on top, as
 *			the mail server writes it, since all that it knows of a
 *			client it reads there
 * backend_talk		one request. RC_RETRY with *why_r: no answer that can be
 *			used by the deadline
 * backend_ping		is it there, and what the entry says it is? For tools
 *
 * What comes from the client is made fit to stand in a field: no control
 * characters, and cut.
 */
#ifndef ANTISPAM_BACKEND_H
#define ANTISPAM_BACKEND_H

#include "backend_answer.h"
#include "base/clock.h"
#include "base/rc.h"
#include "milter/filter.h"
#include "net/http.h"

enum backend_kind { BACKEND_RSPAMD, BACKEND_SPAMD };

/* Six is one in 400. */
enum { BACKEND_SURE = 6, BACKEND_RCPTS = 50, BACKEND_ANSWER = 1 << 20 };

struct backend_spec {
	struct slice name;
	enum backend_kind kind;
	const char *host;		/* or the path of a socket */
	unsigned port;
	double offset, slope;
};

struct backend_request {
	struct slice fields;		/* with CRLF each */
	struct slice message;		/* CRLF */
};

enum rc backend_read(struct slice entry, struct backend_spec *spec_r,
    struct arena *a, struct slice *why_r);
double backend_chance(const struct backend_spec *spec, double score);
void backend_request(const struct backend_spec *spec, const struct job *job,
    struct arena *a, struct backend_request *request_r);

/* http: for Rspamd, kept between requests; else NULL. */
enum rc backend_talk(const struct backend_spec *spec, struct http *http,
    const struct backend_request *request, deadline_t until, struct arena *a,
    struct backend_answer *answer_r, struct slice *why_r);
enum rc backend_ping(const struct backend_spec *spec, deadline_t until,
    struct arena *a, struct slice *why_r);

#endif
