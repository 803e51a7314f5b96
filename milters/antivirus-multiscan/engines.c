#include "engines.h"

#include <string.h>

#include "cell/cell.h"
#include "engine_clamav.h"
#include "engine_clamd.h"
#include "engine_command.h"
#include "engine_icap.h"
#include "ledger.h"

static const struct kind {
	struct slice word;
	enum engine_type type;
	unsigned port;
	const char *right;		/* an entry as it should be */
} kinds[] = {
	{ SLICE("clamav"), ENGINE_CLAMAV, 0, "clamav" },
	{ SLICE("clamd"), ENGINE_CLAMD, 3310,
	    "clamd:/run/clamav/clamd.ctl" },
	{ SLICE("clamd-stream"), ENGINE_CLAMD_STREAM, 3310,
	    "clamd-stream:127.0.0.1:3310" },
	{ SLICE("icap"), ENGINE_ICAP, 1344,
	    "icap:127.0.0.1:1344/virus_scan" },
	{ SLICE("icaps"), ENGINE_ICAPS, 11344,
	    "icaps:scanner.example.org:11344/av" },
	{ SLICE("command"), ENGINE_COMMAND, 0,
	    "command:/usr/local/sbin/scan-item" },
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* ---- one entry ---- */

static enum rc
wrong(struct slice entry, const char *right, struct arena *a,
    struct slice *why_r)
{
	*why_r = arena_printf(a, "engines: \"%.*s\" is none; as it should be: "
	    "\"%s\"", SLICE_ARG(entry), right);
	return RC_BAD;
}

static bool
plain(struct slice s, const char *more)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_alnum(s.ptr[i]) && strchr(more, s.ptr[i]) == NULL)
			return false;
	return s.len > 0;
}

/* "host", "host:port", "[2001:db8::1]:port" */
static bool
read_host(struct slice text, struct engine_spec *spec, struct arena *a)
{
	struct slice host, port = SLICE_NONE;
	uint64_t n;

	if (slice_starts(text, SLICE("["))) {
		size_t end = slice_find(text, ']');

		if (end == text.len)
			return false;
		host = slice_sub(text, 1, end - 1);
		text = slice_after(text, end + 1);
		if (text.len > 0 && text.ptr[0] != ':')
			return false;
		port = text.len > 0 ? slice_after(text, 1) : SLICE_NONE;
	} else {
		host = slice_cut(text, ':', &port);
	}
	if (port.ptr != NULL) {
		if (!slice_number(port, 65535, &n) || n == 0)
			return false;
		spec->port = (unsigned)n;
	}
	spec->host = arena_str(a, host);
	return plain(host, ".-:%");
}

static bool
read_place(const struct kind *kind, struct slice where,
    struct engine_spec *spec, struct arena *a)
{
	struct slice service;

	switch (kind->type) {
	case ENGINE_CLAMAV:
		return where.ptr == NULL;
	case ENGINE_COMMAND:
		spec->host = arena_str(a, where);
		return slice_starts(where, SLICE("/"));
	case ENGINE_ICAP:
	case ENGINE_ICAPS:
		where = slice_cut(where, '/', &service);
		spec->service = arena_str(a, service);
		return service.ptr != NULL && plain(service, "-._~/?=&%") &&
		    read_host(where, spec, a);
	default:
		if (where.ptr == NULL)
			where = SLICE("/run/clamav/clamd.ctl");
		spec->host = arena_str(a, where);
		return slice_starts(where, SLICE("/")) ||
		    read_host(where, spec, a);
	}
}

enum rc
engine_spec_read(struct slice entry, struct engine_spec *spec_r,
    struct arena *a, struct slice *why_r)
{
	struct slice where, rest, word = slice_cut(entry, ':', &where);
	struct slice name = slice_cut(word, '=', &rest);

	if (rest.ptr != NULL)
		word = rest;
	for (size_t i = 0; i < KINDS; i++) {
		if (!slice_eq(word, kinds[i].word))
			continue;
		*spec_r = (struct engine_spec){ .type = kinds[i].type,
		    .name = arena_copy(a, name), .port = kinds[i].port };
		if (name.len > 40 || !plain(name, "-_.") ||
		    !read_place(&kinds[i], where, spec_r, a))
			return wrong(entry, kinds[i].right, a, why_r);
		return RC_OK;
	}
	*why_r = arena_printf(a, "engines: there is no kind of engine "
	    "\"%.*s\"; there are clamav, clamd, clamd-stream, icap, icaps and "
	    "command", SLICE_ARG(word));
	return RC_BAD;
}

