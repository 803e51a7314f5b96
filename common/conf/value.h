/*
 * value - one setting of libconfig's becomes one field of ours
 *
 * value_read	checks the setting against the option's kind and bounds and
 *		stores it in *field; on RC_BAD *why_r says what is wrong and
 *		what would be right, *line_r where (a line of libconfig's text)
 * value_text	a setting as it stands in a file, always the same way
 * value_wants	"a whole number from 1 to 10000": what an option takes
 * value_written the default as it stands in a file
 *
 * Only this room uses it.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include <libconfig.h>

#include "conf/conf.h"

enum rc value_read(struct arena *a, const struct conf_option *o,
    const config_setting_t *s, void *field, struct slice *why_r,
    unsigned *line_r);
struct slice value_text(struct arena *a, const config_setting_t *s);
struct slice value_wants(struct arena *a, const struct conf_option *o);
struct slice value_written(struct arena *a, const struct conf_option *o);

#endif
