/* Text, and what is text: markup, scripts, what leads elsewhere. */
#include "base/buf.h"
#include "filetype/look.h"
#include "text/utf8.h"

enum { HEAD = 4096, ODD = 200, PAIRS = 256 };

enum wide { NARROW, LITTLE, BIG };

/* UTF-16, by its mark; without one, when each second byte is 0 and no other. */
static enum wide
wideness(struct slice s)
{
	size_t pairs = s.len / 2 < PAIRS ? s.len / 2 : PAIRS;
	size_t even = 0, odd = 0;

	if (slice_starts(s, SLICE("\377\376")))
		return LITTLE;
	if (slice_starts(s, SLICE("\376\377")))
		return BIG;
	for (size_t i = 0; i < pairs; i++) {
		even += s.ptr[2 * i] == '\0';
		odd += s.ptr[2 * i + 1] == '\0';
	}
	if (pairs < 4 || even + odd < pairs - pairs / 8)
		return NARROW;
	return even == 0 ? LITTLE : odd == 0 ? BIG : NARROW;
}

/* UTF-16 is text too; its ASCII is enough to know it by. */
static size_t
narrowed(struct slice bytes, bool big, char out[HEAD])
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < bytes.len && n < HEAD; i += 2) {
		char high = bytes.ptr[big ? i : i + 1];

		out[n++] = high == '\0' ? bytes.ptr[big ? i + 1 : i] : '?';
	}
	return n;
}

/* No NUL, and hardly a control that is not of text. */
static bool
readable(struct slice s)
{
	size_t odd = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == '\0')
			return false;
		if (c < ' ' && c != '\t' && c != '\n' && c != '\r' &&
		    c != '\f' && c != 0x1b && c != 0x1a && c != '\b')
			odd++;
	}
	return odd * ODD <= s.len;
}

static bool
finds(struct slice s, const char *word)
{
	struct slice w = slice_of(word);

	for (size_t i = 0; i + w.len <= s.len; i++)
		if (ascii_lower(s.ptr[i]) == word[0] &&
		    slice_eq_nocase(slice_sub(s, i, w.len), w))
			return true;
	return false;
}

static bool
any(struct slice s, const char *const *words)
{
	for (; *words != NULL; words++)
		if (finds(s, *words))
			return true;
	return false;
}

/* ---- begins with ---- */

static const struct { const char *start, *name; } starts[] = {
	{ "#!/usr/bin/env node", "javascript" }, { "#!", "script" },
	{ "<?php", "php" }, { "<%@", "script" },
	{ "Windows Registry Editor Version", "reg" }, { "REGEDIT4", "reg" },
	{ "@echo off", "batch" }, { "@ECHO OFF", "batch" },
	{ "@set ", "batch" },
	{ "#@~^", "encoded-script" },
	{ "[InternetShortcut]", "url" }, { "[Desktop Entry]", "url" },
	{ "[{000214A0-0000-0000-C000-000000000046}]", "url" },
	{ "[Shell]", "wsf" }, { "[Script]", "wsf" },
	{ "WEB\n", "iqy" }, { "WEB\r\n", "iqy" }, { "ID;P", "iqy" },
	{ "BEGIN:VCALENDAR", "ics" }, { "BEGIN:VCARD", "vcard" },
	{ "WEBVTT", "vtt" },
	{ "-----BEGIN PGP", "pgp-armor" }, { "-----BEGIN ", "pem" },
	{ "%!PS", "postscript" },
	{ "(This file must be converted with BinHex", "binhex" },
	{ "begin 6", "uue" }, { "begin 7", "uue" }, { "begin-base64 ", "uue" },
	{ "solid ", "stl" },
	{ "# Disk DescriptorFile", "vmdk" },
	{ "From ", "mbox" },
	{ "Return-Path:", "mail" }, { "Received:", "mail" },
	{ "Delivered-To:", "mail" }, { "MIME-Version:", "mail" },
};

static const char *
by_start(struct slice s)
{
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		if (slice_starts(s, slice_of(starts[i].start)))
			return starts[i].name;
	return NULL;
}

/* ---- words in it ---- */

static const char *const html_words[] = { "<!doctype html", "<html", "<head",
    "<body", "<iframe", "<script", "<title", "<table", "<meta", NULL };
