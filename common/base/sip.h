/*
 * sip - SipHash-1-3 (Aumasson and Bernstein, "SipHash", 2012)
 *
 * A hash under a secret, so that nobody outside can choose keys that collide.
 * Not for signatures: 64 bits, and few rounds. The same on every machine of
 * one byte order.
 *
 * sip_secret	16 fresh random bytes; without getrandom(2) the clock, which
 *		still differs from process to process
 * sip_hash	of any bytes
 */
#ifndef BASE_SIP_H
#define BASE_SIP_H

#include "base/slice.h"

void sip_secret(uint64_t secret_r[2]);
uint64_t sip_hash(const uint64_t secret[2], struct slice bytes);

#endif
