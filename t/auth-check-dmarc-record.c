/*
 * The DMARC record's syntax (RFC 9989, 4.6 to 4.8; RFC 7489, 6.2 to 6.4),
 * report destinations (RFC 9990, 4), and the public suffix list.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "milters/auth-check/dmarc_record.h"
#include "milters/auth-check/spf_name.h"
#include "text/psl.h"
#include "milters/auth-check/spf_name.h"
#include "t/tap.h"

static struct arena *arena;

#define IN(lit)	{ "" lit, sizeof (lit) - 1 }

static struct slice
printed(struct slice s)
{
	return spf_printable(arena, s, 100);
}

/* ---- is it one? (4.7, v) ---- */

static const struct {
	struct slice txt;
	bool want;
} versions[] = {
	{ IN("v=DMARC1"), true },
	{ IN("v=DMARC1;"), true },
	{ IN("v=DMARC1;p=none"), true },
	{ IN("v=DMARC1 ; p=none"), true },
	{ IN("v = DMARC1;p=none"), true },
	{ IN("V=DMARC1; p=none"), true },
	{ IN("v\t=\tDMARC1\t;"), true },
	{ IN(""), false },
	{ IN("v=dmarc1; p=none"), false },
	{ IN("v=Dmarc1; p=none"), false },
	{ IN("v=DMARC1p=none"), false },
	{ IN("v=DMARC1 p=none"), false },
	{ IN("v=DMARC1, p=none"), false },
	{ IN("v=DMARC 1; p=none"), false },
	{ IN("v=DMARC10; p=none"), false },
	{ IN("v=DMARC1\n; p=none"), false },
	{ IN("v=DMARC1\0; p=none"), false },
	{ IN(" v=DMARC1; p=none"), false },
	{ IN(";v=DMARC1; p=none"), false },
	{ IN("\"v=DMARC1; p=none\""), false },
	{ IN("p=none; v=DMARC1"), false },
	{ IN("vv=DMARC1; p=none"), false },
	{ IN("v=\xef\xbb\xbf" "DMARC1; p=none"), false },
	{ IN("v=spf1 -all"), false },
	{ IN("v"), false },
	{ IN("v="), false },
};

static void
check_versions(void)
{
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		tap_ok(dmarc_record_is(versions[i].txt) == versions[i].want,
		    "\"%.*s\" is %s", SLICE_ARG(printed(versions[i].txt)),
		    versions[i].want ? "a record" : "none");
}

/* ---- what it says (4.7, 4.8) ---- */

static void
render_uris(struct buf *b, const char *tag, const struct dmarc_uri *u)
{
	for (; u != NULL; u = u->next) {
		buf_addf(b, " %s=%.*s", tag, SLICE_ARG(u->text));
		if (u->address.ptr != NULL)
			buf_addf(b, "(%.*s,%.*s)", SLICE_ARG(u->address),
			    SLICE_ARG(u->host));
		if (u->limit != 0)
			buf_addf(b, "!%llu", (unsigned long long)u->limit);
	}
}

static struct slice
render(const struct dmarc_record *r)
{
	struct buf b = buf_in(arena);

	buf_addf(&b, "%s%s/%s%s/%s%s", dmarc_policy_name(r->p),
	    r->has_p ? "" : "?", dmarc_policy_name(r->sp),
	    r->has_sp ? "" : "?", dmarc_policy_name(r->np),
	    r->has_np ? "" : "?");
	buf_adds(&b, r->strict_dkim ? " adkim=s" : "");
	buf_adds(&b, r->strict_spf ? " aspf=s" : "");
	buf_adds(&b, r->psd == DMARC_PSD_Y ? " psd=y" :
	    r->psd == DMARC_PSD_N ? " psd=n" : "");
	buf_adds(&b, r->testing ? " t=y" : "");
	if (r->pct != 100)
		buf_addf(&b, " pct=%u", r->pct);
	if (r->ri != 86400)
		buf_addf(&b, " ri=%u", (unsigned)r->ri);
	if (r->fo != 0)
		buf_addf(&b, " fo=%u", r->fo);
	render_uris(&b, "rua", r->rua);
	render_uris(&b, "ruf", r->ruf);
	if (r->faults != 0)
		buf_addf(&b, " faults=%u", r->faults);
	return buf_slice(&b);
}

