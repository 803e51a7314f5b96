/* gatehouse digest: digests now, a look at one, and mail about them. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "notice/intake.h"
#include "tools/quarantine.h"
#include "tools/verb.h"

enum what { WHAT_NOTHING = 0, WHAT_DUE, WHAT_NOW, WHAT_PREVIEW, WHAT_INTAKE,
    WHAT_SAMPLE, WHAT_MANUAL };

struct digest {
	enum what what;
	const char *dir, *state, *address;
	const char *sender, *recipient, *client;
	bool json, twice;
	struct arena *a;
};

static const struct option longs[] = {
	{ "due", no_argument, NULL, 'd' },
	{ "now", required_argument, NULL, 'n' },
	{ "preview", required_argument, NULL, 'p' },
	{ "intake", no_argument, NULL, 'i' },
	{ "sender", required_argument, NULL, 'f' },
	{ "recipient", required_argument, NULL, 't' },
	{ "client", required_argument, NULL, 'k' },
	{ "config", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, 'j' },
	{ "sample", no_argument, NULL, 'x' },
	{ "manual", no_argument, NULL, 'm' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse digest --due | --now ADDRESS | --preview "
	    "ADDRESS | --intake\n"
	    "\n"
	    "Digests list what was held or deleted; the store daemon makes and "
	    "sends them.\n"
	    "\n"
	    "  --due              make those that are due (the timer does it)\n"
	    "  --now ADDRESS      make one for this mailbox\n"
	    "  --preview ADDRESS  print the message that --due would make; "
	    "nothing is\n"
	    "                     sent, its links are good for nothing\n"
	    "  --intake           read a mail to the release or request "
	    "address from\n"
	    "                     standard input, as Postfix's pipe(8) gives "
	    "it:\n"
	    "  --sender ADDRESS   its reverse-path\n"
	    "  --recipient ADDRESS  whom it was sent to\n"
	    "  --client IP        where it came from\n"
	    "  --config DIR       instead of " SYSCONFDIR "/gatehouse\n"
	    "  --state DIR        instead of state_directory in "
	    "gatehouse.conf\n"
	    "  --json             one JSON object\n"
	    "  --sample           print a commented notices.conf\n"
	    "  --manual           print its options as manual page text");
	return EX_OK;
}

static int
print_options(bool manual)
{
	struct notices_conf conf = { .scopes = NULL };
	const struct conf_section sections[] = { { notices_options, &conf },
	    { NULL, NULL } };

	return verb_options("notices.conf", sections, manual);
}

enum { ANSWER_MS = 600 * 1000 };

/* Connected, and a question begun. */
static int
begin(const struct digest *d, struct asking *q, const char *operation)
{
	int status;

	*q = (struct asking){ .a = d->a, .config = d->dir,
	    .state = d->state };
	status = asking_open(q, ANSWER_MS);
	if (status == EX_OK)
		asking_begin(q, operation);
	return status;
}

/* The question put; the connection closed when there is no answer. */
static int
end(struct asking *q)
{
	int status = asking_ask(q);

	if (status != EX_OK)
		asking_close(q);
	return status;
}

static int
print_json(struct arena *a, const char *key, int64_t value)
{
	struct buf out = buf_in(a);
	struct json w;

	json_init(&w, &out);
	json_begin_object(&w);
	json_put_int(&w, key, value);
	json_end(&w);
	buf_addc(&out, '\n');
	return verb_print(&out);
}

static int
make(const struct digest *d)
{
	struct buf out = buf_in(d->a);
	struct asking q;
	int64_t made;
	int status = begin(d, &q, d->what == WHAT_DUE ? "digest-due" :
	    "digest-now");

	if (status != EX_OK)
		return status;
	asking_put(&q, "recipient", d->address);
	status = end(&q);
	if (status != EX_OK)
		return status;
	made = json_integer_value(json_object_get(q.answer, "made"));
	asking_close(&q);
	if (d->json)
		return print_json(d->a, "made", made);
	buf_addf(&out, "digests: %lld\n", (long long)made);
	return verb_print(&out);
}

static int
preview(const struct digest *d)
{
	struct buf out = buf_in(d->a);
	struct asking q;
	int status = begin(d, &q, "digest-preview");

	if (status != EX_OK)
		return status;
	asking_put(&q, "recipient", d->address);
	status = end(&q);
	if (status != EX_OK)
		return status;
	buf_add(&out, asking_get(&q, q.answer, "message"));
	asking_close(&q);
	return verb_print(&out);
}

/* --- a mail --------------------------------------------------------------- */

/* All of it is read, or Postfix would see a broken pipe; only the beginning is
 * kept. */
