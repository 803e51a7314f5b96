/*
 * clamd_answer - what clamd says (clamd(8)), without its end
 *
 * clamd_answer_scan	"fd[9]: OK", "stream: NAME FOUND", "stream: WHY ERROR".
 *		The text stands in the reply. What is none of them is no answer:
 *		SCAN_DOWN, never clean
 * clamd_answer_version	"ClamAV 1.4.6/27512/Thu Nov 26 09:30:12 2026", of which
 *		only the first is there when the daemon has no official
 *		signatures. False: it is something else. The date is read as
 *		UTC: half a day is nothing in what it is asked for
 * clamd_name_end	names that are no virus: those below
 *		Heuristics.Limits.Exceeded are a limit that was met, those below
 *		Heuristics.Encrypted a lock
 *
 * Pure; thread-safe.
 */
#ifndef ANTIVIRUS_CLAMD_ANSWER_H
#define ANTIVIRUS_CLAMD_ANSWER_H

#include "engine.h"

void clamd_answer_scan(struct slice reply, struct scan *scan_r);
bool clamd_answer_version(struct slice reply, struct engine_status *status_r);
enum scan_end clamd_name_end(struct slice name);

#endif
