#include "cells/code/picture.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

bool
picture_room(struct arena *a, uint64_t width, uint64_t height,
    struct picture *picture_r, struct slice *why_r)
{
	if (width == 0 || height == 0 || width > PICTURE_SIDE ||
	    height > PICTURE_SIDE || width * height > PICTURE_WRITTEN) {
		*why_r = arena_printf(a, "%llu by %llu pixels",
		    (unsigned long long)width, (unsigned long long)height);
		return false;
	}
	*picture_r = (struct picture){ (unsigned)width, (unsigned)height,
	    arena_alloc(a, (size_t)(width * height)) };
	return true;
}

static bool
read_png(struct arena *a, struct slice bytes, struct picture *p,
    struct slice *why_r)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	png_color white = { 255, 255, 255 };
	bool good;

	if (!png_image_begin_read_from_memory(&image, bytes.ptr, bytes.len)) {
		*why_r = arena_printf(a, "PNG: %s", image.message);
		return false;
	}
	image.format = PNG_FORMAT_GRAY;
	good = picture_room(a, image.width, image.height, p, why_r);
	/* A picture that is cut shows its beginning all the same. */
	if (good)
		png_image_finish_read(&image, &white, p->grey, 0, NULL);
	png_image_free(&image);
	return good;
}

struct jpeg_trouble {
	struct jpeg_error_mgr base;
	jmp_buf out;
};

static void
jpeg_fails(j_common_ptr c)
{
	struct jpeg_trouble *t = (struct jpeg_trouble *)(void *)c->err;

	longjmp(t->out, 1);
}

static void
jpeg_silent(j_common_ptr c)
{
	(void)c;
}

/* Fewer pixels cost less where they are not even decoded. */
static void
make_small(struct jpeg_decompress_struct *j)
{
	while (j->scale_denom < 8 && (uint64_t)j->image_width *
	    j->image_height / (j->scale_denom * j->scale_denom) >
	    PICTURE_PIXELS)
		j->scale_denom *= 2;
}

/* No variable of its own lives over the longjmp. */
static bool
decode_jpeg(struct arena *a, struct slice bytes,
    struct jpeg_decompress_struct *j, struct picture *p, struct slice *why_r)
{
	struct picture whole;

	jpeg_create_decompress(j);
	jpeg_mem_src(j, (const unsigned char *)bytes.ptr, bytes.len);
	jpeg_read_header(j, TRUE);
	j->out_color_space = JCS_GRAYSCALE;
	j->scale_num = 1;
	j->scale_denom = 1;
	/* What is written is bounded before any of it is read. */
	if (j->image_width > PICTURE_SIDE || j->image_height > PICTURE_SIDE ||
	    (uint64_t)j->image_width * j->image_height > PICTURE_WRITTEN)
		return picture_room(a, j->image_width, j->image_height,
		    &whole, why_r);
	make_small(j);
	jpeg_start_decompress(j);
	if (!picture_room(a, j->output_width, j->output_height, p, why_r))
		return false;
	while (j->output_scanline < j->output_height) {
		JSAMPROW row = p->grey + (size_t)j->output_scanline *
		    p->width;

		if (jpeg_read_scanlines(j, &row, 1) != 1)
			break;
	}
	return true;
}

static bool
read_jpeg(struct arena *a, struct slice bytes, struct picture *p,
    struct slice *why_r)
{
	struct jpeg_decompress_struct *j = arena_alloc(a, sizeof *j);
	struct jpeg_trouble *trouble = arena_alloc(a, sizeof *trouble);
	bool good = false;

	*why_r = SLICE("the JPEG is broken");
	p->grey = NULL;
	j->err = jpeg_std_error(&trouble->base);
	trouble->base.error_exit = jpeg_fails;
	trouble->base.output_message = jpeg_silent;
	if (setjmp(trouble->out) == 0)
		good = decode_jpeg(a, bytes, j, p, why_r);
	else
		good = p->grey != NULL;		/* as far as it goes */
	jpeg_destroy_decompress(j);
	return good;
}

/* Each pixel the mean of four. */
static void
halve(struct picture *p)
{
	unsigned w = p->width / 2, h = p->height / 2;

	for (unsigned y = 0; y < h; y++)
		for (unsigned x = 0; x < w; x++) {
			const unsigned char *from = p->grey +
			    (size_t)y * 2 * p->width + (size_t)x * 2;

			p->grey[(size_t)y * w + x] = (unsigned char)((from[0] +
			    from[1] + from[p->width] +
			    from[p->width + 1] + 2) / 4);
		}
	p->width = w;
	p->height = h;
}

bool
picture_read(struct arena *a, struct slice bytes, struct picture *picture_r,
    struct slice *why_r)
{
	bool good;

	if (slice_starts(bytes, SLICE("\x89PNG")))
		good = read_png(a, bytes, picture_r, why_r);
	else if (slice_starts(bytes, SLICE("\xff\xd8\xff")))
		good = read_jpeg(a, bytes, picture_r, why_r);
	else if (slice_starts(bytes, SLICE("GIF8")))
		good = picture_gif(a, bytes, picture_r, why_r);
	else {
		*why_r = SLICE("no PNG, JPEG or GIF");
		return false;
	}
	while (good && picture_r->width > 1 && picture_r->height > 1 &&
	    (uint64_t)picture_r->width * picture_r->height > PICTURE_PIXELS)
		halve(picture_r);
	return good;
}

struct picture
picture_larger(struct arena *a, const struct picture *p, unsigned n)
{
	struct picture out = { p->width * n, p->height * n,
	    arena_alloc(a, (size_t)p->width * p->height * n * n) };

	for (size_t y = 0; y < out.height; y++)
		for (size_t x = 0; x < out.width; x++)
			out.grey[y * out.width + x] =
			    p->grey[y / n * p->width + x / n];
	return out;
}

void
picture_turn(struct picture *p)
{
	for (size_t i = 0; i < (size_t)p->width * p->height; i++)
		p->grey[i] = (unsigned char)(255 - p->grey[i]);
}
