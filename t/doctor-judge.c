/* What doctor judges without looking: clocks, disks, queues; and children. */
#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <unistd.h>

#include "t/tap.h"
#include "tools/child.h"
#include "tools/doctor-machine.h"
#include "tools/doctor-queue.h"
#include "tools/doctor.h"
#include "tools/verb.h"

enum { NOW = 1795600000 };

static const struct {
	const char *what;
	int64_t now;
	int state, status;
	int64_t error;
	enum clock_fault want;
} clocks[] = {
	{ "right", NOW, TIME_OK, STA_PLL, 500, CLOCK_RIGHT },
	{ "1970", 0, TIME_OK, STA_PLL, 500, CLOCK_YEAR },
	{ "2000", 946684800, TIME_OK, STA_PLL, 500, CLOCK_YEAR },
	{ "2200", 7258118400, TIME_OK, STA_PLL, 500, CLOCK_YEAR },
	{ "nobody sets it", NOW, TIME_ERROR, STA_UNSYNC, 0, CLOCK_ADRIFT },
	{ "as the status has it", NOW, TIME_OK, STA_UNSYNC, 0, CLOCK_ADRIFT },
	{ "a leap second is no fault", NOW, TIME_INS, STA_INS, 0,
	  CLOCK_RIGHT },
	{ "two seconds off", NOW, TIME_OK, STA_PLL, 2000000, CLOCK_RIGHT },
	{ "more than that", NOW, TIME_OK, STA_PLL, 2000001, CLOCK_OFF },
};

static const struct {
	const char *what;
	struct disk_room room;
	uint64_t need;
	unsigned want;
} disks[] = {
	{ "room", { 500, 1000, 500, 1000 }, 100, 0 },
	{ "a message does not fit", { 99, 100, 1, 1 }, 100, DISK_SMALL },
	{ "just so", { 100, 1000, 500, 1000 }, 100, 0 },
	{ "below a tenth", { 99, 1000, 500, 1000 }, 10, DISK_LOW },
	{ "few inodes", { 500, 1000, 49, 1000 }, 10, DISK_INODES },
	{ "no inodes to count", { 500, 1000, 0, 0 }, 10, 0 },
	{ "all of it", { 0, 1000, 0, 1000 }, 10, DISK_SMALL | DISK_INODES },
	{ "sizes that would overflow", { UINT64_MAX, UINT64_MAX, 1, 1 },
	  UINT64_MAX, 0 },
};

static void
judged(void)
{
	for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++)
		tap_is_int(clock_judge(clocks[i].now, clocks[i].state,
		    clocks[i].status, clocks[i].error), clocks[i].want,
		    "clock: %s", clocks[i].what);
	for (size_t i = 0; i < sizeof disks / sizeof *disks; i++)
		tap_is_int(disk_judge(&disks[i].room, disks[i].need),
		    disks[i].want, "disk: %s", disks[i].what);
}

static bool
count(struct slice line, void *arg)
{
	size_t *n = arg;

	*n = *n * 10 + line.len;
	return line.len < 9;
}

static void
queued(void)
{
	static const char text[] =
	    "{\"queue_name\":\"hold\",\"queue_id\":\"A\",\"arrival_time\":5}\n"
	    "{\"queue_name\":\"hold\",\"queue_id\":\"B\",\"arrival_time\":3}\n"
	    "{\"queue_name\":\"deferred\",\"queue_id\":\"C\","
	    "\"arrival_time\":10}\n"
	    "{\"queue_name\":\"deferred\",\"queue_id\":\"D\","
	    "\"arrival_time\":20}\n"
	    "{\"queue_name\":\"active\",\"queue_id\":\"E\","
	    "\"arrival_time\":1}\n"
	    "no JSON\n{\"queue_name\":5}\n[]\n{\"queue_name\":\"hold\"}\n";
	struct queue_count q = { .old_before = 15 };
	struct child_lines lines = { .max = QUEUE_LINE, .line = queue_line,
	    .arg = &q };

	/* Byte by byte: pieces may end anywhere. */
	for (size_t i = 0; i < sizeof text - 1; i++)
		child_lines(slice_make(text + i, 1), &lines);
	child_lines_end(&lines);
	tap_is_int((long long)q.messages, 5, "five messages");
	tap_ok(q.held == 2 && q.oldest_held == 3 &&
	    strcmp(q.held_id, "B") == 0, "the oldest of those on hold");
	tap_ok(q.deferred == 2 && q.deferred_old == 1 &&
	    q.oldest_deferred == 10, "one of the deferred ones is old");
	tap_is_int((long long)q.active, 1, "one is under way");
}

static void
lined(void)
{
	size_t n = 0;
	struct child_lines lines = { .max = 9, .line = count, .arg = &n };

	tap_ok(child_lines(SLICE("a\n\nbb\ncc"), &lines), "lines and a half");
	tap_is_int((long long)n, 102, "whole ones were told");
	tap_ok(child_lines(SLICE("ccccccccc\ndd"), &lines), "one too long");
	child_lines_end(&lines);
	tap_is_int((long long)n, 1022, "is passed over; the last one was told");
	lines = (struct child_lines){ .max = 9, .line = count, .arg = &n };
	tap_ok(!child_lines(SLICE("123456789\nx\n"), &lines), "enough");
	child_lines_end(&lines);
}

