/* The directory file: what is read, what is refused and at which line, and
 * that a writer writes nothing that the reader does not take. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/directory.h"
#include "t/tap.h"

#define HEAD	"gatehouse-directory 1\n"
#define ORG	HEAD "D example.org\n"

static const struct {
	const char *name, *text;
	const char *why;		/* a part of it; NULL: it is taken */
} cases[] = {
	{ "nothing but head and end", HEAD "++++ 0\n", NULL },
	{ "one of each", HEAD "D example.com\tclient=a b\ttransport=smtp:x\n"
	  "D example.org\nP sales\tclient=acme\n"
	  "A all@example.org\ta@example.net,b@example.org\n"
	  "U b@example.org\tprofile=sales\ttransport=relay:[192.0.2.1]:25\t"
	  "attr.name=B. Person\tattr.phone=+1\n++++ 5\n", NULL },
	{ "mailboxes and aliases are one run", ORG "U a@example.org\n"
	  "A b@example.org\ta@example.org\nU c@example.org\n++++ 4\n", NULL },
	{ "letters beyond ASCII", HEAD "D xn--bcher-kva.example\n"
	  "U j\xc3\xb6rg@xn--bcher-kva.example\tattr.a=\xc3\xa9\n++++ 2\n",
	  NULL },
	{ "dots anywhere", ORG "U .a..b.@example.org\n++++ 2\n", NULL },
	{ "escaped", ORG "U a@example.org\tattr.a=1\\n2\\t3\\\\\n++++ 2\n",
	  NULL },

	{ "empty", "", "t:1: the file ends here" },
	{ "no head", "D example.org\n++++ 1\n", "t:1: this is no directory" },
	{ "another version", "gatehouse-directory 2\n++++ 0\n",
	  "t:1: \"gatehouse-directory 2\" is of another version" },
	{ "cut off", ORG "U a@example.org\n", "t:4: the file ends here without "
	  "its end mark \"++++ 2\"" },
	{ "cut off in the end mark", ORG "++++ 1", "t:3: the file ends" },
	{ "cut off in a record", ORG "U a@exam", "t:3: the file ends here" },
	{ "fewer than the end mark says", ORG "++++ 2\n",
	  "t:3: the end mark says 2 records, there are 1" },
	{ "end mark without number", ORG "++++ \n", "t:3: the end mark is" },
	{ "end mark with zeros", ORG "++++ 01\n", "here \"++++ 1\"" },
	{ "end mark with a sign", ORG "++++ +1\n", "t:3: the end mark is" },
	{ "more behind it", ORG "++++ 1\nU a@example.org\n",
	  "t:4: something stands behind the end mark" },
	{ "an empty line", ORG "\n++++ 1\n", "t:3: \"\" begins no record" },
	{ "an unknown record", ORG "X y\n++++ 2\n", "t:3: \"X y\" begins no" },
	{ "a small letter", ORG "u a@example.org\n++++ 2\n", "begins no" },
	{ "no blank", ORG "U\ta@example.org\n++++ 2\n", "begins no record" },
	{ "CR LF", "gatehouse-directory 1\r\n++++ 0\r\n", "t:1: the line ends "
	  "in CR LF" },
	{ "not UTF-8", ORG "U \xff@example.org\n++++ 2\n", "t:3: " },
	{ "not UTF-8 in a text", ORG "U a@example.org\tattr.a=\xc3\n++++ 2\n",
	  "t:3: the text of attr.a" },
	{ "a control in a text", ORG "U a@example.org\tattr.a=\x1b[2J\n"
	  "++++ 2\n", "t:3: the text of attr.a" },

	{ "a domain twice", ORG "D example.org\n++++ 2\n",
	  "t:3: domain \"example.org\" a second time (D and D)" },
	{ "mailbox and alias", ORG "A a@example.org\tb@example.org\n"
	  "U a@example.org\n++++ 3\n",
	  "t:4: address \"a@example.org\" a second time (A and U)" },
	{ "unsorted", ORG "U b@example.org\nU a@example.org\n++++ 3\n",
	  "t:4: \"a@example.org\" stands behind \"b@example.org\"" },
	{ "kinds unsorted", ORG "P p\nD example.net\n++++ 3\n",
	  "t:4: a D record behind a P" },
	{ "a domain in capitals", HEAD "D Example.org\n++++ 1\n",
	  "write it as \"example.org\"" },
	{ "a domain in U-labels", HEAD "D b\xc3\xbc""cher.example\n++++ 1\n",
	  "write it as \"xn--bcher-kva.example\"" },
	{ "no domain", HEAD "D a b\n++++ 1\n", "\"a b\" is no domain" },
	{ "an address in capitals", ORG "U A@example.org\n++++ 2\n",
	  "t:3: \"A@example.org\" is not in normal form; write it as "
	  "\"a@example.org\"" },
	{ "a quoted one", ORG "U \"a b\"@example.org\n++++ 2\n", "t:3: " },
	{ "one with a blank", ORG "U a b@example.org\n++++ 2\n",
	  "is no address that can stand here" },
	{ "no local part", ORG "U @example.org\n++++ 2\n", "is no address" },
	{ "no domain in it", ORG "U a\n++++ 2\n", "is no address" },
	{ "of an alien domain", ORG "U a@example.com\n++++ 2\n",
	  "t:3: a@example.com is of a domain without a D record" },
	{ "an unknown profile", ORG "U a@example.org\tprofile=p\n++++ 2\n",
	  "t:3: profile \"p\" has no P record" },

	{ "an unknown field", ORG "U a@example.org\tcolour=red\n++++ 2\n",
	  "\"colour\" is no field of a U record" },
	{ "a client of a user", ORG "U a@example.org\tclient=c\n++++ 2\n",
	  "\"client\" is no field of a U record" },
	{ "a field twice", HEAD "D a.example\tclient=x\tclient=y\n++++ 1\n",
	  "each once" },
	{ "fields out of order", HEAD
	  "D a.example\ttransport=smtp:x\tclient=y\n++++ 1\n",
	  "in this order" },
	{ "no equals sign", ORG "U a@example.org\tprofile\n++++ 2\n",
	  "wants NAME=TEXT" },
	{ "a tab at the end", ORG "U a@example.org\t\n++++ 2\n",
	  "is no field" },
	{ "an empty client", HEAD "D a.example\tclient=\n++++ 1\n",
	  "the name of a client" },
	{ "an empty attribute", ORG "U a@example.org\tattr.a=\n++++ 2\n",
	  "the text of attr.a" },
	{ "attributes unsorted", ORG "U a@example.org\tattr.b=1\tattr.a=1\n"
	  "++++ 2\n", "attr.a behind attr.b" },
	{ "an attribute twice", ORG "U a@example.org\tattr.a=1\tattr.a=1\n"
	  "++++ 2\n", "each once" },
	{ "an attribute in capitals", ORG "U a@example.org\tattr.A=1\n++++ 2\n",
	  "\"attr.A\": the name of an attribute" },
	{ "a lone backslash", ORG "U a@example.org\tattr.a=1\\\n++++ 2\n",
	  "a backslash is followed by" },
	{ "an unknown escape", ORG "U a@example.org\tattr.a=\\x\n++++ 2\n",
	  "a backslash is followed by" },
	{ "a transport without colon", HEAD "D a.example\ttransport=smtp\n"
	  "++++ 1\n", "\"smtp\" is no transport" },
	{ "a transport with a blank", HEAD "D a.example\ttransport=smtp:a b\n"
	  "++++ 1\n", "is no transport" },

	{ "an alias of nobody", ORG "A a@example.org\n++++ 2\n",
	  "an alias has 1 to 1000 members, this one 0" },
	{ "an empty member", ORG "A a@example.org\tb@example.org,\n++++ 2\n",
	  "\"\" is no address" },
	{ "of itself", ORG "A a@example.org\ta@example.org\n++++ 2\n",
	  "leads to itself" },
	{ "members unsorted", ORG "A a@example.org\tc@example.org,b@example.org"
	  "\n++++ 2\n", "sort members bytewise" },
	{ "a third field", ORG "A a@example.org\tb@example.org\tx=y\n++++ 2\n",
	  "has two fields" },
};

