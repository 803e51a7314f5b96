/*
 * gatehouse spam: how likely a message is spam, and what the site has taught.
 */
#include "tools/spam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sip.h"
#include "milters/antispam/filter.h"
#include "milters/antispam/judgement.h"

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 'd' },
	{ "model", required_argument, NULL, 'm' },
	{ "output", required_argument, NULL, 'o' },
	{ "spam", required_argument, NULL, 's' },
	{ "ham", required_argument, NULL, 'h' },
	{ "bits", required_argument, NULL, 'b' },
	{ "forget", no_argument, NULL, 'f' },
	{ "evaluate", no_argument, NULL, 'e' },
	{ "scores", required_argument, NULL, 'S' },
	{ "rules", required_argument, NULL, 'R' },
	{ "test", required_argument, NULL, 't' },
	{ "by", required_argument, NULL, 'y' },
	{ "base", required_argument, NULL, 'B' },
	{ "quarantine", no_argument, NULL, 'q' },
	{ "if-needed", no_argument, NULL, 'n' },
	{ "all", no_argument, NULL, 'a' },
	{ "check", no_argument, NULL, 'k' },
	{ "force", no_argument, NULL, 'F' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'H' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse spam check [OPTION]... MESSAGE\n"
	    "       gatehouse spam feeds [OPTION]...\n"
	    "       gatehouse spam learn [--spam|--ham] PATH [OPTION]...\n"
	    "       gatehouse spam train [OPTION]...\n"
	    "       gatehouse spam rules [--test MESSAGE] [OPTION]...\n"
	    "       gatehouse spam accounts list [OPTION]...\n"
	    "       gatehouse spam accounts show|release|forget ACCOUNT\n"
	    "       gatehouse spam history [OPTION]... ADDRESS|DOMAIN\n"
	    "       gatehouse spam lists [--check] [OPTION]...\n"
	    "\n"
	    "check says how likely a message is spam, and why. feeds fetches the "
	    "lists of\n"
	    "phishing links (option phishing_feed). learn keeps the features of\n"
	    "messages (a file, or all files of a folder) as examples; what is "
	    "learned again\n"
	    "with the other label is a correction. train makes a model of the "
	    "examples, which\n"
	    "daemons take up within seconds. rules lists the rules with "
	    "what they weigh, or\n"
	    "those that a message meets.\n"
	    "history says what the daemons know of a sender;\n"
	    "exit status 1: nothing. lists shows the DNS lists that are "
	    "asked. accounts lists whose outbound mail is held for a sudden\n"
	    "change, and lets it go on.\n"
	    "\n"
	    "  --spam PATH    learn, train: these are spam\n"
	    "  --ham PATH     learn, train: these are not; train with both "
	    "makes a model of\n"
	    "                 them alone\n"
	    "  --by ADDRESS   learn: it is what this user says of one message; "
	    "it counts when\n"
	    "                 others say the same\n"
	    "  --quarantine   learn: what was let out of the quarantine is no "
	    "spam, in the same way\n"
	    "  --if-needed    train: when there are enough new examples, and "
	    "only when the new\n"
	    "                 model is no worse on them\n"
	    "  --base FILE    train: go on from this model instead of the "
	    "package's\n"
	    "  --forget       learn: take them out of the examples\n"
	    "  --force        feeds: take also a list that looks wrong\n"
	    "  --evaluate     train: only say how well it would do, by "
	    "cross-validation\n"
	    "  --scores FILE  train --evaluate: percent, fold and file of each "
	    "message\n"
	    "  --output FILE  train: where the model goes\n"
	    "  --bits N       train: its size is 2^N bytes (20)\n"
	    "  --rules FILE   instead of the file of the option rules\n"
	    "  --check        lists: asks each for its test points; exit "
	    "status 1 when one\n"
	    "                 does not work\n"
	    "  --model FILE   check: another model\n"
	    "  --config DIR   folder with gatehouse.conf\n"
	    "  --state DIR    instead of state_directory\n"
	    "  --all          accounts list: those that are not held too\n"
	    "  --json         one JSON object, of accounts an array");
	return EX_OK;
}