static const struct {
	struct slice txt;
	const char *want;
} records[] = {
	{ IN("v=DMARC1; p=reject"), "reject/reject?/reject?" },
	{ IN("v=DMARC1; p=reject; sp=none"), "reject/none/none?" },
	{ IN("v=DMARC1; p=none; np=reject"), "none/none?/reject" },
	{ IN("v=DMARC1; p=QUARANTINE; sp=Reject; np=nOne"),
	  "quarantine/reject/none" },
	{ IN("v=DMARC1"), "none?/none?/none? faults=1" },
	{ IN("v=DMARC1; p="), "none?/none?/none? faults=2" },
	{ IN("v=DMARC1; p=; p=reject"), "none?/none?/none? faults=34" },
	{ IN("v=DMARC1; p=rejected"), "none?/none?/none? faults=2" },
	{ IN("v=DMARC1; p=reject; sp=x; np=y"),
	  "reject/reject?/reject? faults=12" },
	{ IN("v=DMARC1; p=reject; sp; np"),
	  "reject/reject?/reject? faults=12" },
	{ IN("v=DMARC1; p=none; p=reject; sp=none; sp=x"),
	  "none/none/none? faults=32" },
	{ IN("v=DMARC1; p=none; v=DMARC1"), "none/none?/none? faults=32" },
	{ IN("v=DMARC1; adkim=s; aspf=S; p=none"),
	  "none/none?/none? adkim=s aspf=s" },
	{ IN("v=DMARC1; adkim=strict; aspf=r; p=none"),
	  "none/none?/none? faults=16" },
	{ IN("v=DMARC1; p=none; psd=y"), "none/none?/none? psd=y" },
	{ IN("v=DMARC1; p=none; psd=N; t=Y"), "none/none?/none? psd=n t=y" },
	{ IN("v=DMARC1; p=none; psd=u; t=n"), "none/none?/none?" },
	{ IN("v=DMARC1; p=none; psd=yes; t=1"),
	  "none/none?/none? faults=16" },
	{ IN("v=DMARC1; p=none; t=\0"), "none/none?/none? faults=16" },
	{ IN("v=DMARC1; p=none; pct=0"), "none/none?/none? pct=0" },
	{ IN("v=DMARC1; p=none; pct=007"), "none/none?/none? pct=7" },
	{ IN("v=DMARC1; p=none; pct=101"), "none/none?/none? faults=16" },
	{ IN("v=DMARC1; p=none; pct=-1"), "none/none?/none? faults=16" },
	{ IN("v=DMARC1; p=none; pct=50%"), "none/none?/none? faults=16" },
	{ IN("v=DMARC1; p=none; ri=3600"), "none/none?/none? ri=3600" },
	{ IN("v=DMARC1; p=none; ri=4294967296"),
	  "none/none?/none? faults=16" },
	{ IN("v=DMARC1; p=none; rf=afrf; x=y; longname=z"),
	  "none/none?/none?" },
	{ IN("v=DMARC1; p=none; junk; =x; ;;  "),
	  "none/none?/none? faults=64" },
	{ IN("v=DMARC1; p=none; \xc3\xbc=1; p\xc3\xbc=reject"),
	  "none/none?/none? faults=64" },
	{ IN("v=DMARC1; p=none\xc3\xbc"), "none?/none?/none? faults=2" },
	{ IN("v=DMARC1; p=none\n; sp=reject"),
	  "none?/reject/reject? faults=2" },
	{ IN("v=DMARC1; p=none\0; sp=reject"),
	  "none?/reject/reject? faults=2" },
	{ IN("v=DMARC1;p=none;fo=1"), "none/none?/none?" },
	{ IN("v=DMARC1;p=none;ruf=mailto:f@x.example"),
	  "none/none?/none? fo=1 ruf=mailto:f@x.example"
	  "(f@x.example,x.example)" },
	{ IN("v=DMARC1;p=none;fo=1:d:s;ruf=mailto:f@x.example"),
	  "none/none?/none? fo=14 ruf=mailto:f@x.example"
	  "(f@x.example,x.example)" },
	{ IN("v=DMARC1;p=none;fo= 0 : D ;ruf=mailto:f@x.example"),
	  "none/none?/none? fo=5 ruf=mailto:f@x.example"
	  "(f@x.example,x.example)" },
	{ IN("v=DMARC1;p=none;fo=9:q;ruf=mailto:f@x.example"),
	  "none/none?/none? fo=1 ruf=mailto:f@x.example"
	  "(f@x.example,x.example) faults=16" },
	{ IN("v=DMARC1;p=none;rua=mailto:a@x.example, mailto:b@y.example!10m"),
	  "none/none?/none? rua=mailto:a@x.example(a@x.example,x.example) "
	  "rua=mailto:b@y.example(b@y.example,y.example)!10485760" },
};

