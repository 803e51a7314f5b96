/* antivirus-ask ENTRY TIMEOUT_MS FILE...: files to an engine, as configured.
 *
 * A line of its status first ("up" or "down", version, newest), then for each
 * FILE "end text", or for "test" the self-test's "passed" or "failed". LIMIT
 * and DEADLINE in the environment: bytes, and ms beyond which nothing waits;
 * CA: a file of certificates to trust. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "milters/antivirus-multiscan/engines.h"
#include "milters/antivirus-multiscan/options.h"
#include "cell/cell.h"
#include "t/tap.h"

static long long
number(const char *name, long long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? atoll(text) : otherwise;
}

static void
ask(struct engine *e, const char *path, struct arena *a)
{
	struct slice file = tap_file(path);
	struct scan_item item = { .bytes = file, .fd = cell_memfd(file) };
	struct scan scan;

	engine_scan(e, &item, deadline_in(number("DEADLINE", 20000)), a,
	    &scan);
	printf("%s %.*s\n", scan_end_name(scan.end),
	    SLICE_ARG(log_safe(a, scan.text, 300)));
	close(item.fd);
	free((void *)(uintptr_t)file.ptr);
}

static void
ask_all(struct engine *e, char **paths, struct arena *a)
{
	struct engine_status status;

	engine_status(e, a, &status);
	printf("%s %.*s newest=%lld\n", status.up ? "up" : "down",
	    SLICE_ARG(status.version), (long long)status.newest);
	for (; *paths != NULL; paths++) {
		if (strcmp(*paths, "test") == 0)
			puts(engine_test(e, deadline_in(number("DEADLINE",
			    20000))) ? "passed" : "failed");
		else
			ask(e, *paths, a);
		fflush(stdout);
	}
}

int
main(int argc, char **argv)
{
	static struct antivirus_conf conf;
	const struct conf_section sections[] = { { antivirus_options, &conf },
	    { NULL, NULL } };
	struct arena *a = arena_new();
	static struct slice entry;
	struct slice why = SLICE("usage");
	struct engine *e = NULL;
	size_t count = 0;

	log_open("antivirus-ask", "-");
	if (argc < 3 || conf_load(a, NULL, sections, &why) != RC_OK)
		return 2;
	entry = slice_of(argv[1]);
	conf.engines = (struct conf_list){ &entry, 1 };
	conf.engine_timeout = atoll(argv[2]);
	conf.self_test = 0;
	if (getenv("CA") != NULL)
		conf.icap_ca = getenv("CA");
	conf.clamd_limit = conf.icap_limit = conf.command_limit =
	    (uint64_t)number("LIMIT", 1 << 30);
	if (engines_open(&conf, &e, &count, a, &why) != RC_OK) {
		printf("not opened: %.*s\n", SLICE_ARG(why));
		return 1;
	}
	ask_all(e, argv + 3, a);
	engine_close(e);
	arena_free(a);
	return 0;
}
