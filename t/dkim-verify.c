/* Signatures, right and wrong (RFC 6376, 8301, 8463): clause by clause. */
#include <stdio.h>
#include <string.h>

#include "dkim/canon.h"
#include "dkim/tags.h"
#include "t/dkim-lab.h"
#include "t/tap.h"

#define FROM "From: Ann <ann@example.org>\r\n"
#define TO "To: bob@example.net\r\n"
#define SUBJECT "Subject: the  menu\t of today\r\n"
#define HEAD FROM TO SUBJECT
#define BODY "Fish,  \tchips  \r\nand\tpeas.\r\n\r\n\r\n"
#define TAGS(c, d, h) " v=1; a=rsa-sha256; c=" c "; d=" d "; s=sel; h=" h \
	"; bh=%h; b=%b"
#define PLAIN TAGS("relaxed/relaxed", "example.org", "from:to:subject")
#define SIG(more) " v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; " \
	"s=sel; h=from:to:subject; " more " bh=%h; b=%b"

enum { NOW = 1700000000 };

static struct dkim_keys *cache;

/*
 * What is signed is head and body under tags; what arrives is, where they are
 * given, other heads and bodies below that signature (where `arrives` begins
 * with '+', the rest of it stands above).
 */
static const struct {
	const char *name, *tags, *head, *body, *arrives, *body_arrives;
	enum lab_key key;
	const char *record;
	enum dkim_result want;
	const char *rule;
} cases[] = {
	/* 3.4: canonical forms */
	{ "relaxed/relaxed", PLAIN, .want = DKIM_PASS },
	{ "simple/simple", TAGS("simple/simple", "example.org", "from:to"),
	    .want = DKIM_PASS },
	{ "simple/relaxed", TAGS("simple/relaxed", "example.org", "from"),
	    .want = DKIM_PASS },
	{ "relaxed/simple", TAGS("relaxed/simple", "example.org", "from"),
	    .want = DKIM_PASS },
	{ "c=relaxed leaves the body simple",
	    TAGS("relaxed", "example.org", "from"), .want = DKIM_PASS },
	{ "c=relaxed, body respaced", TAGS("relaxed", "example.org", "from"),
	    .body_arrives = "Fish, chips\r\nand peas.\r\n",
	    .want = DKIM_FAIL, .rule = "body-hash" },
	{ "no c= is simple/simple", " v=1; a=rsa-sha256; d=example.org; "
	    "s=sel; h=from:to; bh=%h; b=%b", .want = DKIM_PASS },
	{ "no c=, header respaced", " v=1; a=rsa-sha256; d=example.org; "
	    "s=sel; h=from:to; bh=%h; b=%b",
	    .arrives = "From:  Ann <ann@example.org>\r\n" TO SUBJECT,
	    .want = DKIM_FAIL, .rule = "signature" },
	{ "c= of no such name", TAGS("relaxed/strict", "example.org", "from"),
	    .want = DKIM_PERMERROR, .rule = "canonicalization" },
	{ "c= empty", TAGS("", "example.org", "from"),
	    .want = DKIM_PERMERROR, .rule = "canonicalization" },
	{ "c= in capitals", TAGS("Relaxed/Relaxed", "example.org", "from"),
	    .want = DKIM_PERMERROR, .rule = "canonicalization" },
	{ "c= of three", TAGS("simple/simple/simple", "example.org", "from"),
	    .want = DKIM_PERMERROR, .rule = "canonicalization" },
	{ "relaxed: case of names, blanks, folds", PLAIN,
	    .arrives = "fRoM\t:\tAnn  <ann@example.org>  \r\n"
	    "TO:bob@example.net\r\nSubject: the menu\r\n of\t\r\n \ttoday\r\n",
	    .want = DKIM_PASS },
	{ "relaxed: a blank where none was", PLAIN,
	    .arrives = "From: Ann < ann@example.org>\r\n" TO SUBJECT,
	    .want = DKIM_FAIL, .rule = "signature" },
	{ "relaxed: case of a value", PLAIN,
	    .arrives = "From: ann <ann@example.org>\r\n" TO SUBJECT,
	    .want = DKIM_FAIL, .rule = "signature" },
	{ "simple: a fold that was not there",
	    TAGS("simple/simple", "example.org", "from:to"),
	    .arrives = "From: Ann\r\n <ann@example.org>\r\n" TO SUBJECT,
	    .want = DKIM_FAIL, .rule = "signature" },
	{ "simple: folds are bytes",
	    TAGS("simple/simple", "example.org", "from"),
	    .head = "From:\tAnn\r\n  <ann@example.org> \r\n",
	    .want = DKIM_PASS },
	{ "simple: no space behind the colon",
	    TAGS("simple/simple", "example.org", "from"),
	    .head = "From:ann@example.org\r\n", .want = DKIM_PASS },
	{ "simple: body with a line end more",
	    TAGS("simple/simple", "example.org", "from:to"),
	    .body_arrives = BODY "\r\n\r\n", .want = DKIM_PASS },
	{ "simple: body with its last line ends gone",
	    TAGS("simple/simple", "example.org", "from:to"),
	    .body_arrives = "Fish,  \tchips  \r\nand\tpeas.",
	    .want = DKIM_PASS },
	{ "simple: a blank at a line's end",
	    TAGS("simple/simple", "example.org", "from:to"),
	    .body_arrives = "Fish,  \tchips   \r\nand\tpeas.\r\n",
	    .want = DKIM_FAIL, .rule = "body-hash" },
	{ "simple: a last line of blanks is a line",
	    TAGS("simple/simple", "example.org", "from:to"),
	    .body_arrives = BODY " \r\n", .want = DKIM_FAIL,
	    .rule = "body-hash" },
	{ "relaxed: blanks at line ends, and respaced", PLAIN,
	    .body_arrives = "Fish, chips\r\nand  peas.  \r\n \r\n\t\r\n",
	    .want = DKIM_PASS },
	{ "relaxed: no last line end, but blanks", PLAIN,
	    .body_arrives = "Fish, chips\r\nand peas. \t", .want = DKIM_PASS },
	{ "relaxed: a blank at a line's begin", PLAIN,
	    .body_arrives = "Fish, chips\r\n and peas.\r\n",
	    .want = DKIM_FAIL, .rule = "body-hash" },
	{ "relaxed: an empty line within", PLAIN,
	    .body_arrives = "Fish, chips\r\n\r\nand peas.\r\n",
	    .want = DKIM_FAIL, .rule = "body-hash" },
	{ "relaxed: an empty line in front", PLAIN,
	    .body_arrives = "\r\nFish, chips\r\nand peas.\r\n",
	    .want = DKIM_FAIL, .rule = "body-hash" },
	{ "simple: no body is one line end",
	    TAGS("simple/simple", "example.org", "from"), .body = "",
	    .body_arrives = "\r\n\r\n", .want = DKIM_PASS },
	{ "relaxed: no body is nothing", PLAIN, .body = "",
	    .body_arrives = " \t\r\n \r\n", .want = DKIM_PASS },
	{ "relaxed: nothing is no letter", PLAIN, .body = "",
	    .body_arrives = "x", .want = DKIM_FAIL, .rule = "body-hash" },
	{ "bare CR and LF are bytes", PLAIN, .body = "a \rb \nc\r\r\n",
	    .body_arrives = "a  \rb\t\nc\r\r\n\r\n", .want = DKIM_PASS },

	/* 3.5: tags of the signature */
	{ "folded everywhere", "\r\n\tv\r\n = 1 ;\r\n a = rsa-sha256;"
	    " c=relaxed/relaxed;d=example.org;s=sel;\r\n h\t=\r\n from :"
	    "\r\n to:subject ; bh =\r\n %h ; b =\r\n %b\r\n ;\r\n ",
	    .want = DKIM_PASS },
	{ "b= in the middle", " v=1; a=rsa-sha256; b= %b ; d=example.org;"
	    " c=simple/simple; s=sel; h=from; bh=%h;", .want = DKIM_PASS },
	{ "b= first", " b=%b; v=1; a=rsa-sha256; d=example.org;"
	    " c=simple/simple; s=sel; h=from; bh=%h;", .want = DKIM_PASS },
	{ "bb= is not b=", " bb=keep; v=1; a=rsa-sha256; d=example.org;"
	    " c=simple/simple; s=sel; h=from; bh=%h; b=%b", .want = DKIM_PASS },
	{ "unknown tags count for nothing", SIG("zz=1; y_9=;"),
	    .want = DKIM_PASS },
	{ "z= counts for nothing", SIG("z=From:x|To:=20y;"),
	    .want = DKIM_PASS },
	{ "the same tag twice", SIG("d=example.org;"),
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "an unknown tag twice", SIG("zz=1; zz=1;"),
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "two semicolons", SIG(";"), .want = DKIM_PERMERROR,
	    .rule = "syntax" },
	{ "a word without =", SIG("zz;"), .want = DKIM_PERMERROR,
	    .rule = "syntax" },
	{ "a tag name that begins with a digit", SIG("1z=1;"),
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "a tag name with a dash", SIG("z-z=1;"), .want = DKIM_PERMERROR,
	    .rule = "syntax" },
	{ "blanks within a tag name", SIG("z z=1;"), .want = DKIM_PERMERROR,
	    .rule = "syntax" },
	{ "a control character", SIG("zz=\x01;"), .want = DKIM_PERMERROR,
	    .rule = "syntax" },
	{ "tag names have case", " V=1; a=rsa-sha256; d=example.org; s=sel;"
	    " h=from; bh=%h; b=%b", .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "nothing at all", "", .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "only a semicolon", " ;", .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "no v=", " a=rsa-sha256; d=example.org; s=sel; h=from; bh=%h; b=%b",
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "v=2", " v=2; a=rsa-sha256; d=example.org; s=sel; h=from; bh=%h;"
	    " b=%b", .want = DKIM_PERMERROR, .rule = "version" },
	{ "v=1.0", " v=1.0; a=rsa-sha256; d=example.org; s=sel; h=from;"
	    " bh=%h; b=%b", .want = DKIM_PERMERROR, .rule = "version" },
	{ "no a=", " v=1; d=example.org; s=sel; h=from; bh=%h; b=%b",
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "a= unknown", " v=1; a=rsa-sha512; d=example.org; s=sel; h=from;"
	    " bh=%h; b=%b", .want = DKIM_PERMERROR, .rule = "algorithm" },
	{ "a= has case", " v=1; a=RSA-SHA256; d=example.org; s=sel; h=from;"
	    " bh=%h; b=%b", .want = DKIM_PERMERROR, .rule = "algorithm" },
	{ "rsa-sha1 (RFC 8301, 3.1)", " v=1; a=rsa-sha1; d=example.org; s=sel;"
	    " h=from; bh=%h; b=%b", .want = DKIM_POLICY, .rule = "sha1" },
	{ "no d=", " v=1; a=rsa-sha256; s=sel; h=from; bh=%h; b=%b",
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "d= empty", TAGS("simple", "", "from"), .want = DKIM_PERMERROR,
	    .rule = "domain" },
	{ "d= of one label", TAGS("simple", "org", "from"),
	    .want = DKIM_PERMERROR, .rule = "domain" },
	{ "d= with a final dot", TAGS("simple", "example.org.", "from"),
	    .want = DKIM_PERMERROR, .rule = "domain" },
	{ "d= with two dots", TAGS("simple", "example..org", "from"),
	    .want = DKIM_PERMERROR, .rule = "domain" },
	{ "d= with a blank", TAGS("simple", "exam ple.org", "from"),
	    .want = DKIM_PERMERROR, .rule = "domain" },
	{ "d= with an address", TAGS("simple", "ann@example.org", "from"),
	    .want = DKIM_PERMERROR, .rule = "domain" },
	{ "d= of a long label", TAGS("simple", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.org", "from"),
	    .want = DKIM_PERMERROR, .rule = "domain" },
	{ "d= in capitals", TAGS("simple", "EXAMPLE.org", "from"),
	    .want = DKIM_PASS },
	{ "d= of U-labels (RFC 8616)",
	    TAGS("simple", "b\xc3\xbc" "cher.example", "from"),
	    .want = DKIM_PASS },
	{ "d= of bad UTF-8", TAGS("simple", "b\xfc" "cher.example", "from"),
	    .want = DKIM_PERMERROR, .rule = "domain" },
	{ "no s=", " v=1; a=rsa-sha256; d=example.org; h=from; bh=%h; b=%b",
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "s= empty", " v=1; a=rsa-sha256; d=example.org; s=; h=from; bh=%h;"
	    " b=%b", .want = DKIM_PERMERROR, .rule = "selector" },
	{ "s= of labels", " v=1; a=rsa-sha256; d=example.org; s=a.b_c.d-e;"
	    " h=from; bh=%h; b=%b", .want = DKIM_PASS },
	{ "s= with a slash", " v=1; a=rsa-sha256; d=example.org; s=a/b;"
	    " h=from; bh=%h; b=%b", .want = DKIM_PERMERROR,
	    .rule = "selector" },
	{ "no b=", " v=1; a=rsa-sha256; d=example.org; s=sel; h=from; bh=%h",
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "b= empty", " v=1; a=rsa-sha256; d=example.org; s=sel; h=from;"
	    " bh=%h; b=", .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "b= no base64", " v=1; a=rsa-sha256; d=example.org; s=sel; h=from;"
	    " bh=%h; b=!?", .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "b= of another length", " v=1; a=rsa-sha256; d=example.org; s=sel;"
	    " h=from; bh=%h; b=AAAA", .want = DKIM_FAIL, .rule = "signature" },
	{ "no bh=", " v=1; a=rsa-sha256; d=example.org; s=sel; h=from; b=%b",
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "bh= empty", " v=1; a=rsa-sha256; d=example.org; s=sel; h=from; bh=;"
	    " b=%b", .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "bh= no base64", " v=1; a=rsa-sha256; d=example.org; s=sel; h=from;"
	    " bh=*; b=%b", .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "bh= of another length", " v=1; a=rsa-sha256; d=example.org; s=sel;"
	    " h=from; bh=AAAA; b=%b", .want = DKIM_FAIL, .rule = "body-hash" },
	{ "no h=", " v=1; a=rsa-sha256; d=example.org; s=sel; bh=%h; b=%b",
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "h= empty", TAGS("simple", "example.org", ""),
	    .want = DKIM_PERMERROR, .rule = "from" },
	{ "h= without From", TAGS("simple", "example.org", "to:subject"),
	    .want = DKIM_PERMERROR, .rule = "from" },
	{ "h= with a name that is none",
	    TAGS("simple", "example.org", "from:to bob"),
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "h= case of names", TAGS("simple", "example.org", "FROM:tO"),
	    .want = DKIM_PASS },
	{ "h= order counts", TAGS("simple", "example.org", "to:from"),
	    .arrives = TO FROM SUBJECT, .want = DKIM_PASS },
	{ "h= names what is not there",
	    TAGS("simple", "example.org", "from:x-none:x-none"),
	    .want = DKIM_PASS },
	{ "h= named what was not there, now it is",
	    TAGS("simple", "example.org", "from:x-none"),
	    .arrives = "X-None: now\r\n" HEAD, .want = DKIM_FAIL,
	    .rule = "signature" },
	{ "h= from the bottom up", TAGS("simple", "example.org",
	    "from:received:received"), .head = "Received: c\r\nReceived: b\r\n"
	    "Received: a\r\n" FROM, .want = DKIM_PASS },
	{ "h= a field above is not the one signed", TAGS("simple",
	    "example.org", "from:received"), .head = "Received: a\r\n" FROM,
	    .arrives = "Received: b\r\nReceived: a\r\n" FROM,
	    .want = DKIM_PASS },
	{ "h= a field below is the one signed", TAGS("simple",
	    "example.org", "from:received"), .head = "Received: a\r\n" FROM,
	    .arrives = "Received: a\r\n" FROM "Received: b\r\n",
	    .want = DKIM_FAIL, .rule = "signature" },
	{ "h= two swapped", TAGS("simple", "example.org",
	    "from:received:received"),
	    .head = "Received: b\r\nReceived: a\r\n" FROM,
	    .arrives = "Received: a\r\nReceived: b\r\n" FROM,
	    .want = DKIM_FAIL, .rule = "signature" },
	{ "h= names itself: never the field itself",
	    TAGS("simple", "example.org", "from:dkim-signature"),
	    .want = DKIM_PASS },
	{ "h= names another signature",
	    TAGS("simple", "example.org", "from:dkim-signature"),
	    .head = "DKIM-Signature: v=1\r\n" FROM, .want = DKIM_PASS },
	{ "i= of d=", SIG("i=@example.org;"), .want = DKIM_PASS },
	{ "i= below d=", SIG("i=ann=20b@mail.Example.org;"),
	    .want = DKIM_PASS },
	{ "i= of another", SIG("i=@example.com;"), .want = DKIM_PERMERROR,
	    .rule = "identity" },
	{ "i= that only ends like d=", SIG("i=@badexample.org;"),
	    .want = DKIM_PERMERROR, .rule = "identity" },
	{ "i= above d=", SIG("i=@org;"), .want = DKIM_PERMERROR,
	    .rule = "identity" },
	{ "i= without @", SIG("i=example.org;"), .want = DKIM_PERMERROR,
	    .rule = "identity" },
	{ "i= empty", SIG("i=;"), .want = DKIM_PERMERROR, .rule = "identity" },
	{ "i= with two @", SIG("i=a@example.com@example.org;"),
	    .want = DKIM_PASS },
	{ "l= of all", SIG("l=24;"), .want = DKIM_PASS },
	{ "l= of less", SIG("l=5;"), .want = DKIM_POLICY, .rule = "partial" },
	{ "l=0", SIG("l=0;"), .want = DKIM_POLICY, .rule = "partial" },
	{ "l= of more", SIG("l=25;"), .want = DKIM_PERMERROR,
	    .rule = "length" },
	{ "l= and appended text", SIG("l=24;"), .body_arrives = BODY "Buy!\r\n",
	    .want = DKIM_POLICY, .rule = "partial" },
	{ "l= no number", SIG("l=x;"), .want = DKIM_PERMERROR,
	    .rule = "syntax" },
	{ "l= negative", SIG("l=-1;"), .want = DKIM_PERMERROR,
	    .rule = "syntax" },
	{ "l= of 76 digits", SIG("l=99999999999999999999999999999999999999999"
	    "99999999999999999999999999999999999;"), .want = DKIM_PERMERROR,
	    .rule = "syntax" },
	{ "q=dns/txt", SIG("q=dns/txt;"), .want = DKIM_PASS },
	{ "q= of several", SIG("q=http : dns/txt;"), .want = DKIM_PASS },
	{ "q= of another", SIG("q=http;"), .want = DKIM_PERMERROR,
	    .rule = "query" },
	{ "t= of the past", SIG("t=1600000000;"), .want = DKIM_PASS },
	{ "t= a little ahead", SIG("t=1700000060;"), .want = DKIM_PASS },
	{ "t= of the future", SIG("t=1700090000;"), .want = DKIM_POLICY,
	    .rule = "future" },
	{ "t= of 13 digits", SIG("t=1700000000000;"), .want = DKIM_POLICY,
	    .rule = "future" },
	{ "t= no number", SIG("t=now;"), .want = DKIM_PERMERROR,
	    .rule = "syntax" },
	{ "t= empty", SIG("t=;"), .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "x= ahead", SIG("t=1600000000; x=1700000001;"), .want = DKIM_PASS },
	{ "x= past", SIG("t=1600000000; x=1699999999;"), .want = DKIM_POLICY,
	    .rule = "expired" },
	{ "x= alone and past", SIG("x=1;"), .want = DKIM_POLICY,
	    .rule = "expired" },
	{ "x= before t=", SIG("t=1800000000; x=1790000000;"),
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "x= as t=", SIG("t=1600000000; x=1600000000;"),
	    .want = DKIM_PERMERROR, .rule = "syntax" },
	{ "x= of many digits is never", SIG("x=99999999999999999999999999;"),
	    .want = DKIM_PASS },
	{ "x= no number", SIG("x=-5;"), .want = DKIM_PERMERROR,
	    .rule = "syntax" },

	/* 5.4.2, 8.15: fields that nobody signed */
	{ "another From above", PLAIN,
	    .arrives = "From: boss@example.org\r\n" HEAD,
	    .want = DKIM_POLICY, .rule = "duplicate" },
	{ "another From below", PLAIN,
	    .arrives = HEAD "From: boss@example.org\r\n",
	    .want = DKIM_FAIL, .rule = "signature" },
	{ "another From above the signature", PLAIN,
	    .arrives = "+From: boss@example.org\r\n",
	    .want = DKIM_POLICY, .rule = "duplicate" },
	{ "another Subject above", PLAIN, .arrives = "Subject: pay\r\n" HEAD,
	    .want = DKIM_POLICY, .rule = "duplicate" },
	{ "another To, oddly written", PLAIN, .arrives = "tO : x@y\r\n" HEAD,
	    .want = DKIM_POLICY, .rule = "duplicate" },
	{ "another From, oversigned", TAGS("simple", "example.org",
	    "from:from:to"), .arrives = "From: boss@example.org\r\n" HEAD,
	    .want = DKIM_FAIL, .rule = "signature" },
	{ "two From, both signed", TAGS("simple", "example.org",
	    "from:from"), .head = FROM FROM, .want = DKIM_PASS },
	{ "another Content-Type above", TAGS("simple", "example.org",
	    "from:content-type"), .head = FROM "Content-Type: text/plain\r\n",
	    .arrives = "Content-Type: text/html\r\n" FROM
	    "Content-Type: text/plain\r\n", .want = DKIM_POLICY,
	    .rule = "duplicate" },
	{ "a second Received above is as it should be", TAGS("simple",
	    "example.org", "from:received"), .head = FROM "Received: a\r\n",
	    .arrives = "Received: b\r\n" FROM "Received: a\r\n",
	    .want = DKIM_PASS },
	{ "no From there", TAGS("simple", "example.org", "from:to"),
	    .head = TO, .want = DKIM_PASS },

	/* 3.6.1: the key record */
	{ "no v= in the record", PLAIN, .record = "k=rsa; p=%p",
	    .want = DKIM_PASS },
	{ "only p=", PLAIN, .record = "p=%p", .want = DKIM_PASS },
	{ "a final semicolon and blanks", PLAIN,
	    .record = " v = DKIM1 ;\tp = %p ; ", .want = DKIM_PASS },
	{ "v= not first", PLAIN, .record = "p=%p; v=DKIM1",
	    .want = DKIM_PERMERROR, .rule = "key-version" },
	{ "v=DKIM2", PLAIN, .record = "v=DKIM2; p=%p",
	    .want = DKIM_PERMERROR, .rule = "key-version" },
	{ "v=dkim1", PLAIN, .record = "v=dkim1; p=%p",
	    .want = DKIM_PERMERROR, .rule = "no-key" },
	{ "g= and n= count for nothing", PLAIN,
	    .record = "v=DKIM1; g=nobody; n=hello; p=%p", .want = DKIM_PASS },
	{ "unknown tags in the record", PLAIN,
	    .record = "v=DKIM1; zz=1; p=%p", .want = DKIM_PASS },
	{ "p= twice", PLAIN, .record = "v=DKIM1; p=%p; p=x",
	    .want = DKIM_PERMERROR, .rule = "key-syntax" },
	{ "no p=", PLAIN, .record = "v=DKIM1; k=rsa",
	    .want = DKIM_PERMERROR, .rule = "key-syntax" },
	{ "p= empty: revoked", PLAIN, .record = "v=DKIM1; k=rsa; p=",
	    .want = DKIM_PERMERROR, .rule = "revoked" },
	{ "p= no base64", PLAIN, .record = "v=DKIM1; p=%",
	    .want = DKIM_PERMERROR, .rule = "key-syntax" },
	{ "p= no key", PLAIN, .record = "v=DKIM1; p=AAAA",
	    .want = DKIM_PERMERROR, .rule = "key-syntax" },
	{ "p= cut short", PLAIN,
	    .record = "v=DKIM1; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKC",
	    .want = DKIM_PERMERROR, .rule = "key-syntax" },
	{ "h=sha256", PLAIN, .record = "v=DKIM1; h=sha1:sha256; p=%p",
	    .want = DKIM_PASS },
	{ "h=sha1 alone", PLAIN, .record = "v=DKIM1; h=sha1; p=%p",
	    .want = DKIM_PERMERROR, .rule = "key-hash" },
	{ "h= with unknown ones", PLAIN,
	    .record = "v=DKIM1; h=sha3 : sha256; p=%p", .want = DKIM_PASS },
	{ "s=email", PLAIN, .record = "v=DKIM1; s=tlsrpt:email; p=%p",
	    .want = DKIM_PASS },
	{ "s=*", PLAIN, .record = "v=DKIM1; s=*; p=%p", .want = DKIM_PASS },
	{ "s= for other things", PLAIN, .record = "v=DKIM1; s=tlsrpt; p=%p",
	    .want = DKIM_PERMERROR, .rule = "key-service" },
	{ "k= unknown", PLAIN, .record = "v=DKIM1; k=dsa; p=%p",
	    .want = DKIM_PERMERROR, .rule = "key-type" },
	{ "k=ed25519 for rsa", PLAIN, .record = "v=DKIM1; k=ed25519; p=11qYAYKx"
	    "CrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", .want = DKIM_PERMERROR,
	    .rule = "key-type" },
	{ "t=y is told", PLAIN, .record = "v=DKIM1; t=y; p=%p",
	    .want = DKIM_PASS },
	{ "t=s and i= of d=", SIG("i=x@example.org;"),
	    .record = "v=DKIM1; t=y:s; p=%p", .want = DKIM_PASS },
	{ "t=s and no i=", PLAIN, .record = "v=DKIM1; t=s; p=%p",
	    .want = DKIM_PASS },
	{ "t=s and i= below d=", SIG("i=x@m.example.org;"),
	    .record = "v=DKIM1; t=s; p=%p", .want = DKIM_PERMERROR,
	    .rule = "key-identity" },
	{ "a record of SPF", PLAIN, .record = "v=spf1 -all",
	    .want = DKIM_PERMERROR, .rule = "no-key" },
	{ "an empty record", PLAIN, .record = "", .want = DKIM_PERMERROR,
	    .rule = "no-key" },
	{ "the key of another", PLAIN, .key = LAB_OTHER, .want = DKIM_FAIL,
	    .rule = "signature" },

	/* RFC 8301, 3.2; RFC 8463 */
	{ "512 bits", PLAIN, .key = LAB_SMALL, .want = DKIM_POLICY,
	    .rule = "key-size" },
	{ "1024 bits", PLAIN, .key = LAB_WEAK, .want = DKIM_PASS },
	{ "3072 bits", PLAIN, .key = LAB_LARGE, .want = DKIM_PASS },
	{ "ed25519", " v=1; a=ed25519-sha256; c=relaxed/relaxed;"
	    " d=example.org; s=sel; h=from; bh=%h; b=%b",
	    .key = LAB_ED25519, .want = DKIM_PASS },
	{ "ed25519, body changed", " v=1; a=ed25519-sha256; d=example.org;"
	    " s=sel; h=from; bh=%h; b=%b", .body_arrives = "x",
	    .key = LAB_ED25519, .want = DKIM_FAIL, .rule = "body-hash" },
	{ "ed25519, header changed", " v=1; a=ed25519-sha256; d=example.org;"
	    " s=sel; h=from; bh=%h; b=%b", .arrives = "From: x@example.org\r\n",
	    .key = LAB_ED25519, .want = DKIM_FAIL, .rule = "signature" },
	{ "ed25519 with a key of rsa", " v=1; a=ed25519-sha256;"
	    " d=example.org; s=sel; h=from; bh=%h; b=%b",
	    .want = DKIM_PERMERROR, .rule = "key-type" },
	{ "ed25519, 31 bytes", " v=1; a=ed25519-sha256; d=example.org;"
	    " s=sel; h=from; bh=%h; b=%b", .key = LAB_ED25519,
	    .record = "k=ed25519; p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    .want = DKIM_PERMERROR, .rule = "key-syntax" },
};

static struct dkim_limits
limits_now(void)
{
	struct dkim_limits limits = dkim_limits_default;

	limits.now = NOW;
	return limits;
}

/* Whether this is how the case signs; LAB_OTHER only answers in DNS. */
static enum lab_key
signs(enum lab_key key)
{
	return key == LAB_OTHER ? LAB_RSA : key;
}

static struct slice
arriving(struct arena *a, struct slice head, const char *arrives)
{
	struct buf out = buf_in(a);
	struct slice rest = head;
	struct field f;

	if (arrives == NULL)
		return head;
	if (arrives[0] == '+') {
		buf_adds(&out, arrives + 1);
		buf_add(&out, head);
	} else {
		field_next(&rest, &f);
		buf_add(&out, f.raw);
		buf_adds(&out, arrives);
	}
	return buf_slice(&out);
}

static void
verify(struct arena *a, struct slice head, struct slice body,
    const struct dns_answer *answer, const struct dkim_limits *limits,
    struct dkim_signature *sig_r)
{
	struct dkim_signature *list;
	struct message msg;

	message_read(&msg, a, head, body, NULL);
	memset(sig_r, 0, sizeof *sig_r);
	if (dkim_signatures(a, &msg, limits, &list) == 0)
		return;
	*sig_r = list[0];
	dkim_verify(a, sig_r, &msg, dkim_bodies_new(a, &msg), answer, cache,
	    limits);
}

static void
run_case(size_t i, struct arena *a)
{
	const char *text = cases[i].head != NULL ? cases[i].head : HEAD;
	const char *content = cases[i].body != NULL ? cases[i].body : BODY;
	struct dkim_limits limits = limits_now();
	struct slice head = lab_sign(a, slice_of(text), slice_of(content),
	    "DKIM-Signature", cases[i].tags, signs(cases[i].key));
	struct dkim_signature sig;
	struct dns_answer *answer = lab_answer(a,
	    lab_record(a, cases[i].record, cases[i].key));

	if (cases[i].body_arrives != NULL)
		content = cases[i].body_arrives;
	verify(a, arriving(a, head, cases[i].arrives), slice_of(content),
	    answer, &limits, &sig);
	tap_is_str(dkim_result_name(sig.result),
	    dkim_result_name(cases[i].want), "%s: %.*s", cases[i].name,
	    SLICE_ARG(sig.reason));
	if (cases[i].rule != NULL)
		tap_is_str(sig.rule, cases[i].rule, "%s: rule", cases[i].name);
}

/* What DNS says, and says in several records */

static void
answers(struct arena *a)
{
	struct dkim_limits limits = limits_now();
	struct slice head = lab_sign(a, SLICE(HEAD), SLICE(BODY),
	    "DKIM-Signature", PLAIN, LAB_RSA);
	struct dns_record records[6] = {
		{ .data = SLICE("v=spf1 -all") },
		{ .data = lab_record(a, NULL, LAB_OTHER) },
		{ .data = lab_record(a, NULL, LAB_RSA) },
		{ .data = lab_record(a, NULL, LAB_OTHER) },
		{ .data = lab_record(a, NULL, LAB_OTHER) },
		{ .data = lab_record(a, NULL, LAB_RSA) },
	};
	struct dns_answer answer = { DNS_OK, records, 3, false, 60 };
	struct dkim_signature sig;

	verify(a, head, SLICE(BODY), &answer, &limits, &sig);
	tap_ok(sig.result == DKIM_PASS, "one of several records is the key");
	tap_is_int(sig.key_bits, 2048, "its size is told");
	answer.count = 2;
	verify(a, head, SLICE(BODY), &answer, &limits, &sig);
	tap_is_str(sig.rule, "signature", "none of them is");
	answer.records = records + 1;
	answer.count = 5;
	records[2].data = records[1].data;
	verify(a, head, SLICE(BODY), &answer, &limits, &sig);
	tap_is_str(sig.rule, "signature", "only so many are tried");

	for (int i = DNS_NODATA; i <= DNS_CANCELLED; i++) {
		answer = (struct dns_answer){ .status = i };
		verify(a, head, SLICE(BODY), &answer, &limits, &sig);
		tap_is_str(dkim_result_name(sig.result), i <= DNS_NXDOMAIN ?
		    "permerror" : "temperror", "key: %s", dns_status_name(i));
	}
	verify(a, head, SLICE(BODY), NULL, &limits, &sig);
	tap_ok(sig.result == DKIM_TEMPERROR, "key: no answer");
}

static void
partly(struct arena *a)
{
	struct dkim_limits limits = limits_now();
	struct slice head = lab_sign(a, SLICE(HEAD), SLICE(BODY),
	    "DKIM-Signature", SIG("l=13;"), LAB_RSA);
	struct dns_answer *answer = lab_answer(a,
	    lab_record(a, "v=DKIM1; t=y; p=%p", LAB_RSA));
	struct dkim_signature sig;

	verify(a, head, SLICE(BODY), answer, &limits, &sig);
	tap_ok(sig.result == DKIM_POLICY && sig.partial, "l= is told");
	tap_ok(sig.testing, "so is t=y of the key");
	limits.allow_partial = true;
	verify(a, head, SLICE(BODY), answer, &limits, &sig);
	tap_ok(sig.result == DKIM_PASS && sig.partial, "and may be allowed");
	verify(a, head, SLICE("Fish, chops\r\nand peas"), answer, &limits,
	    &sig);
	tap_is_str(sig.rule, "body-hash", "but what it covers counts");
	verify(a, head, SLICE("Fish"), answer, &limits, &sig);
	tap_is_str(sig.rule, "length", "and what it covers must be there");
}

/* Limits */

static void
many_signatures(struct arena *a)
{
	struct dkim_limits limits = limits_now();
	struct slice head = lab_sign(a, SLICE(HEAD), SLICE(BODY),
	    "DKIM-Signature", PLAIN, LAB_RSA), first = head;
	struct dns_answer *answer = lab_answer(a,
	    lab_record(a, NULL, LAB_RSA));
	struct buf out = buf_in(a);
	struct dkim_signature *list;
	struct dkim_bodies *bodies;
	struct message msg;
	struct field f;
	size_t n, passed = 0, policy = 0;

	field_next(&first, &f);
	for (int i = 0; i < 499; i++)
		buf_add(&out, f.raw);
	buf_add(&out, head);
	message_read(&msg, a, buf_slice(&out), SLICE(BODY), NULL);
	n = dkim_signatures(a, &msg, &limits, &list);
	bodies = dkim_bodies_new(a, &msg);
	for (size_t i = 0; i < n; i++) {
		dkim_verify(a, &list[i], &msg, bodies, answer, cache, &limits);
		passed += list[i].result == DKIM_PASS;
		policy += list[i].result == DKIM_POLICY &&
		    strcmp(list[i].rule, "limit") == 0 && list[i].index == i;
	}
	tap_is_int((long long)n, 500, "500 signatures are listed");
	tap_is_int((long long)passed, DKIM_SIGNATURES, "few are verified");
	tap_is_int((long long)policy, 490, "the others are over the limit");
}

static void
long_lists(struct arena *a)
{
	struct dkim_limits limits = limits_now();
	struct dns_answer *answer = lab_answer(a,
	    lab_record(a, NULL, LAB_RSA));
	struct buf names = buf_in(a);
	struct dkim_signature sig;
	struct slice tags;

	for (int i = 0; i < DKIM_NAMES - 1; i++)
		buf_addf(&names, "from:");
	buf_addf(&names, "x");
	tags = lab_replace(a, SLICE(TAGS("simple", "example.org", "%n")), "%n",
	    buf_slice(&names));
	verify(a, lab_sign(a, SLICE(HEAD), SLICE(BODY), "DKIM-Signature",
	    arena_str(a, tags), LAB_RSA), SLICE(BODY), answer, &limits, &sig);
	tap_ok(sig.result == DKIM_PASS, "a long h= is read to its end");
	buf_addf(&names, ":y");
	tags = lab_replace(a, SLICE(TAGS("simple", "example.org", "%n")), "%n",
	    buf_slice(&names));
	verify(a, lab_sign(a, SLICE(HEAD), SLICE(BODY), "DKIM-Signature",
	    arena_str(a, tags), LAB_RSA), SLICE(BODY), answer, &limits, &sig);
	tap_is_str(sig.rule, "limit", "one name more is too many");

	buf_clear(&names);
	for (int i = 0; i < TAGS_MAX; i++)
		buf_addf(&names, " t%d=1;", i);
	tags = buf_slice(&names);
	verify(a, lab_sign(a, SLICE(HEAD), SLICE(BODY), "DKIM-Signature",
	    arena_str(a, lab_replace(a, SLICE(SIG("%n")), "%n", tags)),
	    LAB_RSA), SLICE(BODY), answer, &limits, &sig);
	tap_is_str(sig.rule, "syntax", "so are too many tags");
}

static void
rule_of(struct arena *a, struct slice record, const char *want,
    const char *what)
{
	struct dkim_limits limits = limits_now();
	struct dkim_signature sig;

	verify(a, lab_sign(a, SLICE(HEAD), SLICE(BODY), "DKIM-Signature", PLAIN,
	    LAB_RSA), SLICE(BODY), lab_answer(a, record), &limits, &sig);
	tap_is_str(sig.rule, want, "%s: %.*s", what, SLICE_ARG(sig.reason));
}

static void
odd_keys(struct arena *a)
{
	struct dkim_limits limits = limits_now();
	struct dkim_signature sig;
	char *long_text = arena_alloc(a, 70001);
	struct slice record, p;

	p = lab_p_bits(a, 16384, 65537);
	rule_of(a, lab_replace(a, SLICE("v=DKIM1; p=%p"), "%p", p), "key-size",
	    "16384 bits");
	p = lab_p_bits(a, 8192, 65537);
	rule_of(a, lab_replace(a, SLICE("v=DKIM1; p=%p"), "%p", p),
	    "signature", "8192 bits, by the bare RSAPublicKey");
	p = lab_p_bits(a, 2048, 1);
	rule_of(a, lab_replace(a, SLICE("v=DKIM1; p=%p"), "%p", p),
	    "key-syntax", "an exponent of 1");
	p = lab_p_bits(a, 2048, 65536);
	rule_of(a, lab_replace(a, SLICE("v=DKIM1; p=%p"), "%p", p),
	    "key-syntax", "an even exponent");
	memset(long_text, 'A', 70000);
	memcpy(long_text, "v=DKIM1; p=", 11);
	rule_of(a, slice_make(long_text, 65536), "key-syntax",
	    "a record of 64 kB");
	rule_of(a, slice_make(long_text, 65537), "key-size",
	    "a record of more");

	record = lab_record(a, NULL, LAB_LARGE);
	limits.max_rsa_bits = 2048;
	verify(a, lab_sign(a, SLICE(HEAD), SLICE(BODY), "DKIM-Signature", PLAIN,
	    LAB_LARGE), SLICE(BODY), lab_answer(a, record), &limits, &sig);
	tap_is_str(sig.rule, "key-size", "limits say what is too large");
	tap_is_int(sig.key_bits, 3072, "and how large it is, is told");
}

/* The cache of keys */

static void
key_cache(struct arena *a)
{
	struct dkim_keys *keys = dkim_keys_new(4);
	struct dkim_key *first, *again, *bad;

	first = dkim_key_get(keys, lab_record(a, NULL, LAB_RSA));
	again = dkim_key_get(keys, lab_record(a, NULL, LAB_RSA));
	tap_ok(first == again, "a record is parsed once");
	bad = dkim_key_get(keys, SLICE("v=DKIM1; p=x"));
	again->users--;
	tap_ok(dkim_key_get(keys, SLICE("v=DKIM1; p=x")) == bad,
	    "a bad one as well");
	bad->users--;
	dkim_key_drop(bad);
	for (int i = 0; i < 100; i++) {
		struct slice text = arena_printf(a, "v=DKIM1; n=%d; p=x", i);

		dkim_key_drop(dkim_key_get(keys, text));
		again = dkim_key_get(keys, lab_record(a, NULL, LAB_RSA));
		if (again != first)
			break;
		dkim_key_drop(again);
	}
	tap_ok(again == first, "what is asked for stays");
	for (int i = 0; i < 8; i++)
		dkim_key_drop(dkim_key_get(keys,
		    arena_printf(a, "v=DKIM1; n=%d; p=x", i)));
	again = dkim_key_get(keys, lab_record(a, NULL, LAB_RSA));
	tap_ok(again != first, "what is not asked for goes");
	tap_ok(first->pkey != NULL && first->bits == 2048,
	    "but not from who uses it");
	dkim_key_drop(again);
	dkim_key_drop(first);
	again = dkim_key_get(NULL, lab_record(a, NULL, LAB_ED25519));
	tap_ok(again->ed25519 && again->bits == 256, "no cache, a key");
	dkim_key_drop(again);
	dkim_keys_free(keys);
	dkim_keys_free(NULL);
}

/* Relaxed bodies against the plainest way to write them (3.4.4) */

static struct slice
plain_relaxed(struct arena *a, struct slice body)
{
	struct buf out = buf_in(a);
	struct slice all;

	for (size_t i = 0; i < body.len; i++) {
		size_t end = i;

		while (end < body.len && ascii_blank(body.ptr[end]))
			end++;
		if (end > i) {
			bool eol = end == body.len || (body.len - end > 1 &&
			    memcmp(body.ptr + end, "\r\n", 2) == 0);

			if (!eol)
				buf_addc(&out, ' ');
			i = end - 1;
		} else {
			buf_addc(&out, body.ptr[i]);
		}
	}
	all = buf_slice(&out);
	while (slice_ends(all, SLICE("\r\n")))
		all.len -= 2;
	if (all.len == 0)
		return SLICE("");
	out.len = all.len;
	buf_adds(&out, "\r\n");
	return buf_slice(&out);
}

static bool
same_hash(struct slice body, struct slice plain, uint64_t limit)
{
	unsigned char got[DKIM_HASH], want[DKIM_HASH];
	uint64_t length;

	if (!canon_body(DKIM_RELAXED, body, limit, got, &length))
		return false;
	EVP_Digest(plain.ptr, limit < plain.len ? (size_t)limit : plain.len,
	    want, NULL, dkim_sha256(), NULL);
	return length == plain.len && memcmp(got, want, DKIM_HASH) == 0;
}

/* Pseudo-random, the same in each run. */
static unsigned
next(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

static void
bodies_relaxed(struct arena *a)
{
	static const char *const words[] = { " ", "\t", "\r\n", "\r", "\n",
	    "x", "word", ("a long run of words that goes on for more than one "
	    "block of the window without a thing to change in it anywhere") };
	unsigned state = 1, wrong = 0;

	for (int run = 0; run < 4000; run++) {
		struct buf text = buf_in(a);
		size_t pieces = next(&state) % 60, last = run % 2 ? 8 : 6;
		struct slice plain;

		if (run % 500 == 0)
			pieces = 4000;
		for (size_t i = 0; i < pieces; i++)
			buf_adds(&text, words[next(&state) % last]);
		plain = plain_relaxed(a, buf_slice(&text));
		wrong += !same_hash(buf_slice(&text), plain, UINT64_MAX);
		wrong += !same_hash(buf_slice(&text), plain,
		    next(&state) % (plain.len + 1));
		arena_reset(a);
	}
	tap_is_int(wrong, 0, "relaxed bodies are what the RFC says");
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
	answers(a);
	partly(a);
	many_signatures(a);
	long_lists(a);
	odd_keys(a);
	key_cache(a);
	bodies_relaxed(a);
	dkim_keys_free(cache);
	lab_close();
	arena_free(a);
	return tap_done();
}