static struct slice
read_mail(struct arena *a)
{
	struct buf mail = buf_in(a);
	char piece[16384];
	size_t n;

	while ((n = fread(piece, 1, sizeof piece, stdin)) > 0)
		if (mail.len < INTAKE_HEADER)
			buf_add(&mail, slice_make(piece, n));
	return buf_slice(&mail);
}

static int
load(const struct digest *d, struct notices_conf *conf)
{
	const struct conf_section sections[] = { { notices_options, conf },
	    { NULL, NULL } };
	struct slice why = SLICE("");
	const char *path = d->dir == NULL ? NULL : arena_printf(d->a,
	    "%s/notices.conf", d->dir).ptr;

	if (conf_load(d->a, path, sections, &why) == RC_OK)
		return EX_OK;
	return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
}

/* Says once, in Postfix's log, what came of it: pipe(8) logs what we print.
 * Nothing goes back to the sender, whatever it was: who he is, is not known. */
static int
answer_mail(const struct digest *d, const struct intake *in)
{
	const char *peer = d->client != NULL && d->client[0] != '\0' ?
	    d->client : d->sender;
	struct asking q;
	int status = begin(d, &q, in->kind == INTAKE_RELEASE ?
	    "token-release" : "digest-ask");

	if (status != EX_OK)
		return EX_TEMPFAIL;
	if (in->kind == INTAKE_RELEASE) {
		asking_put(&q, "token", arena_str(d->a, in->token));
		asking_put(&q, "peer", peer);
	} else {
		asking_put(&q, "recipient", d->sender);
	}
	status = end(&q);
	if (status == EX_OK)
		asking_close(&q);
	return status == EX_OK || status == EXIT_UNEXPECTED ? EX_OK :
	    EX_TEMPFAIL;
}

/* Exit status 0 or 75, nothing else: any other would be bounced to somebody
 * who may never have written. */
static int
take_mail(struct digest *d)
{
	struct slice mail = read_mail(d->a);
	struct notices_conf conf = { .scopes = NULL };
	struct intake in;
	int status = load(d, &conf);

	if (status != EX_OK)
		return status;
	if (d->sender == NULL || slice_eq(slice_of(d->sender), SLICE("<>")) ||
	    slice_eq(slice_of(d->sender), SLICE("MAILER-DAEMON")))
		d->sender = "";
	in = intake_read(&conf, d->a, slice_of(d->sender), d->recipient !=
	    NULL ? slice_of(d->recipient) : SLICE_NONE, mail);
	if (in.kind != INTAKE_NOTHING)
		return answer_mail(d, &in);
	printf("ignored: %s\n", in.why);
	return EX_OK;
}

/* --- the command line ----------------------------------------------------- */

static void
set(struct digest *d, enum what what)
{
	d->twice = d->what != WHAT_NOTHING;
	d->what = what;
}

static int
read_options(struct digest *d, int argc, char **argv)
{
	int o;

	optind = 1;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'd': set(d, WHAT_DUE); break;
		case 'n': set(d, WHAT_NOW); d->address = optarg; break;
		case 'p': set(d, WHAT_PREVIEW); d->address = optarg; break;
		case 'i': set(d, WHAT_INTAKE); break;
		case 'x': set(d, WHAT_SAMPLE); break;
		case 'm': set(d, WHAT_MANUAL); break;
		case 'f': d->sender = optarg; break;
		case 't': d->recipient = optarg; break;
		case 'k': d->client = optarg; break;
		case 'c': d->dir = optarg; break;
		case 's': d->state = optarg; break;
		case 'j': d->json = true; break;
		case 'h': return help();
		default: return EX_USAGE;
		}
	}
	if (optind < argc)
		return verb_fails(EX_USAGE, "digest: no such argument: %s",
		    argv[optind]);
	if (d->what == WHAT_NOTHING || d->twice)
		return verb_fails(EX_USAGE, "digest: one of --due, --now, "
		    "--preview and --intake is wanted");
	return EX_OK;
}

int
verb_digest(int argc, char **argv, struct arena *a)
{
	struct digest d = { .a = a };
	int status = read_options(&d, argc, argv);

	d.dir = verb_conf_dir(d.dir);
	if (status != EX_OK || d.what == WHAT_NOTHING)
		return status;
	switch (d.what) {
	case WHAT_SAMPLE:
		return print_options(false);
	case WHAT_MANUAL:
		return print_options(true);
	case WHAT_PREVIEW:
		return preview(&d);
	case WHAT_INTAKE:
		return take_mail(&d);
	default:
		return make(&d);
	}
}