static void
check_records(void)
{
	struct dmarc_record r;

	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		dmarc_record_read(arena, records[i].txt, &r);
		tap_is(render(&r), slice_of(records[i].want), "%.*s",
		    SLICE_ARG(printed(records[i].txt)));
	}
}

/* ---- report addresses (4.6; RFC 7489, 6.2) ---- */

static const struct {
	struct slice list;
	const char *want;
} uris[] = {
	{ IN("mailto:a@x.example"), " u=mailto:a@x.example"
	  "(a@x.example,x.example)" },
	{ IN("MailTo:A@X.Example"), " u=MailTo:A@X.Example"
	  "(A@X.Example,x.example)" },
	{ IN("mailto:a%2Cb@x.example"), " bad" },
	{ IN("mailto:a%2Bb@x.example"), " u=mailto:a%2Bb@x.example"
	  "(a+b@x.example,x.example)" },
	{ IN("mailto:a%21b@x.example"), " u=mailto:a%21b@x.example"
	  "(a!b@x.example,x.example)" },
	{ IN("mailto:a@x.example?subject=y"),
	  " u=mailto:a@x.example?subject=y(a@x.example,x.example)" },
	{ IN("mailto:a@x.example!50k"), " u=mailto:a@x.example"
	  "(a@x.example,x.example)!51200" },
	{ IN("mailto:a@x.example!1G"), " u=mailto:a@x.example"
	  "(a@x.example,x.example)!1073741824" },
	{ IN("mailto:a@x.example!1t"), " u=mailto:a@x.example"
	  "(a@x.example,x.example)!1099511627776" },
	{ IN("mailto:a@x.example!20000000"), " u=mailto:a@x.example"
	  "(a@x.example,x.example)!20000000" },
	{ IN("mailto:a@x.example!16777216t"), " bad" },
	{ IN("mailto:a@x.example!m"), " bad" },
	{ IN("mailto:a@x.example!"), " bad" },
	{ IN("mailto:a@x.example!10mb"), " bad" },
	{ IN("mailto:a@x.example!1!2"), " bad" },
	{ IN("https://x.example/dmarc?a=b"),
	  " u=https://x.example/dmarc?a=b" },
	{ IN(" mailto:a@x.example , mailto:b@y.example "),
	  " u=mailto:a@x.example(a@x.example,x.example)"
	  " u=mailto:b@y.example(b@y.example,y.example)" },
	{ IN("a@x.example"), " bad" },
	{ IN("a@x.example,mailto:b@y.example"),
	  " u=mailto:b@y.example(b@y.example,y.example) bad" },
	{ IN("mailto:a@x.example,,"), " u=mailto:a@x.example"
	  "(a@x.example,x.example) bad" },
	{ IN("mailto:a@x.example mailto:b@y.example"), " bad" },
	{ IN("mailto:"), " bad" },
	{ IN("mailto:a"), " bad" },
	{ IN("mailto:@x.example"), " bad" },
	{ IN("mailto:a@"), " bad" },
	{ IN("mailto:a@b@x.example"), " bad" },
	{ IN("mailto:a@[192.0.2.1]"), " bad" },
	{ IN("mailto:a@x..example"), " bad" },
	{ IN("mailto:a%0a@x.example"), " bad" },
	{ IN("mailto:a%00@x.example"), " bad" },
	{ IN("mailto:a%20b@x.example"), " bad" },
	{ IN("mailto:a%zz@x.example"), " bad" },
	{ IN("mailto:a@x.example%"), " bad" },
	{ IN("mailto:a@b\xc3\xbc.example"), " bad" },
	{ IN("mailto:%22a%22@x.example"), " bad" },
	{ IN("1mailto:a@x.example"), " bad" },
	{ IN(":a@x.example"), " bad" },
	{ IN("mail to:a@x.example"), " bad" },
	{ IN("mailto:<a@x.example>"), " bad" },
};

