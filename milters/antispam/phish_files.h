/*
 * phish_files - links in what is attached
 *
 * phish_files_open	the cells that read PDF, archives and office files
 *			(unpack), and codes in pictures (code). RC_BAD with
 *			*why_r: one cannot be started
 * phish_files_read	adds the links of attachments to those of the texts:
 *			URIs, text and JPEG of PDF, what office files refer to and
 *			say, pages, calendars and drawings (SVG), QR codes.
 *			Nothing is done for a message without such parts. Where
 *			a cell does not answer, it is `missed`; RC_RETRY with
 *			*why_r where the option says that it must
 *
 * Bounds: PHISH_FILES parts, PHISH_PICTURES pictures, PHISH_FILE_BYTES of
 * each, 32 MB of text in all of them, phishing_timeout.
 */
#ifndef ANTISPAM_PHISH_FILES_H
#define ANTISPAM_PHISH_FILES_H

#include "cell/cell.h"
#include "look.h"

enum { PHISH_FILES = 30, PHISH_PICTURES = 10, PHISH_FILE_BYTES = 16 << 20 };

struct phish_cells {
	struct cell *unpack, *code;	/* NULL: not wanted */
};

enum rc phish_files_open(const struct antispam_conf *conf,
    struct phish_cells *cells_r, struct arena *a, struct slice *why_r);
void phish_files_close(struct phish_cells *cells);
enum rc phish_files_read(struct spam_look *look,
    const struct phish_cells *cells, struct linker *l, struct slice *why_r);

/* URIs of a PDF's objects as they stand there, unpacked; for its tests. */
void phish_pdf_links(struct linker *l, struct slice bytes);

#endif