void
spam_read(struct arena *a, struct slice bytes, struct spam_rules *rules,
    struct spam_mail *mail_r)
{
	static const uint64_t one[2] = { 1, 1 }, two[2] = { 2, 2 };
	uint64_t id[2] = { sip_hash(one, bytes), sip_hash(two, bytes) };
	const struct content_text *first;
	struct slice head, body;

	*mail_r = (struct spam_mail){ .msg = arena_alloc(a,
	    sizeof *mail_r->msg) };
	message_split(a, bytes, &head, &body);
	message_read(mail_r->msg, a, head, body, &message_limits_default);
	content_read(mail_r->msg, &content_limits_default, &mail_r->content);
	features_read(mail_r->msg, &mail_r->content, false,
	    &mail_r->features);
	mail_r->hits = spam_rules_look(rules, mail_r->msg, &mail_r->content);
	spam_rules_learn(mail_r->hits, a, &mail_r->features);
	first = mail_r->content.first;
	memcpy(mail_r->record.id, id, LEARNED_ID);
	mail_r->record.given = clock_wall();
	mail_r->record.group = train_group(first != NULL &&
	    first->kind == CONTENT_SUBJECT ? first->text : SLICE(""),
	    slice_make(id, sizeof id));
}

const char *
spam_learned(const struct spam_options *o)
{
	return arena_printf(o->a, "%s/antispam/learned",
	    o->state != NULL ? o->state : o->house.state_directory).ptr;
}

/* ---- check ---- */

/* The site's options, or the defaults. */
int
spam_own(struct spam_options *o, struct antispam_conf *conf)
{
	struct conf_section own[] = { { milter_options, &o->milter },
	    { antispam_options, conf }, { NULL, NULL } };
	const char *dir = verb_conf_dir(o->config);
	const char *file = dir == NULL ? NULL : arena_printf(o->a,
	    "%s/antispam.conf", dir).ptr;
	struct slice why;

	if (file != NULL && access(file, F_OK) != 0)
		file = NULL;
	if (conf_load(o->a, file, own, &why) != RC_OK)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	if (o->model != NULL)
		conf->model = o->model;
	if (o->site_rules != NULL)
		conf->rules = o->site_rules;
	return EX_OK;
}

int
spam_load(struct spam_options *o)
{
	int status = spam_own(o, &o->own);
	struct slice why;

	if (status == EX_OK && spam_rules_load(o->own.rules, &o->rules, o->a,
	    &why) != RC_OK)
		status = verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	return status;
}

static int
told(struct spam_options *o, const struct antispam_answers *seen)
{
	struct buf safe = buf_in(o->a);

	if (o->json) {
		judgement_json(o->a, seen, &o->out);
		return verb_print(&o->out);
	}
	judgement_text(seen, &o->out);
	buf_add(&safe, verb_safe(o->a, buf_slice(&o->out)));
	return verb_print(&safe);
}

static int
check(struct spam_options *o, const char *path)
{
	struct antispam_answers seen = { .nreasons = 0 };
	struct spam_look look = { .conf = &o->own };
	struct spam_mail mail;
	struct slice bytes, why;
	void *shared;
	enum rc rc;
	int status = verb_read(path, o->a, &bytes);

	if (status != EX_OK)
		return status;
	rc = antispam_filter.open(&o->own, &o->house, NULL, &shared, o->a,
	    &why);
	if (rc == RC_OK) {
		spam_read(o->a, bytes, o->rules, &mail);
		look.msg = mail.msg;
		look.shared = shared;
		rc = antispam_judge(&look, &seen, &why);
	}
	/* Reasons borrow from the rules. */
	status = rc == RC_OK ? told(o, &seen) : verb_fails(verb_status(rc),
	    "%.*s", SLICE_ARG(why));
	antispam_filter.close(shared);
	return status;
}

