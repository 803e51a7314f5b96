#include "track/erase.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

enum { WINDOW = 1 << 20 };

bool
erase_fit(struct slice address)
{
	if (address.len < 3 || address.len > 1000 || !slice_has(address, '@'))
		return false;
	for (size_t i = 0; i < address.len; i++) {
		unsigned char c = (unsigned char)address.ptr[i];

		if (c <= ' ' || c == 0x7f || c == '"' || c == '\\' ||
		    c == '<' || c == '>')
			return false;
	}
	return true;
}

/* May a byte beside it belong to a longer address? */
static bool
inner(char c)
{
	return ascii_alnum(c) || (unsigned char)c >= 0x80 || c == '_' ||
	    c == '+' || c == '-';
}

static bool
stands_at(const char *text, size_t len, size_t at, struct slice address)
{
	if (!slice_eq_nocase(slice_make(text + at, address.len), address))
		return false;
	if (at > 0 && (inner(text[at - 1]) || text[at - 1] == '.'))
		return false;
	at += address.len;
	/* A dot that ends a sentence is no part of a name. */
	return at >= len || (!inner(text[at]) && (text[at] != '.' ||
	    at + 1 >= len || !inner(text[at + 1])));
}

size_t
erase_in(char *text, size_t len, struct slice address)
{
	char first = ascii_lower(address.ptr[0]);
	size_t n = 0;

	for (size_t i = 0; i + address.len <= len; i++) {
		if (ascii_lower(text[i]) != first ||
		    !stands_at(text, len, i, address))
			continue;
		for (size_t j = i; j < i + address.len; j++)
			if (text[j] != '@' && text[j] != '.')
				text[j] = 'x';
		i += address.len - 1;
		n++;
	}
	return n;
}

static ssize_t
write_back(int fd, const char *text, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, text, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		text += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * In windows that overlap by twice the address's length: one on a border is
 * whole in one of them.
 */
ssize_t
erase_file(int fd, struct slice address)
{
	size_t lap = address.len * 2 + 2;
	char *room = mem_alloc(WINDOW);
	ssize_t total = 0;
	struct stat st;
	off_t at = 0;

	if (fstat(fd, &st) != 0)
		total = -1;
	while (total >= 0 && at < st.st_size) {
		off_t left = st.st_size - at;
		ssize_t n = pread(fd, room, left < WINDOW ? (size_t)left :
		    WINDOW, at);
		size_t found;

		if (n <= 0) {
			total = n < 0 ? -1 : total;
			break;
		}
		found = erase_in(room, (size_t)n, address);
		if (found > 0 && write_back(fd, room, (size_t)n, at) != 0)
			total = -1;
		else
			total += (ssize_t)found;
		if (n < WINDOW)
			break;
		at += n - (ssize_t)lap;
	}
	/* How old a journal's events are is judged by it, among others. */
	if (total > 0 && futimens(fd, (struct timespec[]){
	    { .tv_nsec = UTIME_OMIT }, st.st_mtim }) != 0)
		total = -1;
	free(room);
	return total;
}
