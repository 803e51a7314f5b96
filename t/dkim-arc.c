/*
 * Chains of ARC, right and wrong (RFC 8617). The groups are those of the
 * public arc_test_suite; the messages are our own.
 */
#include <stdio.h>
#include <string.h>

#include "dkim/arc.h"
#include "dkim/canon.h"
#include "dkim/sign.h"
#include "t/dkim-lab.h"
#include "t/tap.h"

#define HEAD "From: Jo <jo@d1.example>\r\nTo: list@example.org\r\n" \
	"Subject: A  chain\r\n"
#define BODY "Hello,  list.\r\n\r\nJo \r\n"
#define AAR " i=%n; lists.example.org; spf=pass smtp.mfrom=jo@d1.example"
#define AMS_OF(more, h) " i=%n; a=rsa-sha256; c=relaxed/relaxed; " \
	"d=example.org; s=sel; t=12345; h=" h "; bh=%h;" more " b=%b"
#define AMS AMS_OF("", "from:to:subject")
#define AMS_C(c) " i=%n; a=rsa-sha256;" c " d=example.org; s=sel; " \
	"h=from:to:subject; bh=%h; b=%b"
#define SEAL_OF(cv, more) " i=%n; a=rsa-sha256; cv=" cv "; d=example.org; " \
	"s=sel; t=12345;" more " b=%b"
#define NONE SEAL_OF("none", "")
#define PASS SEAL_OF("pass", "")
#define GONE "-"

enum { NOW = 1700000000 };

static struct dkim_keys *cache;

/*
 * Sets are made from texts; a missing text is a good one, GONE leaves the
 * field out. Then, where `find` stands in the header, `put` is put.
 */