static void
check_uris(void)
{
	for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
		struct buf b = buf_in(arena);
		bool faults;

		render_uris(&b, "u", dmarc_uris_read(arena, uris[i].list,
		    &faults));
		buf_adds(&b, faults ? " bad" : "");
		tap_is(buf_slice(&b), slice_of(uris[i].want), "%.*s",
		    SLICE_ARG(uris[i].list));
	}
}

static void
check_uri_count(void)
{
	struct buf b = buf_in(arena);
	struct dmarc_uri *u;
	size_t n = 0;
	bool faults;

	for (int i = 0; i < 5000; i++)
		buf_addf(&b, "mailto:a%d@x.example,", i);
	for (u = dmarc_uris_read(arena, buf_slice(&b), &faults); u != NULL;
	    u = u->next)
		n++;
	tap_is_int((long long)n, DMARC_URIS, "no more than so many addresses");
	tap_ok(faults, "and that is a fault");
}

/* ---- what it stands for (4.10.1) ---- */

static const struct {
	const char *txt;
	bool good9989, good7489;
	enum dmarc_policy p;
} settled[] = {
	{ "v=DMARC1; p=reject", true, true, DMARC_REJECT },
	{ "v=DMARC1; p=reject; np=x", false, true, DMARC_REJECT },
	{ "v=DMARC1; p=reject; sp=x", false, false, DMARC_NO_POLICY },
	{ "v=DMARC1; p=reject; sp=x; rua=mailto:a@b.c", true, true,
	  DMARC_NO_POLICY },
	{ "v=DMARC1; rua=mailto:a@b.c", true, true, DMARC_NO_POLICY },
	{ "v=DMARC1; p=x; rua=https://x.example/", true, true,
	  DMARC_NO_POLICY },
	{ "v=DMARC1; p=x; ruf=mailto:a@b.c", false, false, DMARC_NO_POLICY },
	{ "v=DMARC1; p=x; rua=a@b.c", false, false, DMARC_NO_POLICY },
};

static void
check_settled(void)
{
	struct dmarc_record r;

	for (size_t i = 0; i < sizeof settled / sizeof *settled; i++) {
		dmarc_record_read(arena, slice_of(settled[i].txt), &r);
		tap_ok(dmarc_record_settle(&r, DMARC_RFC9989) ==
		    settled[i].good9989, "%s by RFC 9989", settled[i].txt);
		dmarc_record_read(arena, slice_of(settled[i].txt), &r);
		tap_ok(dmarc_record_settle(&r, DMARC_RFC7489) ==
		    settled[i].good7489 && r.p == settled[i].p,
		    "%s by RFC 7489", settled[i].txt);
	}
}

/* ---- reports to others (RFC 9990, 4) ---- */

static void
check_reports(void)
{
	struct slice name, label = SLICE("a234567890123456789012345678901234567"
	    "890123456789012345678901234567.");
	struct buf b = buf_in(arena);

	tap_ok(dmarc_report_name(arena, SLICE("sender.example"),
	    SLICE("report.example"), &name) == RC_OK, "a name to ask");
	tap_is(name, SLICE("sender.example._report._dmarc.report.example"),
	    "which it is");
	for (int i = 0; i < 4; i++)
		buf_add(&b, slice_after(label, 20));
	buf_adds(&b, "example");
	tap_ok(dmarc_report_name(arena, buf_slice(&b), buf_slice(&b), &name) ==
	    RC_BAD, "too long a name");
}

/* ---- size ---- */

static void
check_size(const char *name, const char *once)
{
	struct buf b = { 0 };
	struct dmarc_record r;
	int64_t begin;

	buf_adds(&b, "v=DMARC1; p=reject; ");
	while (b.len < 65536)
		buf_adds(&b, once);
	begin = clock_mono_us();
	dmarc_record_read(arena, buf_slice(&b), &r);
	begin = clock_mono_us() - begin;
	if (!tap_ok(r.has_p && begin < 200000, "64 kB of %s", name))
		tap_diag("%lld us", (long long)begin);
	buf_free(&b);
}

