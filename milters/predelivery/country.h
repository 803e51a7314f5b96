/*
 * country - where an address is, by a database of MaxMind's format
 *
 * country_open	maps the file; RC_BAD with *why_r when there is none, when it
 *		is damaged, or knows no countries
 * country_of	"DE" (ISO 3166-1); "unknown" for an address that is in no
 *		country, for none at all, and where there is no database. In
 *		the arena, or static
 * country_close	NULL is allowed
 *
 * A new file has to take the old one's place by a rename, as geoipupdate does
 * it, and counts from the next reload on: one that is overwritten under us
 * would be read half old and half new.
 */
#ifndef PREDELIVERY_COUNTRY_H
#define PREDELIVERY_COUNTRY_H

#include "base/arena.h"
#include "base/rc.h"
#include "net/ip.h"

struct country;

enum rc country_open(const char *path, struct country **country_r,
    struct arena *a, struct slice *why_r);
struct slice country_of(const struct country *c, const struct ip *ip,
    struct arena *a);
void country_close(struct country *c);

#endif