enum rc
engines_check(const struct antivirus_conf *conf, struct arena *a,
    struct slice *why_r)
{
	struct engine_spec specs[LEDGER_ENGINES];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < conf->engines.count && rc == RC_OK; i++) {
		rc = engine_spec_read(conf->engines.items[i], &specs[i], a,
		    why_r);
		for (size_t j = 0; j < i && rc == RC_OK; j++) {
			if (!slice_eq(specs[j].name, specs[i].name))
				continue;
			*why_r = arena_printf(a, "engines has two named %.*s; "
			    "give one a name, as \"second=%.*s\"",
			    SLICE_ARG(specs[i].name),
			    SLICE_ARG(conf->engines.items[i]));
			rc = RC_BAD;
		}
	}
	return rc;
}

/* ---- opening ---- */

static enum rc
open_clamav(const struct antivirus_conf *conf, const struct engine_spec *spec,
    struct engine **e_r, struct arena *a, struct slice *why_r)
{
	const struct engine_clamav_conf clamav = {
		.name = arena_str(a, spec->name),
		.program = cell_program(a, "clamav"),
		.database = conf->clamav_database, .yara = conf->clamav_yara,
		.workers = conf->clamav_workers, .look = conf->clamav_look,
		.member_bytes = conf->member_bytes, .bytes = conf->bytes,
	};

	return engine_clamav_open(&clamav, deadline_in(conf->start), e_r, a,
	    why_r);
}

static enum rc
open_icap(const struct antivirus_conf *conf, const struct engine_spec *spec,
    struct engine **e_r, struct arena *a, struct slice *why_r)
{
	struct engine_icap_conf icap = { .name = spec->name,
	    .host = spec->host, .port = spec->port, .service = spec->service,
	    .timeout = conf->engine_timeout };

	if (spec->type == ENGINE_ICAPS) {
		icap.tls = stream_tls_new(conf->icap_ca, a, why_r);
		if (icap.tls == NULL)
			return RC_BAD;
	}
	*e_r = engine_icap_open(&icap);
	(*e_r)->limit = conf->icap_limit;
	return RC_OK;
}

static enum rc
open_command(const struct antivirus_conf *conf, const struct engine_spec *spec,
    struct engine **e_r, struct arena *a, struct slice *why_r)
{
	const struct engine_command_conf command = { .name = spec->name,
	    .program = spec->host, .workers = conf->command_workers,
	    .timeout = conf->engine_timeout };
	enum rc rc = engine_command_open(&command, e_r, a, why_r);

	if (rc == RC_OK)
		(*e_r)->limit = conf->command_limit;
	return rc;
}

static enum rc
open_one(const struct antivirus_conf *conf, const struct engine_spec *spec,
    struct engine **e_r, struct arena *a, struct slice *why_r)
{
	const struct engine_clamd_conf clamd = { .name = spec->name,
	    .host = spec->host, .port = spec->port,
	    .stream = spec->type == ENGINE_CLAMD_STREAM,
	    .timeout = conf->engine_timeout };

	switch (spec->type) {
	case ENGINE_CLAMAV:
		return open_clamav(conf, spec, e_r, a, why_r);
	case ENGINE_ICAP:
	case ENGINE_ICAPS:
		return open_icap(conf, spec, e_r, a, why_r);
	case ENGINE_COMMAND:
		return open_command(conf, spec, e_r, a, why_r);
	default:
		*e_r = engine_clamd_open(&clamd);
		(*e_r)->limit = conf->clamd_limit;
		return RC_OK;
	}
}

enum rc
engines_open(const struct antivirus_conf *conf, struct engine **out,
    size_t *count_r, struct arena *a, struct slice *why_r)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < conf->engines.count && rc == RC_OK; i++) {
		struct engine_spec spec;

		rc = engine_spec_read(conf->engines.items[i], &spec, a, why_r);
		if (rc == RC_OK)
			rc = open_one(conf, &spec, &out[i], a, why_r);
		if (rc != RC_OK)
			break;
		out[i]->keep = conf->engine_cache;
		++*count_r;
		engine_watch(out[i], conf->self_test);
	}
	return rc;
}
