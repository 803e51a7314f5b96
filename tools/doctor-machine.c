/* The machine below: its clock, the disks that mail and state lie on. */
#include "tools/doctor-machine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>

#include "tools/doctor.h"

/* --- clock --------------------------------------------------------------- */

enum { YEAR, ADRIFT, OFF };

static const struct doctor_kind clock_kinds[] = {
	[YEAR] = { "year", DOCTOR_CRITICAL,
	    "Signatures look expired or not yet valid, and mail waits for a "
	    "day that is far away." },
	[ADRIFT] = { "adrift", DOCTOR_WARNING,
	    "Nobody sets this clock. When it is wrong, so are signatures, "
	    "tokens and the order of events." },
	[OFF] = { "off", DOCTOR_WARNING,
	    "Logs of several machines cannot be put in order, and tokens run "
	    "out too early or too late." },
	{ NULL, 0, NULL }
};

/* Nobody runs this before it was written, nor is it kept for a century. */
enum { FIRST_DAY = 1790000000, CENTURY = 100 * 365 * 86400LL / 86400,
    OFF_US = 2000000 };

enum clock_fault
clock_judge(int64_t now, int state, int status, int64_t error_us)
{
	if (now < FIRST_DAY || now > FIRST_DAY + CENTURY * 86400LL)
		return CLOCK_YEAR;
	if (state == TIME_ERROR || (status & STA_UNSYNC))
		return CLOCK_ADRIFT;
	return error_us > OFF_US ? CLOCK_OFF : CLOCK_RIGHT;
}

static void
run_clock(struct doctor_report *r)
{
	struct timex tx = { .modes = 0 };
	int state = adjtimex(&tx);
	time_t now = (time_t)clock_wall();
	struct tm tm;
	char text[40];

	if (gmtime_r(&now, &tm) == NULL ||
	    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		text[0] = '\0';
	switch (clock_judge(now, state, tx.status, tx.esterror)) {
	case CLOCK_YEAR:
		doctor_say(r, YEAR, "# set the clock: timedatectl set-ntp true",
		    "the clock says %s", text);
		break;
	case CLOCK_ADRIFT:
		doctor_say(r, ADRIFT, "timedatectl set-ntp true",
		    "the kernel's clock is not synchronized (status 0x%x)",
		    (unsigned)tx.status);
		break;
	case CLOCK_OFF:
		doctor_say(r, OFF, "timedatectl timesync-status",
		    "the clock may be off by %ldms", tx.esterror / 1000);
		break;
	default:
		doctor_saw(r, "%s, off by %ldms at most", text,
		    tx.esterror / 1000);
	}
}

const struct doctor_check doctor_clock = {
	"clock", "reads the clock, and whether somebody keeps it right",
	clock_kinds, 0, run_clock,
};

/* --- disk ---------------------------------------------------------------- */

enum { FULL, LOW, INODES };

static const struct doctor_kind disk_kinds[] = {
	[FULL] = { "full", DOCTOR_CRITICAL,
	    "Postfix takes no mail (452) unless one and a half of the largest "
	    "message fits; nor can we keep one." },
	[LOW] = { "low", DOCTOR_WARNING,
	    "A backlog of mail fills what is left." },
	[INODES] = { "inodes", DOCTOR_WARNING,
	    "Each message is a file: without inodes nothing can be taken, "
	    "however much room there is." },
	{ NULL, 0, NULL }
};

enum { LOW_PERCENT = 10, INODES_PERCENT = 5 };

unsigned
disk_judge(const struct disk_room *room, uint64_t need)
{
	unsigned faults = 0;

	if (room->free < need)
		faults |= DISK_SMALL;
	else if (room->free < room->all / 100 * LOW_PERCENT)
		faults |= DISK_LOW;
	/* File systems that make inodes as they go say that they have none. */
	if (room->inodes > 0 && room->inodes_free <
	    room->inodes / 100 * INODES_PERCENT)
		faults |= DISK_INODES;
	return faults;
}

static void
tell_disk(struct doctor_report *r, const char *dir,
    const struct disk_room *room, uint64_t need)
{
	const char *type = doctor_type(r, "# make room: df -h %s; du -x -d1 %s",
	    doctor_shell(r, slice_of(dir)), doctor_shell(r, slice_of(dir)));
	unsigned faults = disk_judge(room, need);

	if (faults & DISK_SMALL)
		doctor_say(r, FULL, type, "%s has %llu MB left; %llu MB must "
		    "fit", dir, (unsigned long long)room->free >> 20,
		    (unsigned long long)need >> 20);
	if (faults & DISK_LOW)
		doctor_say(r, LOW, type, "%s has %llu of %llu MB left", dir,
		    (unsigned long long)room->free >> 20,
		    (unsigned long long)room->all >> 20);
	if (faults & DISK_INODES)
		doctor_say(r, INODES, doctor_type(r, "# make room: df -i %s",
		    dir), "%s has %llu of %llu inodes left", dir,
		    (unsigned long long)room->inodes_free,
		    (unsigned long long)room->inodes);
	if (faults == 0)
		doctor_saw(r, "%s: %llu MB and %llu inodes left", dir,
		    (unsigned long long)room->free >> 20,
		    (unsigned long long)room->inodes_free);
}

static void
look_at_disk(struct doctor_report *r, const char *dir, uint64_t need,
    dev_t *seen)
{
	struct statvfs vfs;
	struct stat st;

	if (stat(dir, &st) != 0 || statvfs(dir, &vfs) != 0) {
		doctor_unseen(r, "%s: %s", dir, strerror(errno));
		return;
	}
	if (st.st_dev == *seen)
		return;
	*seen = st.st_dev;
	tell_disk(r, dir, &(struct disk_room){
	    .free = (uint64_t)vfs.f_bavail * vfs.f_frsize,
	    .all = (uint64_t)vfs.f_blocks * vfs.f_frsize,
	    .inodes_free = vfs.f_favail, .inodes = vfs.f_files }, need);
}

/* One and a half of the largest message, as smtpd(8) wants it. */
static uint64_t
largest(const struct doctor *d, struct arena *a)
{
	uint64_t ours = d->house->message_size_limit, theirs = 0;

	if (d->postfix != NULL && !slice_number(postconf_value(d->postfix,
	    NULL, "message_size_limit", a), INT64_MAX, &theirs))
		theirs = 0;
	if (theirs > ours)
		ours = theirs;
	return ours + ours / 2;
}

static void
run_disk(struct doctor_report *r)
{
	const struct house_conf *house = r->doctor->house;
	uint64_t need = largest(r->doctor, r->arena);
	dev_t seen = 0;

	look_at_disk(r, house->queue_directory, need, &seen);
	look_at_disk(r, house->state_directory, need, &seen);
}

const struct doctor_check doctor_disk = {
	"disk", "measures the room for mail and state, in bytes and inodes",
	disk_kinds, DOCTOR_HOUSE, run_disk,
};
