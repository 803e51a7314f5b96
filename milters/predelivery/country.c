#include "country.h"

#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct country {
	MMDB_s db;
};

enum rc
country_open(const char *path, struct country **country_r, struct arena *a,
    struct slice *why_r)
{
	struct country *c = mem_alloc(sizeof *c);
	int status = MMDB_open(path, MMDB_MODE_MMAP, &c->db);

	*country_r = NULL;
	if (status != MMDB_SUCCESS) {
		*why_r = arena_printf(a, "%s: %s; name a database of countries "
		    "in MaxMind's format", path, status == MMDB_IO_ERROR ||
		    status == MMDB_FILE_OPEN_ERROR ? "cannot be read" :
		    MMDB_strerror(status));
		free(c);
		return RC_BAD;
	}
	*country_r = c;
	return RC_OK;
}

static bool
lookup(const struct country *c, const struct ip *ip,
    MMDB_lookup_result_s *result_r)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	const struct sockaddr *to = (const struct sockaddr *)&v6;
	int error;

	if (ip->family == AF_INET) {
		memcpy(&v4.sin_addr, ip->bytes, 4);
		to = (const struct sockaddr *)&v4;
	} else if (ip->family == AF_INET6) {
		memcpy(&v6.sin6_addr, ip->bytes, 16);
	} else {
		return false;
	}
	*result_r = MMDB_lookup_sockaddr(&c->db, to, &error);
	return error == MMDB_SUCCESS && result_r->found_entry;
}

struct slice
country_of(const struct country *c, const struct ip *ip, struct arena *a)
{
	MMDB_lookup_result_s found;
	MMDB_entry_data_s data;

	if (c == NULL || !lookup(c, ip, &found))
		return SLICE("unknown");
	if (MMDB_get_value(&found.entry, &data, "country", "iso_code",
	    NULL) != MMDB_SUCCESS || !data.has_data ||
	    data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size != 2)
		return SLICE("unknown");
	return arena_copy(a, slice_make(data.utf8_string, 2));
}

void
country_close(struct country *c)
{
	if (c == NULL)
		return;
	MMDB_close(&c->db);
	free(c);
}