/* All of it again through the writer; false with why when it is refused. */
static enum rc
copy(struct directory_reader *d, int to, struct slice *why_r)
{
	struct directory_writer *w = directory_create(to, "to");
	struct directory_record r = { .key = SLICE("") };
	struct slice why = SLICE_NONE;
	static char text[4096];
	bool more = true;
	enum rc rc;

	while ((rc = directory_next(d, &r, &more, &why)) == RC_OK && more)
		if ((rc = directory_put(w, &r, &why)) != RC_OK) {
			tap_ok(false, "put: %.*s", SLICE_ARG(why));
			break;
		}
	if (rc == RC_OK)
		rc = directory_end(w, &why);
	snprintf(text, sizeof text, "%.*s", SLICE_ARG(why));
	*why_r = slice_of(text);
	directory_drop(w);
	return rc;
}

static struct slice
content(int fd)
{
	static char bytes[65536];
	ssize_t n = pread(fd, bytes, sizeof bytes, 0);

	return slice_make(bytes, n > 0 ? (size_t)n : 0);
}

static void
table(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice why = SLICE_NONE;
		int fd = memfd_create("to", MFD_CLOEXEC);
		struct directory_reader *d = directory_memory(
		    slice_of(cases[i].text), "t");
		enum rc rc = copy(d, fd, &why);
		bool good = cases[i].why == NULL ? rc == RC_OK &&
		    slice_eq(content(fd), slice_of(cases[i].text)) :
		    rc == RC_BAD && slice_search(why, slice_of(cases[i].why)) <
		    why.len;

		tap_ok(good, "%s: %.*s", cases[i].name, SLICE_ARG(why));
		directory_close(d);
		close(fd);
	}
}