/* ---- which verb ---- */

static int
again(struct spam_options *o)
{
	int status = spam_become_owner(o);

	return status == EX_OK ? spam_train_again(o) : status;
}

static int
run(struct spam_options *o, int argc, char **argv)
{
	struct conf_section sections[] = { { house_options, &o->house },
	    { NULL, NULL } };
	const char *verb = argc > 0 ? argv[0] : "";
	struct slice why;
	int status;

	if (conf_load(o->a, verb_house_file(verb_conf_dir(o->config), o->a),
	    sections, &why) != RC_OK)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	if (o->state != NULL)
		o->house.state_directory = o->state;
	status = spam_load(o);
	if (status != EX_OK)
		return status;
	if (strcmp(verb, "accounts") == 0)
		return spam_accounts(o, argc - 1, argv + 1);
	if (strcmp(verb, "feeds") == 0 && argc == 1)
		return spam_feeds(o);
	if (strcmp(verb, "check") == 0 && argc == 2)
		return check(o, argv[1]);
	if (strcmp(verb, "learn") == 0 && argc == 1 && o->quarantine)
		return spam_learn_quarantine(o);
	if (strcmp(verb, "learn") == 0 && argc == 1 && o->by != NULL &&
	    (o->spam != NULL) != (o->ham != NULL))
		return spam_vote(o);
	if (strcmp(verb, "learn") == 0 && argc == 1 && o->by == NULL &&
	    (o->spam != NULL || o->ham != NULL))
		return spam_learn(o);
	if (strcmp(verb, "train") == 0 && argc == 1 && o->if_needed)
		return again(o);
	if (strcmp(verb, "train") == 0 && argc == 1)
		return spam_train(o);
	if (strcmp(verb, "rules") == 0 && argc == 1)
		return spam_rules_show(o);
	if (strcmp(verb, "history") == 0 && argc == 2)
		return spam_history(o, argv[1]);
	if (strcmp(verb, "lists") == 0 && argc == 1)
		return spam_lists(o);
	return verb_fails(EX_USAGE, "spam: check MESSAGE, feeds, learn, train, "
	    "rules, history ADDRESS, lists or accounts is wanted; gatehouse "
	    "spam --help says more");
}

/* False: there is no such option. */
static bool
take_option(struct spam_options *o, int c)
{
	switch (c) {
	case 'c': o->config = optarg; break;
	case 'd': o->state = optarg; break;
	case 'm': o->model = optarg; break;
	case 'o': o->output = optarg; break;
	case 's': o->spam = optarg; break;
	case 'h': o->ham = optarg; break;
	case 'b': o->bits = (unsigned)strtoul(optarg, NULL, 10); break;
	case 'f': o->forget = true; break;
	case 'e': o->evaluate = true; break;
	case 'y': o->by = optarg; break;
	case 'B': o->base = optarg; break;
	case 'q': o->quarantine = true; break;
	case 'n': o->if_needed = true; break;
	case 'R': o->site_rules = optarg; break;
	case 't': o->test = optarg; break;
	case 'S': o->scores = optarg; break;
	case 'a': o->all = true; break;
	case 'k': o->check = true; break;
	case 'F': o->force = true; break;
	case 'j': o->json = true; break;
	default: return false;
	}
	return true;
}

int
verb_spam(int argc, char **argv, struct arena *a)
{
	struct spam_options o = { .a = a, .out = buf_in(a),
	    .bits = train_defaults.bits };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'H')
			return help();
		if (!take_option(&o, c))
			return EX_USAGE;
	}
	if (o.bits < MODEL_BITS_MIN || o.bits > MODEL_BITS_MAX)
		return verb_fails(EX_USAGE, "spam: --bits is %d to %d",
		    MODEL_BITS_MIN, MODEL_BITS_MAX);
	c = run(&o, argc - optind, argv + optind);
	spam_rules_free(o.rules);
	return c;
}
