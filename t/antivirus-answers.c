/* What clamd and ICAP servers say, read; and the entries of `engines`. */
#include <string.h>

#include "milters/antivirus-multiscan/clamd_answer.h"
#include "milters/antivirus-multiscan/engines.h"
#include "milters/antivirus-multiscan/icap_answer.h"
#include "t/tap.h"

static struct arena *arena;

/* ---- clamd ---- */

static const struct {
	const char *reply;
	enum scan_end end;
	const char *text;
} clamd[] = {
	{ "fd[10]: OK", SCAN_CLEAN, "" },
	{ "stream: OK", SCAN_CLEAN, "" },
	{ "stream: Win.Test.EICAR_HDB-1 FOUND", SCAN_INFECTED,
	    "Win.Test.EICAR_HDB-1" },
	{ "/a: b: Name with blanks FOUND", SCAN_INFECTED,
	    "b: Name with blanks" },
	{ "fd[9]: Heuristics.Limits.Exceeded.MaxFileSize FOUND", SCAN_CUT,
	    "Heuristics.Limits.Exceeded.MaxFileSize" },
	{ "fd[9]: Heuristics.Encrypted.Zip FOUND", SCAN_LOCKED,
	    "Heuristics.Encrypted.Zip" },
	{ "INSTREAM size limit exceeded. ERROR", SCAN_CUT,
	    "INSTREAM size limit exceeded." },
	{ "stream: Time limit reached ERROR", SCAN_CUT,
	    "Time limit reached" },
	{ "stream: Bad format or broken data ERROR", SCAN_REFUSED,
	    "Bad format or broken data" },
	{ "fd[9]: Can't open file or directory ERROR", SCAN_DOWN,
	    "Can't open file or directory" },
	{ "stream: Can't allocate memory ERROR", SCAN_DOWN,
	    "Can't allocate memory" },
	{ "COMMAND READ TIMED OUT", SCAN_DOWN, "its answer is none" },
	{ "UNKNOWN COMMAND", SCAN_DOWN, "its answer is none" },
	{ "OK", SCAN_DOWN, "its answer is none" },
	{ "", SCAN_DOWN, "its answer is none" },
	{ "stream:OK", SCAN_DOWN, "its answer is none" },
	{ "stream: ok", SCAN_DOWN, "its answer is none" },
	{ "stream: NOT OK", SCAN_DOWN, "its answer is none" },
	{ "stream: OK\nstream: Eicar FOUND", SCAN_DOWN,
	    "its answer is none" },
	{ "stream:  FOUND", SCAN_DOWN, "its answer is none" },
	{ " ERROR", SCAN_DOWN, "" },
};

static void
test_clamd(void)
{
	for (size_t i = 0; i < sizeof clamd / sizeof clamd[0]; i++) {
		struct scan scan;

		clamd_answer_scan(slice_of(clamd[i].reply), &scan);
		tap_is_int(scan.end, clamd[i].end, "clamd: \"%s\"",
		    clamd[i].reply);
		tap_is(scan.text, slice_of(clamd[i].text), "and its text");
	}
}

