/*
 * doctor-machine - what is judged of clock and disks; pure
 *
 * clock_judge	what the kernel says of its clock (adjtimex(2): its return
 *		value, its status and its estimate of the error in us), and
 *		what it says the time is
 * disk_judge	of a file system: bytes and inodes, free of all; need is what
 *		must fit at least
 */
#ifndef TOOLS_DOCTOR_MACHINE_H
#define TOOLS_DOCTOR_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

enum clock_fault { CLOCK_RIGHT, CLOCK_YEAR, CLOCK_ADRIFT, CLOCK_OFF };

enum clock_fault clock_judge(int64_t now, int state, int status,
    int64_t error_us);

struct disk_room {
	uint64_t free, all, inodes_free, inodes;
};

/* Any of them, together. */
enum { DISK_SMALL = 1, DISK_LOW = 2, DISK_INODES = 4 };

unsigned disk_judge(const struct disk_room *room, uint64_t need);

#endif