static void
values(void)
{
	static const char text[] = HEAD "D a.example\tclient=c\n"
	    "P p\nU x@a.example\tprofile=p\ttransport=smtp:[h]\t"
	    "attr.a=1\\n2\\t\\\\\n++++ 3\n";
	struct directory_reader *d = directory_memory(slice_of(text), "t");
	struct directory_record r = { .key = SLICE("") };
	struct slice why = SLICE_NONE;
	bool more;

	directory_next(d, &r, &more, &why);
	tap_ok(r.kind == DIRECTORY_DOMAIN && r.transport.ptr == NULL,
	    "what is absent is absent");
	tap_is(r.client, SLICE("c"), "the client");
	directory_next(d, &r, &more, &why);
	directory_next(d, &r, &more, &why);
	tap_is(r.key, SLICE("x@a.example"), "the address");
	tap_is(r.profile, SLICE("p"), "the profile");
	tap_is(r.transport, SLICE("smtp:[h]"), "the transport");
	tap_is(r.attrs[0].name, SLICE("a"), "the attribute");
	tap_is(r.attrs[0].value, SLICE("1\n2\t\\"), "not escaped");
	tap_ok(directory_next(d, &r, &more, &why) == RC_OK && !more,
	    "then the end");
	tap_ok(directory_next(d, &r, &more, &why) == RC_OK && !more,
	    "and again");
	directory_close(d);
}

/* A line of just so many bytes with its LF, and one more. */
static void
long_lines(void)
{
	for (int over = 0; over < 2; over++) {
		struct buf b = { 0 };
		struct slice why = SLICE_NONE;
		struct directory_reader *d;
		int fd = memfd_create("long", MFD_CLOEXEC), null;
		size_t start;

		buf_adds(&b, ORG);
		start = b.len;
		buf_adds(&b, "U a@example.org");
		for (int i = 0; b.len - start < DIRECTORY_LINE_MAX - 2000; i++)
			buf_addf(&b, "\tattr.a%04d=%01000d", i, 0);
		buf_addf(&b, "\tattr.z=");
		while (b.len - start < DIRECTORY_LINE_MAX - 1u + (unsigned)over)
			buf_addc(&b, 'x');
		buf_adds(&b, "\n++++ 2\n");
		if (write(fd, b.ptr, b.len) != (ssize_t)b.len)
			tap_ok(false, "write");
		lseek(fd, 0, SEEK_SET);
		d = directory_open(fd, "t");
		null = memfd_create("to", MFD_CLOEXEC);
		copy(d, null, &why);
		close(null);
		tap_ok(slice_starts(why, over ? SLICE("t:3: a line of over "
		    "131072 bytes") : SLICE("t:3: over 64 attributes")),
		    "%d bytes: %.*s", DIRECTORY_LINE_MAX + over,
		    SLICE_ARG(why));
		directory_close(d);
		close(fd);
		buf_free(&b);
	}
}