static void
test_version(void)
{
	static const struct {
		const char *reply;
		bool good;
		int64_t newest;
	} cases[] = {
		{ "ClamAV 1.4.6/27512/Thu Nov 26 09:30:12 2026", true,
		    1795685412 },
		{ "ClamAV 1.4.6", true, 0 },
		{ "ClamAV 1.4.6/27512/not a date", true, 0 },
		{ "ClamAV 1.4.6/x/Thu Nov 26 09:30:12 2026", false, 0 },
		{ "UNKNOWN COMMAND", false, 0 },
		{ "", false, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct engine_status status = { .up = true };

		tap_ok(clamd_answer_version(slice_of(cases[i].reply),
		    &status) == cases[i].good, "version \"%s\"",
		    cases[i].reply);
		if (cases[i].good)
			tap_is_int(status.newest, cases[i].newest,
			    "and its date");
	}
}

/* ---- ICAP ---- */

#define SENT	"hello"
#define ECHOED	"Encapsulated: res-hdr=0, res-body=19\r\n\r\n" \
	"HTTP/1.1 200 OK\r\n\r\n"

static const struct {
	const char *name, *bytes;
	enum icap_got got;
	enum scan_end end;
	const char *text;
} icap[] = {
	{ "not changed", "ICAP/1.0 204 No modifications needed\r\n"
	    "ISTag: \"x\"\r\n\r\n", ICAP_WHOLE, SCAN_CLEAN, "" },
	{ "half a head", "ICAP/1.0 204 No modif", ICAP_MORE, SCAN_DOWN,
	    "its answer is none" },
	{ "a name", "ICAP/1.0 200 OK\r\nX-Infection-Found: Type=0; "
	    "Resolution=2; Threat=Eicar-Test;\r\n\r\n", ICAP_WHOLE,
	    SCAN_INFECTED, "Eicar-Test" },
	{ "a name counts whatever the status", "ICAP/1.0 204 OK\r\n"
	    "X-Virus-ID: Eicar\r\n\r\n", ICAP_WHOLE, SCAN_INFECTED, "Eicar" },
	{ "an infection without a name", "ICAP/1.0 200 OK\r\n"
	    "X-Infection-Found: Type=0\r\n\r\n", ICAP_WHOLE, SCAN_INFECTED,
	    "unnamed" },
	{ "a container that was too much", "ICAP/1.0 200 OK\r\n"
	    "X-Infection-Found: Type=2; Resolution=0; Threat=Bomb\r\n\r\n",
	    ICAP_WHOLE, SCAN_CUT, "Bomb" },
	{ "a limit by its name", "ICAP/1.0 200 OK\r\nX-Virus-ID: "
	    "Heuristics.Limits.Exceeded.MaxScanSize\r\n\r\n", ICAP_WHOLE,
	    SCAN_CUT, "Heuristics.Limits.Exceeded.MaxScanSize" },
	{ "violations, folded", "ICAP/1.0 200 OK\r\nX-Violations-Found: 1\r\n"
	    "\tfile.zip\r\n\tEicar-Test\r\n\t0\r\n\t0\r\n\r\n", ICAP_WHOLE,
	    SCAN_INFECTED, "Eicar-Test" },
	{ "no violations", "ICAP/1.0 204 OK\r\nX-Violations-Found: 0\r\n\r\n",
	    ICAP_WHOLE, SCAN_CLEAN, "" },
	{ "an HTTP error inside", "ICAP/1.0 200 OK\r\n"
	    "Encapsulated: res-hdr=0, res-body=26\r\n\r\n"
	    "HTTP/1.1 403 Forbidden\r\n\r\n", ICAP_WHOLE, SCAN_INFECTED,
	    "unnamed, refused" },
	{ "the same bytes", "ICAP/1.0 200 OK\r\n" ECHOED
	    "5\r\n" SENT "\r\n0\r\n\r\n", ICAP_WHOLE, SCAN_CLEAN, "" },
	{ "the same in two chunks", "ICAP/1.0 200 OK\r\n" ECHOED
	    "2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", ICAP_WHOLE, SCAN_CLEAN,
	    "" },
	{ "the same, not all there", "ICAP/1.0 200 OK\r\n" ECHOED
	    "5\r\nhel", ICAP_MORE, SCAN_DOWN, "its answer is none" },
	{ "the same without an end", "ICAP/1.0 200 OK\r\n" ECHOED
	    "5\r\n" SENT "\r\n", ICAP_MORE, SCAN_DOWN,
	    "its answer is none" },
	{ "others", "ICAP/1.0 200 OK\r\n" ECHOED "5\r\nhellO\r\n0\r\n\r\n",
	    ICAP_WHOLE, SCAN_INFECTED, "unnamed, changed" },
	{ "fewer", "ICAP/1.0 200 OK\r\n" ECHOED "4\r\nhell\r\n0\r\n\r\n",
	    ICAP_WHOLE, SCAN_INFECTED, "unnamed, changed" },
	{ "more", "ICAP/1.0 200 OK\r\n" ECHOED "ffffffff\r\nhello",
	    ICAP_WHOLE, SCAN_INFECTED, "unnamed, changed" },
	{ "a chunk of no number", "ICAP/1.0 200 OK\r\n" ECHOED "x\r\n",
	    ICAP_BROKEN, SCAN_DOWN, "its answer is none" },
	{ "a chunk of too large a number", "ICAP/1.0 200 OK\r\n" ECHOED
	    "fffffffffffffffffff\r\n", ICAP_BROKEN, SCAN_DOWN,
	    "its answer is none" },
	{ "nothing inside", "ICAP/1.0 200 OK\r\n"
	    "Encapsulated: null-body=0\r\n\r\n", ICAP_WHOLE, SCAN_DOWN,
	    "it encapsulates nothing" },
	{ "the body was taken away", "ICAP/1.0 200 OK\r\n"
	    "Encapsulated: res-hdr=0, null-body=19\r\n\r\n"
	    "HTTP/1.1 200 OK\r\n\r\n", ICAP_WHOLE, SCAN_INFECTED,
	    "unnamed, removed" },
	{ "no such service", "ICAP/1.0 404 Service not found\r\n\r\n",
	    ICAP_WHOLE, SCAN_DOWN, "it has no such service" },
	{ "overloaded", "ICAP/1.0 503 Service overloaded\r\n\r\n", ICAP_WHOLE,
	    SCAN_DOWN, "it is overloaded" },
	{ "100 without a preview", "ICAP/1.0 100 Continue\r\n\r\n",
	    ICAP_BROKEN, SCAN_DOWN, "its answer is none" },
	{ "HTTP", "HTTP/1.1 200 OK\r\n\r\n", ICAP_BROKEN, SCAN_DOWN,
	    "its answer is none" },
	{ "garbage", "\x01\x02\x03\x04\x05\x06", ICAP_BROKEN, SCAN_DOWN,
	    "its answer is none" },
	{ "a status of four digits", "ICAP/1.0 2040\r\n\r\n", ICAP_BROKEN,
	    SCAN_DOWN, "its answer is none" },
};

static void
test_icap(void)
{
	struct icap_answer r;

	for (size_t i = 0; i < sizeof icap / sizeof icap[0]; i++) {
		tap_is_int(icap_answer_read(slice_of(icap[i].bytes),
		    SLICE(SENT), &r), icap[i].got, "ICAP: %s", icap[i].name);
		tap_is_int(r.scan.end, icap[i].end, "is");
		tap_is(r.scan.text, slice_of(icap[i].text), "says");
	}
	tap_is_int(icap_answer_read(SLICE("ICAP/1.0 200 OK\r\nMethods: "
	    "RESPMOD\r\nService: C-ICAP\r\nISTag: \"a\"\r\n\r\n"), SLICE(""),
	    &r), ICAP_WHOLE, "options");
	tap_is(r.methods, SLICE("RESPMOD"), "have methods");
	tap_is(r.service, SLICE("C-ICAP"), "and a service");
	tap_is(r.istag, SLICE("\"a\""), "and a tag");
	tap_is_int(r.scan.end, SCAN_DOWN, "and are no verdict");
}

/* ---- entries ---- */

static const struct {
	const char *entry, *name;
	enum engine_type type;
	const char *host;
	unsigned port;
	const char *service;
} right[] = {
	{ "clamav", "clamav", ENGINE_CLAMAV, NULL, 0, NULL },
	{ "clamd", "clamd", ENGINE_CLAMD, "/run/clamav/clamd.ctl", 3310,
	    NULL },
	{ "clamd:/tmp/a.sock", "clamd", ENGINE_CLAMD, "/tmp/a.sock", 3310,
	    NULL },
	{ "two=clamd:10.0.0.1:99", "two", ENGINE_CLAMD, "10.0.0.1", 99, NULL },
	{ "clamd-stream:[2001:db8::1]", "clamd-stream", ENGINE_CLAMD_STREAM,
	    "2001:db8::1", 3310, NULL },
	{ "icap:av.example.org/virus_scan?x=1", "icap", ENGINE_ICAP,
	    "av.example.org", 1344, "virus_scan?x=1" },
	{ "b.2=icaps:[::1]:5/av", "b.2", ENGINE_ICAPS, "::1", 5, "av" },
	{ "command:/bin/scan it", "command", ENGINE_COMMAND, "/bin/scan it",
	    0, NULL },
};

static const char *const wrong[] = { "", "clam", "clamav:/x", "clamd:",
	"clamd:host:0", "clamd:host:65536", "clamd:host:x", "clamd:a b",
	"clamd:[::1", "clamd:[::1]9", "icap:host", "icap:host/",
	"icap:/service", "icap:host/a b", "icap:ho\"st/a", "command:scan",
	"command", "=clamav", "a b=clamav", "a=b=clamav",
	"icap:host\r\nX/a" };

static void
test_entries(void)
{
	struct engine_spec spec;
	struct slice why;

	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		tap_is_int(engine_spec_read(slice_of(right[i].entry), &spec,
		    arena, &why), RC_OK, "%s", right[i].entry);
		tap_is_int(spec.type, right[i].type, "its type");
		tap_is(spec.name, slice_of(right[i].name), "its name");
		tap_is_str(spec.host, right[i].host, "its host");
		tap_is_int(spec.port, right[i].port, "its port");
		tap_is_str(spec.service, right[i].service, "its service");
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		tap_is_int(engine_spec_read(slice_of(wrong[i]), &spec, arena,
		    &why), RC_BAD, "\"%s\" is wrong", wrong[i]);
}

int
main(void)
{
	arena = arena_new();
	test_clamd();
	test_version();
	test_icap();
	test_entries();
	arena_free(arena);
	return tap_done();
}
