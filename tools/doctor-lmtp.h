/*
 * doctor-lmtp - a service that Postfix delivers to, asked as Postfix would
 *
 * doctor_service	reads NAME.conf into conf; false when it is wrong (the
 *		check config tells that)
 * doctor_lmtp	connects to its socket as Postfix's user and waits for the
 *		greeting; says the kind `down` or `silent` when there is none.
 *		The process is Postfix's user from then on
 */
#ifndef TOOLS_DOCTOR_LMTP_H
#define TOOLS_DOCTOR_LMTP_H

#include "tools/doctor.h"

bool doctor_service(struct doctor_report *r, const char *name,
    const struct conf_option *options, void *conf);
void doctor_lmtp(struct doctor_report *r, const char *name,
    const char *socket, unsigned down, unsigned silent);

#endif
