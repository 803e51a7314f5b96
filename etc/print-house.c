/* Prints gatehouse.conf, or its manual's entries, from the table of the house;
 * the build writes the manual with it, and t/etc.t holds etc/ against it. A
 * daemon prints its own with --sample and --manual. */
#include <stdio.h>
#include <string.h>

#include "conf/house.h"

int
main(int argc, char **argv)
{
	static const struct conf_section sections[] = {
	    { house_options, NULL }, { NULL, NULL } };
	struct buf out = { 0 };

	if (argc == 2 && strcmp(argv[1], "--sample") == 0) {
		conf_sample(&out, "gatehouse.conf", sections);
	} else if (argc == 2 && strcmp(argv[1], "--manual") == 0) {
		conf_manual(&out, sections);
	} else {
		fprintf(stderr, "usage: print-house --sample | --manual\n");
		return 64;
	}
	fwrite(out.ptr, 1, out.len, stdout);
	buf_free(&out);
	return fflush(stdout) == 0 ? 0 : 74;
}
