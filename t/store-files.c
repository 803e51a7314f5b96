/* What clamd says of a file (services/store/files-scan.c), and where it is. */
#include "services/store/files.h"
#include "t/tap.h"

static const struct {
	const char *answer;
	enum files_scan end;
	const char *text;
} answers[] = {
	{ "fd[10]: OK", FILES_CLEAN, "OK" },
	{ "stream: OK", FILES_CLEAN, "OK" },
	{ "fd[10]: Eicar-Test FOUND", FILES_INFECTED, "Eicar-Test" },
	{ "stream: A: B FOUND", FILES_INFECTED, "A: B" },
	{ "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND",
	    FILES_TOO_LARGE, "Heuristics.Limits.Exceeded.MaxFileSize" },
	{ "stream: Heuristics.Encrypted.Zip FOUND", FILES_CLEAN,
	    "Heuristics.Encrypted.Zip" },
	{ "INSTREAM size limit exceeded. ERROR", FILES_NOT_NOW,
	    "INSTREAM size limit exceeded. ERROR" },
	{ "fd[10]: Can't allocate memory ERROR", FILES_NOT_NOW,
	    "Can't allocate memory ERROR" },
	{ "", FILES_NOT_NOW, "" },
	{ "OK then", FILES_NOT_NOW, "OK then" },
	{ "stream: NOT OK", FILES_NOT_NOW, "NOT OK" },
	{ "stream: ok", FILES_NOT_NOW, "ok" },
	{ "stream: OKFOUND", FILES_NOT_NOW, "OKFOUND" },
	{ "UNKNOWN COMMAND", FILES_NOT_NOW, "UNKNOWN COMMAND" },
};

static const struct { const char *place; enum rc rc; } places[] = {
	{ "/run/clamav/clamd.ctl", RC_OK }, { "127.0.0.1:3310", RC_OK },
	{ "[::1]:3310", RC_OK }, { "scanner.example.org:3310", RC_OK },
	{ "clamd", RC_BAD }, { "host:", RC_BAD }, { ":3310", RC_BAD },
	{ "host:0", RC_BAD }, { "host:70000", RC_BAD }, { "", RC_BAD },
};

int
main(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct slice text = SLICE("");

		tap_is_int(files_scan_answer(slice_of(answers[i].answer),
		    &text), answers[i].end, "\"%s\"", answers[i].answer);
		tap_is(text, slice_of(answers[i].text), "its words");
	}
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		struct slice why = SLICE("");

		tap_is_int(files_scanner_check(slice_of(places[i].place), a,
		    &why), places[i].rc, "\"%s\"", places[i].place);
	}
	arena_free(a);
	return tap_done();
}