/* ---- the public suffix list ---- */

static const struct {
	const char *domain, *org;
} orgs[] = {
	{ "com", NULL },
	{ "example.com", "example.com" },
	{ "a.b.example.com", "example.com" },
	{ "co.uk", NULL },
	{ "a.shop.co.uk", "shop.co.uk" },
	{ "bar.ck", NULL },
	{ "foo.bar.ck", "foo.bar.ck" },
	{ "x.foo.bar.ck", "foo.bar.ck" },
	{ "www.ck", "www.ck" },
	{ "a.www.ck", "www.ck" },
	{ "b.kobe.jp", NULL },
	{ "a.b.kobe.jp", "a.b.kobe.jp" },
	{ "city.kobe.jp", "city.kobe.jp" },
	{ "x.city.kobe.jp", "city.kobe.jp" },
	{ "pages.example", NULL },
	{ "me.pages.example", "me.pages.example" },
	{ "unknown", NULL },
	{ "a.b.unknown", "b.unknown" },
	{ "xn--3e0b707e", NULL },
	{ "a.b.xn--3e0b707e", "b.xn--3e0b707e" },
	{ "", NULL },
};

static void
check_list(void)
{
	char path[4096];
	struct slice why = SLICE("");
	struct suffixes *list;
	bool again = true;

	snprintf(path, sizeof path, "%s/t/dmarc/suffixes", tap_src());
	list = suffixes_open(path, arena, &why);
	if (!tap_ok(list != NULL, "a list of our own"))
		return;
	for (size_t i = 0; i < sizeof orgs / sizeof *orgs; i++)
		tap_is(suffixes_org(list, slice_of(orgs[i].domain)),
		    slice_of(orgs[i].org), "%s", orgs[i].domain);
	for (size_t i = 0; i < sizeof orgs / sizeof *orgs; i++)
		again = again && slice_eq(suffixes_org(list, slice_of(
		    orgs[i].domain)), slice_of(orgs[i].org));
	tap_ok(again, "and the same when asked again");
	suffixes_org(list, SLICE("a.b.example.co.uk"));
	suffixes_close(list);
}

static void
check_bad_list(void)
{
	char path[] = "/tmp/gatehouse-psl-XXXXXX";
	struct slice why = SLICE("");
	struct suffixes *list;
	int fd = mkstemp(path);

	tap_ok(suffixes_open("/no/such/list", arena, &why) == NULL,
	    "no such file");
	tap_is(why, SLICE("no public suffix list in /no/such/list: "
	    "No such file or directory"), "and why");
	if (fd < 0 || write(fd, "// nothing\n", 11) != 11)
		tap_ok(false, "%s", path);
	close(fd);
	list = suffixes_open(path, arena, &why);
	tap_ok(list == NULL, "a list without rules");
	suffixes_close(list);
	unlink(path);
}

static void
check_builtin(void)
{
	struct slice why = SLICE("");
	struct suffixes *list = suffixes_open("", arena, &why);

	if (!tap_ok(list != NULL, "the distribution's list"))
		return;
	tap_is(suffixes_org(list, SLICE("a.b.example.co.uk")),
	    SLICE("example.co.uk"), "knows co.uk");
	tap_is(suffixes_org(list, SLICE("me.github.io")),
	    SLICE("me.github.io"), "and its private section");
	suffixes_close(list);
}

int
main(void)
{
	arena = arena_new();
	check_versions();
	check_records();
	check_uris();
	check_uri_count();
	check_settled();
	check_reports();
	check_size("semicolons", ";");
	check_size("policies", "p=reject;");
	check_size("addresses", "rua=mailto:a@b.c,mailto:a@b.c,");
	check_size("percents", "rua=mailto:%25%25%25%25%25%25%25@b.c;");
	check_size("options", "fo=0:1:d:s:");
	check_size("equals", "=");
	check_list();
	check_bad_list();
	check_builtin();
	arena_free(arena);
	return tap_done();
}
