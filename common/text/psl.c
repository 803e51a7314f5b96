#include "text/psl.h"

#include <errno.h>
#include <libpsl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 253, KEPT = 64, KEPT_NAME = 62 };

struct suffixes {
	psl_ctx_t *ctx;
	uint64_t number;		/* of no other one in this process */
};

/* What this thread asked last: a message has the same few names again and
 * again, and libpsl takes thousands of steps for each. */
static _Thread_local struct kept {
	uint64_t number;		/* of the list; 0: nothing is kept */
	unsigned char len, org;		/* bytes before the organisation; len:
					   there is none */
	char name[KEPT_NAME];
} kept[KEPT];

static _Atomic uint64_t numbers;

struct suffixes *
suffixes_open(const char *path, struct arena *a, struct slice *why_r)
{
	bool named = path != NULL && *path != '\0';
	struct suffixes *list;
	psl_ctx_t *ctx;

	errno = 0;
	ctx = named ? psl_load_file(path) : psl_latest(NULL);
	if (ctx == NULL) {
		*why_r = arena_printf(a, "no public suffix list in %s%s%s",
		    named ? path : "libpsl", errno != 0 ? ": " : "",
		    errno != 0 ? strerror(errno) : "");
		return NULL;
	}
	/* It reads any file at all as a list without rules. libpsl counts
	 * the rules of texts only: -1 for compiled ones. */
	if (psl_suffix_count(ctx) == 0) {
		*why_r = arena_printf(a, "%s holds no public suffix",
		    named ? path : "libpsl");
		psl_free(ctx);
		return NULL;
	}
	list = mem_alloc(sizeof *list);
	list->ctx = ctx;
	list->number = atomic_fetch_add(&numbers, 1) + 1;
	return list;
}

static struct slice
ask(const struct suffixes *list, struct slice domain)
{
	char name[NAME + 1];
	const char *org;

	if (domain.len == 0 || domain.len > NAME ||
	    slice_has(domain, '\0'))
		return SLICE_NONE;
	memcpy(name, domain.ptr, domain.len);
	name[domain.len] = '\0';
	org = psl_registrable_domain(list != NULL ? list->ctx : psl_builtin(),
	    name);
	if (org == NULL)
		return SLICE_NONE;
	return slice_after(domain, (size_t)(org - name));
}

/* Its place in what is kept: any will do. */
static struct kept *
place_of(struct slice domain)
{
	uint32_t h = 0;

	for (size_t i = 0; i < domain.len; i++)
		h = h * 31 + (unsigned char)domain.ptr[i];
	return &kept[(h ^ h >> 8) % KEPT];
}

struct slice
suffixes_org(const struct suffixes *list, struct slice domain)
{
	struct kept *k;
	struct slice org;

	if (list == NULL || domain.len == 0 || domain.len > KEPT_NAME)
		return ask(list, domain);
	k = place_of(domain);
	if (k->number == list->number && slice_eq(domain,
	    slice_make(k->name, k->len)))
		return k->org == k->len ? SLICE_NONE :
		    slice_after(domain, k->org);
	org = ask(list, domain);
	k->number = list->number;
	k->len = (unsigned char)domain.len;
	k->org = (unsigned char)(org.ptr == NULL ? domain.len :
	    domain.len - org.len);
	memcpy(k->name, domain.ptr, domain.len);
	return org;
}

bool
suffixes_known(const struct suffixes *list, struct slice domain)
{
	const psl_ctx_t *ctx = list != NULL ? list->ctx : psl_builtin();
	size_t dot = slice_find_last(domain, '.');
	char name[NAME + 1];

	if (dot < domain.len)
		domain = slice_after(domain, dot + 1);
	if (domain.len == 0 || domain.len > NAME || slice_has(domain, '\0'))
		return false;
	memcpy(name, domain.ptr, domain.len);
	name[domain.len] = '\0';
	return psl_is_public_suffix2(ctx, name,
	    PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
}

void
suffixes_close(struct suffixes *list)
{
	if (list == NULL)
		return;
	psl_free(list->ctx);
	free(list);
}