static void
ran(void)
{
	const char *const say[] = { "sh", "-c", "echo out; echo err >&2; "
	    "exit 3", NULL };
	const char *const sleeps[] = { "sleep", "60", NULL };
	const char *const leaves[] = { "sh", "-c", "sleep 60 >/dev/null 2>&1 "
	    "& echo $!", NULL };
	const char *const none[] = { "/nonexistent", NULL };
	const char *const much[] = { "yes", NULL };
	struct arena *a = arena_new();
	struct child c = { .argv = say };
	struct slice why = SLICE("");
	size_t n = 0;
	struct child_lines lines = { .max = 9, .line = count, .arg = &n };

	tap_ok(child_run(&c, deadline_in(20000), a, &why) == RC_OK &&
	    c.status == 3, "it ran");
	tap_is(c.out, SLICE("out\n"), "what it said");
	tap_is(c.err, SLICE("err\n"), "and complained of");
	c = (struct child){ .argv = sleeps };
	tap_is_int(child_run(&c, deadline_in(50), a, &why), RC_RETRY,
	    "one that does not end is ended");
	tap_is(why, SLICE("sleep did not end in time"), "and that is said");
	c = (struct child){ .argv = leaves };
	tap_is_int(child_run(&c, deadline_in(20000), a, &why), RC_OK,
	    "one that leaves a child behind");
	for (int i = 0; i < 500 && access(arena_printf(a, "/proc/%.*s/cwd",
	    SLICE_ARG(slice_trim(c.out))).ptr, F_OK) == 0; i++)
		usleep(10000);
	tap_ok(readlink(arena_printf(a, "/proc/%.*s/exe", SLICE_ARG(slice_trim(
	    c.out))).ptr, (char[10]){ 0 }, 9) < 0, "takes it along");
	c = (struct child){ .argv = none };
	tap_is_int(child_run(&c, deadline_in(20000), a, &why), RC_RETRY,
	    "one that is not there");
	c = (struct child){ .argv = much, .take = child_lines,
	    .arg = &lines };
	lines.max = 0;
	lines.line = count;
	tap_is_int(child_run(&c, deadline_in(200), a, &why), RC_RETRY,
	    "one that never stops speaking");
	child_lines_end(&lines);
	arena_free(a);
}

/* --- checks that misbehave ----------------------------------------------- */

static const struct doctor_kind kinds[] = {
	{ "fault", DOCTOR_WARNING, "why" }, { NULL, 0, NULL }
};

static void
hangs(struct doctor_report *r)
{
	doctor_say(r, 0, NULL, "not told");
	sleep(60);
}

static void
crashes(struct doctor_report *r)
{
	(void)r;
	_exit(9);
}

static void
speaks(struct doctor_report *r)
{
	for (int i = 0; i < DOCTOR_FINDINGS + 5; i++)
		doctor_say(r, 0, "type", "fault %d", i);
	doctor_saw(r, "this");
}

static void
misbehaved(void)
{
	static const struct doctor_check checks[] = {
		{ "hangs", "hangs", kinds, 0, hangs },
		{ "crashes", "crashes", kinds, 0, crashes },
		{ "speaks", "speaks", kinds, 0, speaks },
		{ "house", "wants a house", kinds, DOCTOR_HOUSE, speaks },
	};
	const struct doctor_check *list[] = { &checks[0], &checks[1],
	    &checks[2], &checks[3] };
	struct arena *a = arena_new();
	struct doctor_report *r = arena_array(a, 4, sizeof *r);
	struct doctor d = { .patience = 2000, .until = deadline_in(2000),
	    .house_why = SLICE("no file"), .postfix_why = SLICE("") };
	struct buf out = buf_in(a);

	doctor_run(&d, list, 4, r, a);
	tap_ok(r[0].nfindings == 1 && strcmp(r[0].findings[0].id, "late") == 0,
	    "a check that hangs is ended, and that is told");
	tap_ok(r[1].nfindings == 1 && strcmp(r[1].findings[0].id, "died") == 0,
	    "so is one that dies");
	tap_ok(r[2].nfindings == DOCTOR_FINDINGS && r[2].more == 5,
	    "only so many findings are told, and how many more");
	tap_is(r[2].findings[1].what, SLICE("fault 1"), "what one says");
	tap_is(r[2].findings[1].type, SLICE("type"), "and what to type");
	tap_is(buf_slice(&r[2].saw), SLICE("this\n"), "and what it saw");
	tap_ok(r[3].nfindings == 1 &&
	    strcmp(r[3].findings[0].id, "unseen") == 0,
	    "what cannot be looked at is said");
	tap_is_int(doctor_worst(r, 4), DOCTOR_WARNING,
	    "a fault counts more than what was not seen");
	tap_is_int(doctor_worst(r, 2), DOCTOR_UNKNOWN, "which counts as well");
	doctor_text(&out, r, 4, true);
	tap_ok(slice_search(buf_slice(&out), SLICE("speaks: and 5 more\n")) <
	    out.len, "text says how many more");
	arena_free(a);
}

static void
quoted(void)
{
	struct arena *a = arena_new();
	struct doctor_report r = { .arena = a };

	tap_is_str(doctor_shell(&r, SLICE("/etc/x-1.y:z=@")),
	    "/etc/x-1.y:z=@", "a plain word stays");
	tap_is_str(doctor_shell(&r, SLICE("a b")), "'a b'", "a blank");
	tap_is_str(doctor_shell(&r, SLICE("it's $x")), "'it'\\''s $x'",
	    "quotes and dollars");
	tap_is_str(doctor_shell(&r, SLICE("")), "''", "nothing");
	arena_free(a);
}

int
main(void)
{
	judged();
	queued();
	lined();
	ran();
	misbehaved();
	quoted();
	return tap_done();
}