static const char *const hta_words[] = { "<hta:application", NULL };
static const char *const wsf_words[] = { "<job", "<package>", "<scriptlet",
    "<component", NULL };
static const char *const search_words[] = { "<persistedquery",
    "<librarydescription", "<searchconnectordescription",
    "<settingcontent", "settingcontent>", NULL };
static const char *const vbs_words[] = { "createobject(", "wscript.",
    "on error resume next", "createobject (", NULL };
static const char *const js_words[] = { "new activexobject",
    "wscript.createobject", "eval(function(", "string.fromcharcode(", NULL };
static const char *const ps_words[] = { "invoke-expression", "iex(", "iex (",
    "new-object net.webclient", "new-object system.net.webclient",
    "frombase64string(", "invoke-webrequest", "[cmdletbinding()]", NULL };

/* What runs when a browser shows it; links alone are no script. */
static const char *const active_words[] = { "<script", "javascript:",
    "onload=", "onerror=", "<iframe", "<object", "<embed", "<applet",
    "http-equiv=\"refresh", "http-equiv=refresh", "onclick=",
    "onmouseover=", "<foreignobject", NULL };

static const char *
by_markup(struct slice s, struct slice all, unsigned *classes)
{
	bool xml = slice_starts(s, SLICE("<?xml"));

	if (any(s, hta_words))
		return "hta";
	if (any(s, search_words))
		return "search-ms";
	if (xml && any(s, wsf_words) && finds(s, "<script"))
		return "wsf";
	if (!xml && (slice_starts_nocase(s, SLICE("<job")) ||
	    slice_starts_nocase(s, SLICE("<package"))) && finds(s, "<script"))
		return "wsf";
	if (finds(s, "<svg") && (xml || slice_starts_nocase(s, SLICE("<svg")) ||
	    slice_starts_nocase(s, SLICE("<!doctype svg")))) {
		*classes |= any(all, active_words) ? FILETYPE_HTML_ACTIVE : 0;
		return "svg";
	}
	if (any(s, html_words)) {
		*classes |= any(all, active_words) ? FILETYPE_HTML_ACTIVE : 0;
		return "html";
	}
	return xml ? "xml" : NULL;
}

static const char *
by_words(struct slice s)
{
	if (any(s, js_words))
		return "javascript";
	if (any(s, vbs_words))
		return "vbscript";
	return any(s, ps_words) ? "powershell" : NULL;
}

/* An object or a list, from the first sign to the last (RFC 8259, 2). */
static bool
is_json(struct slice all)
{
	struct slice s = slice_trim(all), within;
	char first = s.len > 1 ? s.ptr[0] : '\0';

	if ((first != '{' && first != '[') ||
	    s.ptr[s.len - 1] != (first == '{' ? '}' : ']'))
		return false;
	within = slice_trim(slice_sub(s, 1, s.len - 2));
	if (within.len == 0)
		return true;
	return within.ptr[0] == '"' || (first == '[' &&
	    slice_has(SLICE("{[-0123456789"), within.ptr[0]));
}

static const char *
kind_of(struct slice s, struct slice all, unsigned *classes)
{
	const char *name = by_start(s);

	s = slice_sub(s, 0, HEAD);
	if (name == NULL && slice_starts(s, SLICE("<")))
		name = by_markup(s, all, classes);
	if (name == NULL && any(slice_sub(s, 0, 256), html_words)) {
		*classes |= any(all, active_words) ? FILETYPE_HTML_ACTIVE : 0;
		name = "html";
	}
	if (name == NULL)
		name = by_words(s);
	return name == NULL && is_json(all) ? "json" : name;
}

const char *
look_text(struct slice bytes, unsigned *classes)
{
	char narrow[HEAD];
	struct slice s = bytes;
	const char *name;

	if (wideness(s) != NARROW) {
		s = slice_make(narrow, narrowed(bytes, wideness(s) == BIG,
		    narrow));
		if (slice_starts(s, SLICE("?")))
			s = slice_after(s, 1);	/* the mark */
		bytes = s;
	} else if (slice_starts(s, SLICE("\357\273\277"))) {
		s = slice_after(s, 3);
	}
	if (!readable(s))
		return NULL;
	while (s.len > 0 && ascii_space(s.ptr[0]))
		s = slice_after(s, 1);
	name = kind_of(s, bytes, classes);
	return name != NULL ? name : "text";
}
