/*
 * load - sends a seeded mix through a Postfix and receives it again
 *
 *	load --server 127.0.0.1:2525 --sink 127.0.0.1:2526 --sessions 16
 *	    --messages 400 --seed 1 [--senders FILE] [--per-connection 4]
 *	    [--distinct 400] [--patience 60] [--together] [--text-only[=BYTES]]
 *	    [--signed FOLDER]
 *
 * Postfix at --server must relay to --sink. A line of FILE is "ADDRESS NAME
 * DOMAIN": who the client is (by XCLIENT) and the domain that it sends from.
 * --signed: all messages are signed with the keys there (signed.h).
 * Prints "name value" lines; exit status 1 when not all that was sent was
 * accepted, and arrived once.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "bench/client.h"
#include "bench/signed.h"
#include "bench/sink.h"

enum { SENDERS_MAX = 1000, SESSIONS_MAX = 5000, MESSAGES_MAX = 10000000 };

struct options {
	const char *server, *sink, *senders, *signed_by;
	uint64_t sessions, messages, per_connection, distinct, seed, patience,
	    text;			/* mix_new */
	bool together;
};

static const struct mail_sender nobody = {
	"127.0.0.1", "client.test", "client.test",
};

static void
usage(void)
{
	bench_die("usage: load --server HOST:PORT --sink HOST:PORT "
	    "[--sessions N] [--messages N] [--seed N] [--senders FILE] "
	    "[--per-connection N] [--distinct N] [--patience SECONDS] "
	    "[--together] [--text-only[=BYTES]] [--signed FOLDER]");
}

static uint64_t
number(const char *text, uint64_t max)
{
	uint64_t value;

	if (!slice_number(slice_of(text), max, &value) || value == 0)
		bench_die("%s: not a number from 1 to %llu", text,
		    (unsigned long long)max);
	return value;
}

static void
set_option(struct options *o, int c, const char *arg)
{
	switch (c) {
	case 's': o->server = arg; break;
	case 'k': o->sink = arg; break;
	case 'f': o->senders = arg; break;
	case 'n': o->sessions = number(arg, SESSIONS_MAX); break;
	case 'm': o->messages = number(arg, MESSAGES_MAX); break;
	case 'p': o->per_connection = number(arg, MESSAGES_MAX); break;
	case 'd': o->distinct = number(arg, MESSAGES_MAX); break;
	case 'r': o->seed = number(arg, UINT64_MAX); break;
	case 'w': o->patience = number(arg, 86400); break;
	case 't': o->together = true; break;
	case 'x': 
		o->text = arg != NULL ? number(arg, 1 << 24) : MIX_TEXT;
		break;
	case 'g': o->signed_by = arg; break;
	default: usage();
	}
}

static struct options
read_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "server", required_argument, NULL, 's' },
		{ "sink", required_argument, NULL, 'k' },
		{ "senders", required_argument, NULL, 'f' },
		{ "sessions", required_argument, NULL, 'n' },
		{ "messages", required_argument, NULL, 'm' },
		{ "per-connection", required_argument, NULL, 'p' },
		{ "distinct", required_argument, NULL, 'd' },
		{ "seed", required_argument, NULL, 'r' },
		{ "patience", required_argument, NULL, 'w' },
		{ "together", no_argument, NULL, 't' },
		{ "text-only", optional_argument, NULL, 'x' },
		{ "signed", required_argument, NULL, 'g' },
		{ 0 },
	};
	struct options o = { .sessions = 16, .messages = 400, .seed = 1,
	    .per_connection = 4, .distinct = 400, .patience = 60 };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		set_option(&o, c, optarg);
	if (o.server == NULL || o.sink == NULL || optind != argc)
		usage();
	if (o.distinct > o.messages)
		o.distinct = o.messages;
	if (o.together && o.sessions != o.messages)
		bench_die("--together wants as many messages as sessions");
	if (o.together)
		o.per_connection = 1;
	return o;
}

static size_t
read_senders(const char *path, struct mail_sender *senders)
{
	FILE *in = fopen(path, "r");
	char line[512];
	size_t n = 0;

	if (in == NULL)
		bench_die("%s: cannot be read", path);
	while (fgets(line, sizeof line, in) != NULL) {
		struct mail_sender *s = &senders[n];

		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (n == SENDERS_MAX ||
		    sscanf(line, "%47s %127s %127s", s->ip, s->name,
		    s->domain) != 3)
			bench_die("%s: not ADDRESS NAME DOMAIN: %s", path,
			    line);
		n++;
	}
	fclose(in);
	if (n == 0)
		bench_die("%s: empty", path);
	return n;
}

static void
report(struct clients *c, const struct sink *s)
{
	double reply = (double)(c->ended - c->begun) / 1e6;
	double through = (double)(s->ended - c->begun) / 1e6;

	if (through < reply)
		through = reply;
	printf("sent %zu\naccepted %zu\nrefused %zu\narrived %zu\n"
	    "twice %zu\nalien %zu\nchanged %zu\nproved %zu\nbytes %zu\n", c->sent,
	    c->accepted, c->refused, s->arrived, s->twice, s->alien,
	    s->changed, s->proved, c->bytes);
	printf("reply_seconds %.3f\nseconds %.3f\nrate %.2f\n", reply, through,
	    (double)s->arrived / through);
	figures_print(&c->end_of_data, "eod");
	figures_print(&c->transaction, "transaction");
	if (c->refusal[0] != '\0')
		printf("refusal %s\n", c->refusal);
}

/* Until all is answered and what was accepted has come, or nothing moves. */
static void
run(struct loop *l, struct clients *c, struct sink *s, uint64_t patience)
{
	while (c->running > 0 || s->arrived < c->accepted) {
		if (!loop_run(l, (int)patience * 1000)) {
			fprintf(stderr, "bench: nothing moved for %llu s\n",
			    (unsigned long long)patience);
			return;
		}
	}
}

static const struct mail_sender *
sender_of(void *arg, size_t number)
{
	return clients_sender(arg, number);
}

int
main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	static struct mail_sender senders[SENDERS_MAX];
	struct mix mix = mix_new(o.distinct, o.seed, o.text);
	struct clients_conf conf = {
		.server = o.server, .mix = &mix, .senders = &nobody,
		.nsenders = 1, .sessions = o.sessions, .messages = o.messages,
		.per_connection = o.per_connection, .together = o.together,
	};
	struct loop loop = loop_new();
	struct clients clients;
	struct sink sink;
	struct slice *heads = NULL;
	bool good;

	if (o.senders != NULL) {
		conf.nsenders = read_senders(o.senders, senders);
		conf.senders = senders;
		conf.xclient = true;
	}
	if (o.signed_by != NULL)
		conf.heads = heads = signed_heads(&mix, o.messages, sender_of,
		    &conf, o.signed_by);
	sink_start(&sink, &loop, o.sink, &mix, o.messages);
	clients_start(&clients, &loop, &conf);
	run(&loop, &clients, &sink, o.patience);
	report(&clients, &sink);
	good = clients.accepted == o.messages && sink.arrived == o.messages &&
	    sink.twice == 0 && sink.alien == 0;
	clients_free(&clients);
	sink_free(&sink);
	signed_free(heads, o.messages);
	mix_free(&mix);
	return good ? 0 : 1;
}
