/*
 * control - mail to people outside only with a named mailbox among its
 * recipients (option control_mailbox)
 *
 * Rule control-mailbox: nobody gets it. A mailbox that an earlier filter has
 * added, or taken out, counts as the envelope has it now.
 */
#ifndef ATTACHMENT_CONTROL_H
#define ATTACHMENT_CONTROL_H

#include "decide.h"

step_work step_control;

#endif