static const struct {
	const char *name;
	unsigned sets;
	const char *aar1, *ams1, *as1, *aar2, *ams2, *as2;
	const char *find, *put;
	const char *body, *body_arrives;
	const char *record;
	enum arc_status want;
	const char *rule;
} cases[] = {
	{ "no sets", 0, .want = ARC_NONE, .rule = "none" },
	{ "one set", 1, .want = ARC_PASS, .rule = "pass" },
	{ "two sets", 2, .want = ARC_PASS },
	{ "three sets", 3, .want = ARC_PASS },
	{ "five sets", 5, .want = ARC_PASS },
	{ "no body", 2, .body = "", .want = ARC_PASS },

	/* cv= and what is missing */
	{ "1: no AMS", 1, .ams1 = GONE, .want = ARC_FAIL,
	    .rule = "structure" },
	{ "1: no AS", 1, .as1 = GONE, .want = ARC_FAIL, .rule = "structure" },
	{ "1: no AAR", 1, .aar1 = GONE, .want = ARC_FAIL,
	    .rule = "structure" },
	{ "1: cv=pass", 1, .as1 = PASS, .want = ARC_FAIL, .rule = "cv" },
	{ "1: cv=fail", 1, .as1 = SEAL_OF("fail", ""), .want = ARC_FAIL,
	    .rule = "cv" },
	{ "2: no AMS", 2, .ams2 = GONE, .want = ARC_FAIL,
	    .rule = "structure" },
	{ "2: no AS", 2, .as2 = GONE, .want = ARC_FAIL, .rule = "structure" },
	{ "2: no AAR", 2, .aar2 = GONE, .want = ARC_FAIL,
	    .rule = "structure" },
	{ "2: first AMS is gone", 2, .ams1 = GONE, .want = ARC_FAIL,
	    .rule = "structure" },
	{ "2: first AS is gone", 2, .as1 = GONE, .want = ARC_FAIL,
	    .rule = "structure" },
	{ "2: first AAR is gone", 2, .aar1 = GONE, .want = ARC_FAIL,
	    .rule = "structure" },
	{ "2: first set is gone", 2, .aar1 = GONE, .ams1 = GONE, .as1 = GONE,
	    .want = ARC_FAIL, .rule = "structure" },
	{ "2: cv=none", 2, .as2 = NONE, .want = ARC_FAIL, .rule = "cv" },
	{ "2: cv=fail", 2, .as2 = SEAL_OF("fail", ""), .want = ARC_FAIL,
	    .rule = "cv" },
	{ "2: first cv=pass", 2, .as1 = PASS, .want = ARC_FAIL, .rule = "cv" },
	{ "2: first cv=fail", 2, .as1 = SEAL_OF("fail", ""),
	    .want = ARC_FAIL, .rule = "cv" },

	/* Broken signatures: of the newest AMS and of each seal */
	{ "1: subject changed", 1, .find = "A  chain", .put = "A train",
	    .want = ARC_FAIL, .rule = "message" },
	{ "2: subject changed", 2, .find = "A  chain", .put = "A train",
	    .want = ARC_FAIL, .rule = "message" },
	{ "1: body changed", 1, .body_arrives = "Hello.\r\n",
	    .want = ARC_FAIL, .rule = "message" },
	{ "2: body changed", 2, .body_arrives = "Hello.\r\n",
	    .want = ARC_FAIL, .rule = "message" },
	{ "1: another From above", 1, .find = "From:", .put = "From: x@y\r\n"
	    "From:", .want = ARC_FAIL, .rule = "message" },
	{ "1: AAR changed", 1, .find = "spf=pass", .put = "spf=fail",
	    .want = ARC_FAIL, .rule = "seal" },
	{ "1: AS changed", 1, .find = "cv=none; d=example.org",
	    .put = "cv=none; d=example.net", .want = ARC_FAIL,
	    .rule = "seal" },
	{ "2: second AAR changed", 2, .find = "spf=pass", .put = "spf=none",
	    .want = ARC_FAIL, .rule = "seal" },
	{ "2: first AAR changed", 2, .aar1 = AAR ".x", .find = "example.x",
	    .put = "example.y", .want = ARC_FAIL, .rule = "seal" },
	{ "2: first AMS changed", 2, .ams1 = AMS_OF(" zz=1;", "from"),
	    .find = "zz=1", .put = "zz=2", .want = ARC_FAIL, .rule = "seal" },
	{ "2: first AS changed", 2, .as1 = SEAL_OF("none", " zz=1;"),
	    .find = "zz=1", .put = "zz=2", .want = ARC_FAIL, .rule = "seal" },
	{ "2: second AS changed", 2, .as2 = SEAL_OF("pass", " zz=1;"),
	    .find = "zz=1", .put = "zz=2", .want = ARC_FAIL, .rule = "seal" },
	{ "2: first AMS does not verify", 2, .ams1 = " i=%n; a=rsa-sha256; "
	    "d=example.org; s=sel; h=from; bh=AAAA; b=AAAA",
	    .want = ARC_PASS },
	{ "2: first AMS is malformed", 2, .ams1 = " i=%n; a=none",
	    .want = ARC_PASS },

	/* AS: the tag list */
	{ "AS: blanks around ;", 1, .as1 = " i=%n ; a=rsa-sha256 ;\r\n\t"
	    "cv=none ; d=example.org\t; s=sel ; b=%b ;", .want = ARC_PASS },
	{ "AS: blanks around =", 1, .as1 = " i = %n; a = rsa-sha256; cv = none"
	    "; d\t= example.org; s =\r\n sel; b = %b", .want = ARC_PASS },
	{ "AS: unknown tag", 1, .as1 = SEAL_OF("none", " w=catparty;"),
	    .want = ARC_PASS },
	{ "AS: invalid tag name", 1, .as1 = SEAL_OF("none", " _=x;"),
	    .want = ARC_FAIL },
	{ "AS: a tag twice", 1, .as1 = SEAL_OF("none", " d=example.org;"),
	    .want = ARC_FAIL },
	{ "AS: case of a name", 1, .as1 = " i=%n; A=rsa-sha256; cv=none; "
	    "d=example.org; s=sel; b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: case of a value", 1, .as1 = " i=%n; a=rsa-SHA256; cv=none; "
	    "d=example.org; s=sel; b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: a blank in a value", 1, .as1 = " i=%n; a=rsa -sha256; cv=none; "
	    "d=example.org; s=sel; b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: a semicolon more", 1, .as1 = SEAL_OF("none", ";"),
	    .want = ARC_FAIL },
	{ "AS: i= is missing", 1, .as1 = " a=rsa-sha256; cv=none; "
	    "d=example.org; s=sel; b=%b", .want = ARC_FAIL,
	    .rule = "structure" },
	{ "AS: i=0", 1, .as1 = " i=0; a=rsa-sha256; cv=none; d=example.org; "
	    "s=sel; b=%b", .want = ARC_FAIL, .rule = "structure" },
	{ "AS: i=51", 1, .as1 = " i=51; a=rsa-sha256; cv=none; d=example.org;"
	    " s=sel; b=%b", .want = ARC_FAIL, .rule = "structure" },
	{ "AS: i=a", 1, .as1 = " i=a; a=rsa-sha256; cv=none; d=example.org; "
	    "s=sel; b=%b", .want = ARC_FAIL, .rule = "structure" },
	{ "AS: i=001", 1, .as1 = " i=001; a=rsa-sha256; cv=none; s=sel; "
	    "d=example.org; b=%b", .want = ARC_FAIL, .rule = "structure" },
	{ "AS: i=-1", 1, .as1 = " i=-1; a=rsa-sha256; cv=none; d=example.org;"
	    " s=sel; b=%b", .want = ARC_FAIL, .rule = "structure" },
	{ "AS: i= of another set", 2, .as2 = " i=3; a=rsa-sha256; cv=pass; "
	    "d=example.org; s=sel; b=%b", .want = ARC_FAIL,
	    .rule = "structure" },
	{ "AS: i=1 twice", 2, .as2 = " i=1; a=rsa-sha256; cv=pass; "
	    "d=example.org; s=sel; b=%b", .want = ARC_FAIL,
	    .rule = "structure" },
	{ "AS: i=01", 1, .as1 = " i=01; a=rsa-sha256; cv=none; d=example.org;"
	    " s=sel; b=%b", .want = ARC_PASS },
	{ "AS: i= last", 1, .as1 = " a=rsa-sha256; cv=none; d=example.org; "
	    "s=sel; b=%b; i=%n", .want = ARC_PASS },
	{ "AS: rsa-sha1", 1, .as1 = " i=%n; a=rsa-sha1; cv=none; "
	    "d=example.org; s=sel; b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: no a=", 1, .as1 = " i=%n; cv=none; d=example.org; s=sel; b=%b",
	    .want = ARC_FAIL, .rule = "seal" },
	{ "AS: a= empty", 1, .as1 = " i=%n; a=; cv=none; d=example.org; s=sel;"
	    " b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: a= unknown", 1, .as1 = " i=%n; a=rsa-md5; cv=none; s=sel; "
	    "d=example.org; b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: b= with blanks", 1, .find = "s=sel; t=12345; b=",
	    .put = "s=sel; t=12345; b=\r\n\t ", .want = ARC_PASS },
	{ "AS: no b=", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; s=sel; "
	    "d=example.org", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: b= empty", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; s=sel; "
	    "d=example.org; b=", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: b= no base64", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; s=sel;"
	    " d=example.org; b=&", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: b= of another", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; s=sel;"
	    " d=example.org; b=AAAA", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: case of the field's name", 1, .find = "ARC-Seal: i",
	    .put = "aRc-sEAL: i", .want = ARC_PASS },
	{ "AS: folded elsewhere", 1, .find = "cv=none; d",
	    .put = "cv=none;\r\n\td", .want = ARC_PASS },
	{ "AS: blanks at its end", 1, .find = "\r\nARC-Message",
	    .put = " \t\r\nARC-Message", .want = ARC_PASS },
	{ "AS: blanks within", 1, .find = "cv=none; d",
	    .put = "cv=none; \t d", .want = ARC_PASS },
	{ "AS: blanks around the colon", 1, .find = "ARC-Seal: i",
	    .put = "ARC-Seal:   i", .want = ARC_PASS },
	{ "AS: no cv=", 1, .as1 = " i=%n; a=rsa-sha256; d=example.org; s=sel; "
	    "b=%b", .want = ARC_FAIL, .rule = "cv" },
	{ "AS: cv= empty", 1, .as1 = SEAL_OF("", ""), .want = ARC_FAIL,
	    .rule = "cv" },
	{ "AS: cv= unknown", 1, .as1 = SEAL_OF("maybe", ""),
	    .want = ARC_FAIL, .rule = "cv" },
	{ "AS: cv= in capitals", 1, .as1 = SEAL_OF("None", ""),
	    .want = ARC_FAIL, .rule = "cv" },
	{ "AS: no d=", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; s=sel; b=%b",
	    .want = ARC_FAIL, .rule = "seal" },
	{ "AS: d= empty", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; d=; s=sel; "
	    "b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: d= is no domain", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; "
	    "d=a b; s=sel; b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: h= is there", 1, .as1 = SEAL_OF("none", " h=from;"),
	    .want = ARC_FAIL, .rule = "seal" },
	{ "AS: no s=", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; "
	    "d=example.org; b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: s= empty", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; s=; "
	    "d=example.org; b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: no t=", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; s=sel; "
	    "d=example.org; b=%b", .want = ARC_PASS },
	{ "AS: t= empty", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; s=sel; "
	    "d=example.org; t=; b=%b", .want = ARC_FAIL, .rule = "seal" },
	{ "AS: t= no number", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; s=sel;"
	    " d=example.org; t=noon; b=%b", .want = ARC_FAIL,
	    .rule = "seal" },
	{ "AS: a blank in t=", 1, .as1 = " i=%n; a=rsa-sha256; cv=none; s=sel;"
	    " d=example.org; t=123 45; b=%b", .want = ARC_FAIL,
	    .rule = "seal" },
	{ "AS: another s= with the same key", 1, .find = "s=sel; t=12345; b=",
	    .put = "s=se2; t=12345; b=", .want = ARC_FAIL, .rule = "seal" },

	/* AMS: the tag list */
	{ "AMS: blanks around ;", 1, .ams1 = "\r\n\ti=%n ; a=rsa-sha256 ; "
	    "c=relaxed/relaxed ; d=example.org; s=sel ;h=from ; bh=%h ; b=%b"
	    " ; ", .want = ARC_PASS },
	{ "AMS: blanks around =", 1, .ams1 = " i = %n; a = rsa-sha256; "
	    "d = example.org; s = sel; h = from; bh = %h; b = %b",
	    .want = ARC_PASS },
	{ "AMS: unknown tag", 1, .ams1 = AMS_OF(" w=cat;", "from"),
	    .want = ARC_PASS },
	{ "AMS: v= counts for nothing", 1, .ams1 = AMS_OF(" v=7;", "from"),
	    .want = ARC_PASS },
	{ "AMS: invalid tag name", 1, .ams1 = AMS_OF(" _=x;", "from"),
	    .want = ARC_FAIL },
	{ "AMS: a tag twice", 1, .ams1 = AMS_OF(" s=sel;", "from"),
	    .want = ARC_FAIL },
	{ "AMS: case of a name", 1, .ams1 = AMS_C(" C=relaxed/relaxed;"),
	    .body_arrives = "Hello, list.\r\n\r\nJo\r\n", .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: a semicolon more", 1, .ams1 = AMS_OF(";", "from"),
	    .want = ARC_FAIL },
	{ "AMS: i= twice", 2, .ams2 = " i=1; a=rsa-sha256; d=example.org; "
	    "s=sel; h=from; bh=%h; b=%b", .want = ARC_FAIL,
	    .rule = "structure" },
	{ "AMS: i= is missing", 1, .ams1 = " a=rsa-sha256; d=example.org; "
	    "s=sel; h=from; bh=%h; b=%b", .want = ARC_FAIL,
	    .rule = "structure" },
	{ "AMS: rsa-sha1", 1, .ams1 = " i=%n; a=rsa-sha1; d=example.org; "
	    "s=sel; h=from; bh=%h; b=%b", .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: no a=", 1, .ams1 = " i=%n; d=example.org; s=sel; h=from; "
	    "bh=%h; b=%b", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: a= unknown", 1, .ams1 = " i=%n; a=x; d=example.org; s=sel; "
	    "h=from; bh=%h; b=%b", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: no b=", 1, .ams1 = " i=%n; a=rsa-sha256; d=example.org; s=sel;"
	    " h=from; bh=%h", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: b= empty", 1, .ams1 = " i=%n; a=rsa-sha256; d=example.org; "
	    "s=sel; h=from; bh=%h; b=", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: no bh=", 1, .ams1 = " i=%n; a=rsa-sha256; d=example.org; "
	    "s=sel; h=from; b=%b", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: bh= empty", 1, .ams1 = " i=%n; a=rsa-sha256; d=example.org; "
	    "s=sel; h=from; bh=; b=%b", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: bh= no base64", 1, .ams1 = " i=%n; a=rsa-sha256; s=sel; "
	    "d=example.org; h=from; bh=#; b=%b", .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: bh= of another", 1, .ams1 = " i=%n; a=rsa-sha256; s=sel; "
	    "d=example.org; h=from; bh=AAAA; b=%b", .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: header respaced", 1, .find = "Subject: A  chain\r\n",
	    .put = "suBJect :\tA\r\n chain  \r\n", .want = ARC_PASS },
	{ "AMS: body respaced", 1, .body_arrives = "Hello, list.\t\r\n\r\n"
	    "Jo\r\n\r\n\r\n", .want = ARC_PASS },
	{ "AMS: body without its last line end", 1,
	    .body_arrives = "Hello,  list.\r\n\r\nJo", .want = ARC_PASS },
	{ "AMS: simple/simple", 1, .ams1 = AMS_C(" c=simple/simple;"),
	    .want = ARC_PASS },
	{ "AMS: simple/relaxed", 1, .ams1 = AMS_C(" c=simple/relaxed;"),
	    .want = ARC_PASS },
	{ "AMS: relaxed/simple", 1, .ams1 = AMS_C(" c=relaxed/simple;"),
	    .want = ARC_PASS },
	{ "AMS: simple body respaced", 1, .ams1 = AMS_C(" c=relaxed/simple;"),
	    .body_arrives = "Hello, list.\r\n\r\nJo\r\n", .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: no c= is simple/simple", 1, .ams1 = AMS_C(""),
	    .want = ARC_PASS },
	{ "AMS: c= empty", 1, .ams1 = AMS_C(" c=;"), .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: c= unknown", 1, .ams1 = AMS_C(" c=best/most;"),
	    .want = ARC_FAIL, .rule = "message" },
	{ "AMS: no d=", 1, .ams1 = " i=%n; a=rsa-sha256; s=sel; h=from; "
	    "bh=%h; b=%b", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: d= is no domain", 1, .ams1 = " i=%n; a=rsa-sha256; s=sel; "
	    "d=#; h=from; bh=%h; b=%b", .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: no h=", 1, .ams1 = " i=%n; a=rsa-sha256; d=example.org; s=sel;"
	    " bh=%h; b=%b", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: h= empty", 1, .ams1 = AMS_OF("", ""), .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: h= with blanks", 1, .ams1 = AMS_OF("", "from : to\r\n : "
	    "subject"), .want = ARC_PASS },
	{ "AMS: h= case", 1, .ams1 = AMS_OF("", "From:TO"),
	    .want = ARC_PASS },
	{ "AMS: h= names nothing once", 1, .ams1 = AMS_OF("", "from::to"),
	    .want = ARC_PASS },
	{ "AMS: h= of what is not there", 1, .ams1 = AMS_OF("", "from:cc:cc"),
	    .want = ARC_PASS },
	{ "AMS: h= of what was not there", 1, .ams1 = AMS_OF("", "from:cc"),
	    .find = "To:", .put = "Cc: x@y\r\nTo:", .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: h= holds no name", 1, .ams1 = AMS_OF("", "from:to bob"),
	    .want = ARC_FAIL, .rule = "message" },
	{ "AMS: h= holds ARC-Seal", 1, .ams1 = AMS_OF("", "from:arc-seal"),
	    .want = ARC_FAIL, .rule = "message" },
	{ "AMS: h= holds older AMS", 2,
	    .ams2 = AMS_OF("", "from:arc-message-signature"),
	    .want = ARC_PASS },
	{ "AMS: no s=", 1, .ams1 = " i=%n; a=rsa-sha256; d=example.org; "
	    "h=from; bh=%h; b=%b", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: t= no number", 1, .ams1 = AMS_C(" t=noon;"),
	    .want = ARC_FAIL, .rule = "message" },
	{ "AMS: t= empty", 1, .ams1 = AMS_C(" t=;"), .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: no t=", 1, .ams1 = AMS_C(""), .want = ARC_PASS },
	{ "AMS: x= past", 1, .ams1 = AMS_C(" x=1600000000;"),
	    .want = ARC_FAIL, .rule = "message" },
	{ "AMS: x= past of an older one", 2, .ams1 = AMS_C(" x=1600000000;"),
	    .want = ARC_PASS },
	{ "AMS: l= and more behind", 1, .ams1 = AMS_C(" l=6;"),
	    .want = ARC_FAIL, .rule = "message" },
	{ "AMS: a= empty", 1, .ams1 = " i=%n; a=; d=example.org; s=sel; "
	    "h=from; bh=%h; b=%b", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: b= with blanks", 1, .ams1 = " i=%n; a=rsa-sha256; s=sel; "
	    "d=example.org; h=from; bh=%h; b= \r\n\t%b", .want = ARC_PASS },
	{ "AMS: b= no base64", 1, .ams1 = " i=%n; a=rsa-sha256; s=sel; "
	    "d=example.org; h=from; bh=%h; b=no_64", .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: b= of another", 1, .ams1 = " i=%n; a=rsa-sha256; s=sel; "
	    "d=example.org; h=from; bh=%h; b=AAAA", .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: bh= with blanks", 1, .ams1 = " i=%n; a=rsa-sha256; s=sel; "
	    "d=example.org; h=from; bh=\r\n\t%h ; b=%b", .want = ARC_PASS },
	{ "AMS: d= empty", 1, .ams1 = " i=%n; a=rsa-sha256; s=sel; d=; "
	    "h=from; bh=%h; b=%b", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: s= empty", 1, .ams1 = " i=%n; a=rsa-sha256; s=; h=from; "
	    "d=example.org; bh=%h; b=%b", .want = ARC_FAIL,
	    .rule = "message" },
	{ "AMS: a blank in t=", 1, .ams1 = AMS_C(" t=123 45;"),
	    .want = ARC_FAIL, .rule = "message" },
	{ "AMS: h= in another order", 1, .find = "h=from:to:",
	    .put = "h=to:from:", .want = ARC_FAIL, .rule = "message" },
	{ "AMS: h= names one twice", 1, .ams1 = AMS_OF("", "from:to:to"),
	    .want = ARC_PASS },
	{ "AMS: h= names one twice, and a second came", 1,
	    .ams1 = AMS_OF("", "from:to:to"), .find = "To: list",
	    .put = "To: x@y\r\nTo: list", .want = ARC_FAIL,
	    .rule = "message" },

	/* AAR */
	{ "AAR: i= is missing", 1, .aar1 = " lists.example.org; spf=pass",
	    .want = ARC_FAIL, .rule = "structure" },
	{ "AAR: i= of another", 1, .aar1 = " i=2; lists.example.org; spf=pass",
	    .want = ARC_FAIL, .rule = "structure" },
	{ "AAR: i= not first", 1, .aar1 = " lists.example.org; i=1; spf=pass",
	    .want = ARC_FAIL, .rule = "structure" },
	{ "AAR: no semicolon behind i=", 1, .aar1 = " i=1 lists.example.org",
	    .want = ARC_FAIL, .rule = "structure" },
	{ "AAR: i= empty", 1, .aar1 = " i=; lists.example.org; spf=pass",
	    .want = ARC_FAIL, .rule = "structure" },
	{ "AAR: i=0", 1, .aar1 = " i=0; lists.example.org; spf=pass",
	    .want = ARC_FAIL, .rule = "structure" },
	{ "AAR: i=51", 1, .aar1 = " i=51; lists.example.org; spf=pass",
	    .want = ARC_FAIL, .rule = "structure" },
	{ "AAR: comments", 1, .aar1 = " (a(b\\))) i (c)=\r\n\t(d)%n(e) ; x;",
	    .want = ARC_PASS },
	{ "AAR: an open comment", 1, .aar1 = " (i=%n; x; spf=pass",
	    .want = ARC_FAIL, .rule = "structure" },
	{ "AAR: i= in capitals", 1, .aar1 = " I=%n; x; spf=pass",
	    .want = ARC_FAIL, .rule = "structure" },
	{ "AAR: nothing", 1, .aar1 = "", .want = ARC_FAIL,
	    .rule = "structure" },

	/* Twice, and in another order */
	{ "the same AAR twice", 1, .find = "ARC-Auth", .put = "ARC-"
	    "Authentication-Results: i=1; x\r\nARC-Auth", .want = ARC_FAIL,
	    .rule = "structure" },
	{ "the same AMS twice", 1, .find = "ARC-Auth", .put = "ARC-"
	    "Message-Signature: i=1; x=1\r\nARC-Auth", .want = ARC_FAIL,
	    .rule = "structure" },
	{ "the same AS twice", 1, .find = "ARC-Auth", .put = "ARC-Seal: i=1;"
	    " x=1\r\nARC-Auth", .want = ARC_FAIL, .rule = "structure" },
	{ "AS of another algorithm beside", 1, .find = "ARC-Auth",
	    .put = "ARC-Seal: i=1; a=ed25519-sha256\r\nARC-Auth",
	    .want = ARC_FAIL, .rule = "structure" },
	{ "a gap", 2, .as2 = " i=3; a=rsa-sha256; cv=pass; d=example.org; "
	    "s=sel; b=%b", .ams2 = " i=3; a=rsa-sha256; d=example.org; s=sel;"
	    " h=from; bh=%h; b=%b", .aar2 = " i=3; x; y", .want = ARC_FAIL,
	    .rule = "structure" },
	{ "other fields between", 2, .find = "ARC-Seal: i=1",
	    .put = "Received: x\r\nARC-Seal: i=1", .want = ARC_PASS },

	/* Keys */
	{ "key: none", 1, .record = "", .want = ARC_FAIL, .rule = "message" },
	{ "key: malformed", 1, .record = "v=DKIM1; p=%", .want = ARC_FAIL,
	    .rule = "message" },
	{ "key: v= unknown", 1, .record = "v=DKIM9; p=%p", .want = ARC_FAIL,
	    .rule = "message" },
	{ "key: revoked", 1, .record = "v=DKIM1; p=", .want = ARC_FAIL,
	    .rule = "message" },
	{ "key: h=sha1", 1, .record = "v=DKIM1; h=sha1; p=%p",
	    .want = ARC_FAIL, .rule = "message" },
	{ "key: 512 bits", 1, .record = "v=DKIM1; k=rsa; p="
	    "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALBM/05/+NXCZP9ua/n8IUD8TYz+"
	    "zBq6hyLXsg1osr95PYO7enNABomDfOpbgTtZsz/BvN63IiIMpMdJxoPrS90CAwEAAQ==", .want = ARC_FAIL,
	    .rule = "message" },
	{ "key: other service", 1, .record = "v=DKIM1; s=x; p=%p",
	    .want = ARC_FAIL, .rule = "message" },
};

/* DNS: every name has this key, unless it holds one of these words. */
struct zone {
	struct arena *a;
	struct slice record;
	unsigned asked;
};

static const struct dns_answer *
look_up(void *arg, struct slice name)
{
	struct zone *z = arg;

	z->asked++;
	if (slice_search(name, SLICE("unknown")) < name.len)
		return NULL;
	if (slice_search(name, SLICE("absent")) < name.len)
		return lab_answer(z->a, SLICE_NONE);
	return lab_answer(z->a, z->record);
}

static struct dkim_limits
limits_now(void)
{
	struct dkim_limits limits = dkim_limits_default;

	limits.now = NOW;
	return limits;
}

static void
validate(struct arena *a, struct slice head, struct slice body,
    struct slice record, struct arc_chain *chain_r, struct message *msg_r)
{
	struct dkim_limits limits = limits_now();
	struct zone zone = { a, record, 0 };

	message_read(msg_r, a, head, body, NULL);
	arc_read(a, msg_r, &limits, chain_r);
	arc_validate(a, chain_r, msg_r, dkim_bodies_new(a, msg_r), look_up,
	    &zone, cache, &limits);
}

static const char *
text_of(const char *given, const char *other)
{
	if (given == NULL)
		return other;
	return strcmp(given, GONE) == 0 ? NULL : given;
}

static const char *const status_names[] = { "none", "pass", "fail" };

static void
run_case(size_t i, struct arena *a)
{
	struct slice head = SLICE(HEAD);
	struct slice body = slice_of(cases[i].body ? cases[i].body : BODY);
	struct arc_chain chain;
	struct message msg;

	for (unsigned n = 1; n <= cases[i].sets; n++) {
		const char *texts[3] = { AAR, AMS, n == 1 ? NONE : PASS };

		if (n == 1) {
			texts[0] = text_of(cases[i].aar1, texts[0]);
			texts[1] = text_of(cases[i].ams1, texts[1]);
			texts[2] = text_of(cases[i].as1, texts[2]);
		} else if (n == 2) {
			texts[0] = text_of(cases[i].aar2, texts[0]);
			texts[1] = text_of(cases[i].ams2, texts[1]);
			texts[2] = text_of(cases[i].as2, texts[2]);
		}
		head = lab_arc(a, head, body, n, texts, LAB_RSA);
	}
	if (cases[i].find != NULL) {
		tap_ok(slice_search(head, slice_of(cases[i].find)) < head.len,
		    "%s: is in the message", cases[i].name);
		head = lab_replace(a, head, cases[i].find,
		    slice_of(cases[i].put));
	}
	if (cases[i].body_arrives != NULL)
		body = slice_of(cases[i].body_arrives);
	validate(a, head, body, lab_record(a, cases[i].record, LAB_RSA),
	    &chain, &msg);
	tap_is_str(status_names[chain.status], status_names[cases[i].want],
	    "%s: %.*s", cases[i].name, SLICE_ARG(chain.reason));
	if (cases[i].rule != NULL)
		tap_is_str(chain.rule, cases[i].rule, "%s: rule",
		    cases[i].name);
	tap_ok(!chain.temporary, "%s: for good", cases[i].name);
}

/* Keys that DNS does not know, or does not say */

static void
names(struct arena *a)
{
	static const char *const texts[][3] = {
		{ AAR, AMS, NONE },
		{ AAR, " i=%n; a=rsa-sha256; d=example.org; s=sel; h=from; "
		    "bh=%h; b=%b", " i=%n; a=rsa-sha256; cv=pass; s=unknown; "
		    "d=example.org; b=%b" },
		{ AAR, " i=%n; a=rsa-sha256; d=example.org; s=new; h=from; "
		    "bh=%h; b=%b", PASS },
	};
	struct dkim_limits limits = limits_now();
	struct slice head = SLICE(HEAD), *list;
	struct arc_chain chain;
	struct message msg;

	for (unsigned i = 0; i < 3; i++)
		head = lab_arc(a, head, SLICE(BODY), i + 1, texts[i], LAB_RSA);
	message_read(&msg, a, head, SLICE(BODY), NULL);
	arc_read(a, &msg, &limits, &chain);
	tap_is_int((long long)arc_names(a, &chain, &list), 3, "three names");
	tap_is(list[0], SLICE("new._domainkey.example.org"), "newest AMS");
	tap_is(list[1], SLICE("sel._domainkey.example.org"), "newest AS");
	tap_is(list[2], SLICE("unknown._domainkey.example.org"), "AS below");

	validate(a, head, SLICE(BODY), lab_record(a, NULL, LAB_RSA), &chain,
	    &msg);
	tap_ok(chain.status == ARC_FAIL && chain.temporary,
	    "a key that is not known: %.*s", SLICE_ARG(chain.reason));
	head = lab_replace(a, head, "unknown", SLICE("absent"));
	validate(a, head, SLICE(BODY), lab_record(a, NULL, LAB_RSA), &chain,
	    &msg);
	tap_ok(chain.status == ARC_FAIL && !chain.temporary,
	    "a key that does not exist: %.*s", SLICE_ARG(chain.reason));
}

static void
oldest(struct arena *a)
{
	static const char *const first[3] = { AAR, AMS, NONE };
	static const char *const next[3] = { AAR, AMS, PASS };
	struct slice head = SLICE(HEAD), body = SLICE(BODY);
	struct arc_chain chain;
	struct message msg;

	head = lab_arc(a, head, body, 1, first, LAB_RSA);
	head = lab_arc(a, head, body, 2, next, LAB_RSA);
	body = SLICE("A list adds its footer.\r\n");
	head = lab_arc(a, head, body, 3, next, LAB_RSA);
	head = lab_arc(a, head, body, 4, next, LAB_RSA);
	validate(a, head, body, lab_record(a, NULL, LAB_RSA), &chain, &msg);
	tap_ok(chain.status == ARC_PASS, "body changed on the way");
	tap_is_int(chain.oldest_pass, 3, "since the third set");
	tap_is(chain.sets[1].results, SLICE("lists.example.org; "
	    "spf=pass smtp.mfrom=jo@d1.example"), "results are kept");
}

/* Seals of our own */

static struct arc_sealer
sealer(enum lab_key key)
{
	return (struct arc_sealer){ .domain = SLICE("example.org"),
	    .selector = SLICE("sel"), .key = lab_pkey(key),
	    .algorithm = key == LAB_ED25519 ? DKIM_ED25519_SHA256 :
	    DKIM_RSA_SHA256, .authserv_id = SLICE("mx.example.org"),
	    .header = DKIM_RELAXED, .body = DKIM_RELAXED, .now = NOW };
}

static struct slice
with_set(struct arena *a, struct slice head, const struct slice bodies[3])
{
	static const char *const field[] = { "ARC-Seal",
	    "ARC-Message-Signature", "ARC-Authentication-Results" };
	struct buf out = buf_in(a);

	for (int i = 0; i < 3; i++) {
		buf_addf(&out, "%s:", field[i]);
		buf_add(&out, bodies[i]);
		buf_adds(&out, "\r\n");
	}
	buf_add(&out, head);
	return buf_slice(&out);
}

static bool
lines_short(struct slice head)
{
	struct slice line;

	while (slice_line(&head, &line))
		if (line.len > 78)
			return false;
	return true;
}

static void
seal_until_full(struct arena *a, enum lab_key key)
{
	struct arc_sealer s = sealer(key);
	struct slice head = SLICE(HEAD), bodies[3], why = SLICE("");
	struct slice record = lab_record(a, NULL, key);
	unsigned passed = 0, sets = key == LAB_LARGE ? 3 : ARC_SETS;
	struct arc_chain chain;
	struct message msg;
	enum rc rc = RC_OK;

	validate(a, head, SLICE(BODY), record, &chain, &msg);
	for (unsigned i = 1; i <= sets && rc == RC_OK; i++) {
		rc = arc_seal(a, &msg, &chain, &s, SLICE("spf=pass"), bodies,
		    &why);
		head = with_set(a, head, bodies);
		validate(a, head, SLICE(BODY), record, &chain, &msg);
		passed += chain.status == ARC_PASS && chain.count == i &&
		    chain.oldest_pass == 0;
	}
	tap_is_int(passed, sets, "%s: %u sets pass", dkim_algorithm_name(
	    s.algorithm), sets);
	tap_ok(lines_short(head), "in short lines");
	if (sets < ARC_SETS)
		return;
	rc = arc_seal(a, &msg, &chain, &s, SLICE("spf=pass"), bodies, &why);
	tap_ok(rc == RC_BAD, "another: %.*s", SLICE_ARG(why));
	head = with_set(a, head, (struct slice[]){ SLICE(" i=51; cv=pass"),
	    SLICE(" i=51"), SLICE(" i=51; x; y") });
	validate(a, head, SLICE(BODY), record, &chain, &msg);
	tap_is_str(chain.rule, "structure", "51 sets are too many");
	tap_ok(chain.status == ARC_FAIL, "and fail");
}

static void
seal_failed(struct arena *a)
{
	static const char *const first[3] = { AAR, AMS, NONE };
	struct arc_sealer s = sealer(LAB_RSA);
	struct slice head = lab_arc(a, SLICE(HEAD), SLICE(BODY), 1, first,
	    LAB_RSA), bodies[3], why = SLICE("");
	struct slice record = lab_record(a, NULL, LAB_RSA);
	struct arc_chain chain;
	struct message msg;

	validate(a, head, SLICE("Changed.\r\n"), record, &chain, &msg);
	tap_ok(arc_seal(a, &msg, &chain, &s, SLICE("spf=pass"), bodies, &why)
	    == RC_OK, "a broken chain is sealed once more");
	tap_ok(slice_starts(bodies[0], SLICE(" i=2; a=rsa-sha256; cv=fail;")),
	    "as cv=fail");
	/* 5.1.2: that seal signs its own set alone; as a chain of one it does
	 * verify, but for what it says. */
	head = with_set(a, head, bodies);
	validate(a, head, SLICE("Changed.\r\n"), record, &chain, &msg);
	tap_ok(chain.status == ARC_FAIL && chain.ended, "the chain has ended");
	tap_ok(arc_seal(a, &msg, &chain, &s, SLICE("spf=pass"), bodies, &why)
	    == RC_BAD, "nobody goes on: %.*s", SLICE_ARG(why));
}

static void
seal_refused(struct arena *a)
{
	static const char *const first[3] = { AAR, AMS, NONE };
	struct arc_sealer good = sealer(LAB_RSA), s = good;
	struct slice bodies[3], why = SLICE(""), head;
	struct arc_chain chain;
	struct message msg, other;

	validate(a, SLICE(HEAD), SLICE(BODY), SLICE_NONE, &chain, &msg);
	s.key = lab_pkey(LAB_ED25519);
	tap_ok(arc_seal(a, &msg, &chain, &s, SLICE("x"), bodies, &why) ==
	    RC_BAD, "refused: %.*s", SLICE_ARG(why));
	s.key = lab_pkey(LAB_SMALL);
	tap_ok(arc_seal(a, &msg, &chain, &s, SLICE("x"), bodies, &why) ==
	    RC_BAD, "refused: %.*s", SLICE_ARG(why));
	s = good;
	s.algorithm = DKIM_RSA_SHA1;
	tap_ok(arc_seal(a, &msg, &chain, &s, SLICE("x"), bodies, &why) ==
	    RC_BAD, "refused: %.*s", SLICE_ARG(why));
	tap_ok(arc_seal(a, &msg, &chain, &good, SLICE("x\r\ny: z"), bodies,
	    &why) == RC_BAD, "refused: %.*s", SLICE_ARG(why));
	tap_ok(arc_seal(a, &msg, &chain, &good, SLICE("x\r\n\ty"), bodies,
	    &why) == RC_OK, "a fold is none of these");
	s.domain = SLICE("");
	s.algorithm = DKIM_RSA_SHA256;
	tap_ok(arc_seal(a, &msg, &chain, &s, SLICE("x"), bodies, &why) ==
	    RC_BAD, "refused: %.*s", SLICE_ARG(why));

	head = lab_arc(a, SLICE(HEAD), SLICE(BODY), 1, first, LAB_RSA);
	message_read(&other, a, head, SLICE(BODY), NULL);
	tap_ok(arc_seal(a, &other, &chain, &good, SLICE("x"), bodies, &why) ==
	    RC_BAD, "refused: %.*s", SLICE_ARG(why));
	message_read(&other, a, SLICE("Subject: x\r\n"), SLICE(BODY), NULL);
	tap_ok(arc_seal(a, &other, &chain, &good, SLICE("x"), bodies, &why) ==
	    RC_BAD, "refused: %.*s", SLICE_ARG(why));
	chain.status = ARC_FAIL;
	chain.temporary = true;
	tap_ok(arc_seal(a, &msg, &chain, &good, SLICE("x"), bodies, &why) ==
	    RC_RETRY, "later: %.*s", SLICE_ARG(why));
}

/* What a sender of nonsense can make us do */

static void
flood(struct arena *a)
{
	static const char *const first[3] = { AAR, AMS, NONE };
	struct buf out = buf_in(a);
	struct arc_chain chain;
	struct message msg;
	struct slice head;

	for (int i = 0; i < 600; i++)
		buf_addf(&out, "ARC-Seal: i=%d; cv=pass\r\n"
		    "ARC-Message-Signature: i=%d\r\n", i % 50 + 1, i % 50 + 1);
	buf_adds(&out, HEAD);
	validate(a, buf_slice(&out), SLICE(BODY), SLICE_NONE, &chain, &msg);
	tap_ok(chain.status == ARC_FAIL, "1200 fields: %.*s",
	    SLICE_ARG(chain.reason));

	out = buf_in(a);
	head = lab_arc(a, SLICE(HEAD), SLICE(BODY), 1, first, LAB_LARGE);
	validate(a, head, SLICE(BODY), lab_record(a, NULL, LAB_LARGE), &chain,
	    &msg);
	tap_ok(chain.status == ARC_PASS, "a seal of 3072 bits");
	tap_is_int(chain.sets[0].seal.key_bits, 3072, "its size is told");
	for (size_t cut = 0; cut + 2 < head.len; cut += 7) {
		struct slice part = arena_copy(a, slice_sub(head, 0, cut));

		validate(a, part, SLICE(BODY), lab_record(a, NULL, LAB_LARGE),
		    &chain, &msg);
		if (chain.status == ARC_PASS)
			break;
	}
	tap_ok(chain.status != ARC_PASS, "cut anywhere it does not pass");
}

int
main(void)
{
	struct arena *a = arena_new();

	lab_open();
	cache = dkim_keys_new(64);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		run_case(i, a);
		arena_reset(a);
	}
	names(a);
	oldest(a);
	seal_until_full(a, LAB_RSA);
	arena_reset(a);
	seal_until_full(a, LAB_ED25519);
	seal_until_full(a, LAB_LARGE);
	seal_failed(a);
	seal_refused(a);
	flood(a);
	dkim_keys_free(cache);
	lab_close();
	arena_free(a);
	return tap_done();
}
