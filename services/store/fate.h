/*
 * fate - did Postfix refuse the message after a filter held it?
 *
 * fate_refused		true only when it is known. Without gatehouse-track
 *			nothing is ever known, and held mail stays held
 */
#ifndef STORE_FATE_H
#define STORE_FATE_H

#include "daemon/service.h"

bool fate_refused(struct service_run *run, struct slice queue_id,
    int64_t time);

#endif
