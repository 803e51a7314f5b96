#include "t/policy-stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/compile.h"

static const char *const modes[] = { "off", "low", "high", NULL };

#define AT(field)	offsetof(struct stage_one, field)
#define AT2(field)	offsetof(struct stage_two, field)

const struct conf_option stage_one_options[] = {
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },
	{ "count", CONF_COUNT | CONF_SCOPED, AT(count), "5", 1, 10000, "",
	  NULL },
	{ "time", CONF_TIME | CONF_SCOPED, AT(time), "1s", 0, 0, "", NULL },
	{ "list", CONF_LIST | CONF_SCOPED, AT(list), "a", 0, 100, "", NULL },
	{ "text", CONF_STRING | CONF_SCOPED | CONF_FORM, AT(text), "t", 0,
	  1000, "", NULL },
	{ "mode", CONF_ENUM | CONF_SCOPED, AT(mode), "low", 0, 0, "", modes },
	{ "flag", CONF_BOOL | CONF_SCOPED, AT(flag), "false", 0, 0, "", NULL },
	{ "fixed", CONF_COUNT, AT(fixed), "1", 1, 10, "", NULL },
	{ 0 }
};

const struct conf_option stage_two_options[] = {
	{ "scope", CONF_SCOPES, AT2(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },
	{ "count", CONF_COUNT | CONF_SCOPED | CONF_FORM, AT2(count), "7", 1,
	  10000, "", NULL },
	{ "nets", CONF_NETWORKS | CONF_SCOPED, AT2(nets), "", 0, 100, "",
	  NULL },
	{ 0 }
};

void
stage_open(struct stage *s)
{
	*s = (struct stage){ .arena = arena_new() };
	s->dir = arena_str(s->arena, SLICE("/tmp/gatehouse-policy-XXXXXX"));
	if (mkdtemp(s->dir) == NULL)
		abort();
	s->path = arena_printf(s->arena, "%s/map", s->dir).ptr;
}

void
stage_close(struct stage *s)
{
	unlink(s->path);
	rmdir(s->dir);
	arena_free(s->arena);
}

static int
directory(const char *records)
{
	int fd = memfd_create("directory", MFD_CLOEXEC);
	size_t n = 0;

	for (const char *p = records; *p != '\0'; p++)
		n += *p == '\n';
	if (dprintf(fd, "gatehouse-directory 1\n%s++++ %zu\n", records, n) < 0)
		abort();
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static struct slice
or_empty(const char *text)
{
	return slice_of(text != NULL ? text : "");
}

static enum rc
load(struct stage *s, const struct stage_texts *t, struct slice *why_r)
{
	const struct conf_section house[] = { { house_options, &s->house },
	    { NULL, NULL } };
	const struct conf_section one[] = { { stage_one_options, &s->one },
	    { NULL, NULL } };
	const struct conf_section two[] = { { stage_two_options, &s->two },
	    { NULL, NULL } };
	enum rc rc = conf_parse(s->arena, "gatehouse.conf", or_empty(t->house),
	    house, why_r);

	if (rc == RC_OK)
		rc = conf_parse(s->arena, "one.conf", or_empty(t->one), one,
		    why_r);
	return rc == RC_OK ? conf_parse(s->arena, "two.conf",
	    or_empty(t->two), two, why_r) : rc;
}

static enum rc
fill(struct stage *s, struct compile *c, const struct stage_texts *t,
    struct slice *why_r)
{
	enum rc rc = compile_table(c, "one", stage_one_options, s->one.scopes,
	    why_r);
	int fd;

	if (rc == RC_OK)
		rc = compile_table(c, "two", stage_two_options, s->two.scopes,
		    why_r);
	if (rc == RC_OK && t->sheet != NULL)
		rc = compile_sheet(c, "sheet", slice_of(t->sheet), why_r);
	if (rc == RC_OK && t->lists != NULL)
		rc = compile_lists(c, "lists", slice_of(t->lists), why_r);
	if (rc == RC_OK && t->directory != NULL) {
		fd = directory(t->directory);
		rc = compile_directory(c, fd, "directory", why_r);
		close(fd);
	}
	if (rc == RC_OK)
		rc = compile_resolve(c, why_r);
	return rc == RC_OK ? compile_write(c, s->path, why_r) : rc;
}

const char *
stage_compile(struct stage *s, const struct stage_texts *t)
{
	struct slice why = SLICE("");
	struct compile *c;
	const char *told = NULL;

	if (load(s, t, &why) != RC_OK)
		return arena_str(s->arena, why);
	c = compile_new(&s->house);
	if (fill(s, c, t, &why) != RC_OK)
		told = arena_str(s->arena, why);
	compile_free(c);
	/* As a daemon has them: what the sheet added is not in its file. */
	return load(s, t, &why) == RC_OK ? told : "does not load again";
}

struct policy *
stage_policy(struct stage *s, struct slice *why_r)
{
	struct policy *p = NULL;

	return policy_open(s->path, &s->house, &p, s->arena, why_r) == RC_OK ?
	    p : NULL;
}

enum rc
stage_ask(struct stage *s, const struct policy *p, const char *address,
    struct stage_one *one_r, struct policy_who *who_r)
{
	struct slice why = SLICE("");
	enum rc rc = policy_find(p, s->arena, slice_of(address), who_r);

	*one_r = s->one;
	return rc == RC_OK ? policy_settings(p, who_r, "one",
	    stage_one_options, s->one.scopes, one_r, &why) : rc;
}
