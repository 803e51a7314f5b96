/* gatehouse directory: who has a mailbox here, from where that is known. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tools/directory-sync.h"
#include "tools/verb.h"

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "json", no_argument, NULL, 'j' },
	{ "force-shrink", no_argument, NULL, 'f' },
	{ "sample", no_argument, NULL, 's' },
	{ "source-sample", no_argument, NULL, 'S' },
	{ "manual", no_argument, NULL, 'm' },
	{ "source-manual", no_argument, NULL, 'M' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse directory sync [--dry-run] [--force-shrink] "
	    "[OPTION]...\n"
	    "       gatehouse directory check [FILE]\n"
	    "       gatehouse directory show ADDRESS\n"
	    "\n"
	    "sync reads the sources that directory.conf names and makes the "
	    "directory file and\n"
	    "Postfix's maps of them, all at once or nothing. check reads a "
	    "directory file and\n"
	    "says what is wrong. show prints what the directory has of an "
	    "address.\n"
	    "\n"
	    "  --dry-run        say what would change, record by record, and "
	    "change nothing\n"
	    "  --force-shrink   this once, whatever number of addresses goes\n"
	    "  --json           one JSON object\n"
	    "  --config DIR     instead of " SYSCONFDIR "/gatehouse\n"
	    "  --sample, --source-sample\n"
	    "                   print a commented directory.conf, a source's "
	    "file\n"
	    "\n"
	    "Exit status 75: not now; 78: the configuration or a source is "
	    "wrong, or a sync\n"
	    "would remove too much. Nothing was changed then. check: 65, the "
	    "file is wrong.");
	return EX_OK;
}

/* --- the words ---------------------------------------------------------- */

static int
open_file(struct sync *s, const char **path_r)
{
	bool current = s->word[0] == 's' || s->argument == NULL;
	int status = current ? directory_load(s) : EX_OK;

	if (status != EX_OK)
		return status;
	*path_r = current ? directory_current(&s->house, s->a, "directory") :
	    s->argument;
	s->fd = open(*path_r, O_RDONLY | O_CLOEXEC);
	return s->fd >= 0 ? EX_OK : verb_fails(EX_NOINPUT, "%s: %s", *path_r,
	    strerror(errno));
}

/* check: all of it; show: the record of that address. */
static int
read_file(struct sync *s)
{
	struct scope_match match = { false, '\0' };
	struct slice wanted = SLICE_NONE, why = SLICE("");
	struct directory_reader *d;
	struct directory_record r;
	const char *path = "";
	size_t n = 0;
	bool more = false, show = s->word[0] == 's';
	int status;
	enum rc rc;

	if (show)
		wanted = scope_address(s->a, slice_of(s->argument), match);
	if (show && wanted.ptr == NULL)
		return verb_fails(EX_USAGE, "directory show %s: no address",
		    s->argument);
	status = open_file(s, &path);
	if (status != EX_OK)
		return status;
	d = directory_open(s->fd, path);
	while ((rc = directory_next(d, &r, &more, &why)) == RC_OK && more) {
		n++;
		if (show && r.kind >= DIRECTORY_USER &&
		    slice_eq(r.key, wanted))
			directory_line(&s->line, &r);
	}
	if (rc != RC_OK)
		status = verb_fails(rc == RC_BAD ? EX_DATAERR : EX_NOINPUT,
		    "%.*s", SLICE_ARG(verb_safe(s->a, why)));
	else if (!show)
		buf_addf(&s->out, "%s: %zu records, right\n", path, n);
	else if (s->line.len == 0)
		status = verb_fails(EXIT_UNEXPECTED, "directory: there is no "
		    "%.*s", SLICE_ARG(wanted));
	directory_show(s, "\n  ");
	buf_free(&s->line);
	directory_close(d);
	close(s->fd);
	return status != EX_OK ? status : verb_print(&s->out);
}

static int
options(bool source, bool manual)
{
	const struct conf_section sections[] = { { source ?
	    directory_source_options : directory_options, NULL },
	    { NULL, NULL } };

	return verb_options(source ? "directory.d/NAME.conf: a source of "
	    "gatehouse directory" : "gatehouse directory", sections, manual);
}

static int
take_option(struct sync *s, int c)
{
	switch (c) {
	case 'c': s->config = optarg; break;
	case 'n': s->dry = true; break;
	case 'j': s->json = true; break;
	case 'f': s->force = true; break;
	case 's': s->sample = true; break;
	case 'S': s->source_sample = true; break;
	case 'm': s->manual = true; break;
	case 'M': s->source_manual = true; break;
	case 'h': s->help = true; break;
	default: return EX_USAGE;
	}
	return EX_OK;
}

static int
words(struct sync *s, int argc, char **argv)
{
	bool sync, show;

	if (optind == argc)
		return verb_fails(EX_USAGE, "directory: sync, check or show is "
		    "wanted; gatehouse directory --help says more");
	s->word = argv[optind];
	s->argument = optind + 1 < argc ? argv[optind + 1] : NULL;
	sync = strcmp(s->word, "sync") == 0;
	show = strcmp(s->word, "show") == 0;
	if (!sync && !show && strcmp(s->word, "check") != 0)
		return verb_fails(EX_USAGE, "directory: no such word: %s",
		    s->word);
	if (argc - optind > (sync ? 1 : 2))
		return verb_fails(EX_USAGE, "directory: no such argument: %s",
		    argv[argc - 1]);
	if (show && s->argument == NULL)
		return verb_fails(EX_USAGE, "directory show: an address is "
		    "wanted");
	return sync ? directory_sync(s) : read_file(s);
}

int
verb_directory(int argc, char **argv, struct arena *a)
{
	struct sync *s = arena_alloc(a, sizeof *s);
	int c, status = EX_OK;

	s->a = a;
	s->fd = -1;
	s->state.fd = s->state.lock = -1;
	s->out = buf_in(a);
	json_init(&s->w, &s->out);
	optind = 1;
	while (status == EX_OK &&
	    (c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		status = take_option(s, c);
	if (status != EX_OK)
		return status;
	if (s->help)
		return help();
	if (s->sample || s->manual)
		return options(false, s->manual);
	if (s->source_sample || s->source_manual)
		return options(true, s->source_manual);
	return words(s, argc, argv);
}