static enum rc
put(struct directory_writer *w, enum directory_kind kind, const char *key,
    const char *client)
{
	struct directory_record r = { .kind = kind, .key = slice_of(key),
	    .client = slice_of(client) };
	struct slice why = SLICE_NONE;
	enum rc rc = directory_put(w, &r, &why);

	if (rc != RC_OK)
		tap_diag("%.*s", SLICE_ARG(why));
	return rc;
}

static void
writer(void)
{
	int fd = memfd_create("to", MFD_CLOEXEC), full = open("/dev/full",
	    O_WRONLY | O_CLOEXEC);
	struct directory_writer *w = directory_create(fd, "to");
	struct slice why = SLICE_NONE;

	tap_is_int(put(w, DIRECTORY_DOMAIN, "b.example", NULL), RC_OK, "put");
	tap_is_int(put(w, DIRECTORY_DOMAIN, "a.example", NULL), RC_BAD,
	    "unsorted is not written");
	tap_is_int(put(w, DIRECTORY_USER, "x@b.example", "c"), RC_BAD,
	    "nor a field of another kind");
	tap_is_int(put(w, DIRECTORY_USER, "x\n@b.example", NULL), RC_BAD,
	    "nor a newline in an address");
	tap_is_int(put(w, DIRECTORY_PROFILE, "p\tclient=c", NULL), RC_BAD,
	    "nor a tab in a name");
	tap_is_int(put(w, DIRECTORY_USER, "x@b.example", NULL), RC_OK, "put");
	tap_is_int(directory_end(w, &why), RC_OK, "the end");
	tap_is(content(fd), SLICE(HEAD "D b.example\nU x@b.example\n++++ 2\n"),
	    "what was refused left nothing");
	directory_drop(w);
	directory_drop(NULL);
	close(fd);
	w = directory_create(full, "full");
	tap_is_int(directory_end(w, &why), RC_RETRY, "a full disk");
	tap_is(why, SLICE("full: No space left on device"), "and says so");
	directory_drop(w);
	close(full);
}

/* Many, through a pipe of small pieces: where a read ends does not matter. */
static void
many(size_t n)
{
	FILE *f = tmpfile();
	struct directory_writer *w = directory_create(fileno(f), "many");
	struct directory_record r = { .kind = DIRECTORY_DOMAIN,
	    .key = SLICE("example.org") };
	struct directory_attr attrs[2] = {
		{ SLICE("name"), SLICE("Somebody of Somewhere") },
		{ SLICE("phone"), SLICE("+49 30 1234567") } };
	struct slice why = SLICE_NONE;
	struct directory_reader *d;
	size_t seen = 0;
	int64_t ms = tap_worked();
	bool more = true;

	directory_put(w, &r, &why);
	r = (struct directory_record){ .kind = DIRECTORY_USER,
	    .attrs = attrs, .nattrs = 2,
	    .transport = SLICE("smtp:[192.0.2.1]") };
	for (size_t i = 0; i < n; i++) {
		char key[64];

		snprintf(key, sizeof key, "user%08zu@example.org", i);
		r.key = slice_of(key);
		directory_put(w, &r, &why);
	}
	tap_is_int(directory_end(w, &why), RC_OK, "%zu written", n);
	directory_drop(w);
	tap_diag("written in %lld ms", (long long)(tap_worked() - ms));
	ms = tap_worked();
	rewind(f);
	d = directory_open(fileno(f), "many");
	while (directory_next(d, &r, &more, &why) == RC_OK && more)
		seen++;
	tap_is_int((long long)seen, (long long)n + 1, "and read: %.*s",
	    SLICE_ARG(why));
	tap_diag("read in %lld ms", (long long)(tap_worked() - ms));
	directory_close(d);
	fclose(f);
}

int
main(void)
{
	table();
	values();
	long_lines();
	writer();
	many(getenv("GATEHOUSE_FULL") != NULL ? 1000000 : 10000);
	return tap_done();
}
