// SPDX-License-Identifier: Apache-2.0
#include "CImages.h"

#include <stdio.h>
#include <string.h>

#ifdef LCW_IMAGES

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>

int lcw_images_are_there(void) { return 1; }

// What libpng hands back to the functions below.
typedef struct {
  const uint8_t *bytes;
  size_t count;
  size_t position;
  char *message;
} Source;

static void fail(png_structp png, png_const_charp text) {
  Source *source = png_get_error_ptr(png);
  snprintf(source->message, LCW_IMAGE_MESSAGE, "%s", text);
  longjmp(png_jmpbuf(png), 1);
}

// Warnings are about chunks that say nothing of the pixels.
static void ignore(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void read_bytes(png_structp png, png_bytep target, size_t count) {
  Source *source = png_get_io_ptr(png);
  if (count > source->count - source->position) png_error(png, "it ends too early");
  memcpy(target, source->bytes + source->position, count);
  source->position += count;
}

// Reads the header, and the pixels where there is a place for them.
static int read_png(Source *source, LCWImageHeader *header, uint8_t *pixels) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, source, fail, ignore);
  if (!png) {
    snprintf(source->message, LCW_IMAGE_MESSAGE, "libpng can't be used");
    return 1;
  }
  png_infop info = png_create_info_struct(png);
  png_bytep *volatile rows = NULL;
  if (!info || setjmp(png_jmpbuf(png))) {
    free(rows);
    png_destroy_read_struct(&png, info ? &info : NULL, NULL);
    return 1;
  }
  png_set_read_fn(png, source, read_bytes);
  png_set_user_limits(png, 1 << 20, 1 << 20);
  png_set_chunk_malloc_max(png, 8000000);
  png_read_info(png, info);
  // Grey or RGB, perhaps with alpha, of 8 bits; palettes and transparent colours are resolved.
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const uint32_t width = png_get_image_width(png, info);
  const uint32_t height = png_get_image_height(png, info);
  const uint32_t channels = png_get_channels(png, info);
  if (png_get_rowbytes(png, info) != (size_t)width * channels) png_error(png, "its rows are odd");
  if (!pixels) {
    *header = (LCWImageHeader){width, height, channels};
  } else {
    if (width != header->width || height != header->height || channels != header->channels)
      png_error(png, "its header changed");
    rows = malloc(height * sizeof *rows);
    if (!rows) png_error(png, "out of memory");
    for (uint32_t row = 0; row < height; row++)
      rows[row] = pixels + (size_t)row * width * channels;
    png_read_image(png, rows);
    png_read_end(png, NULL);
  }
  free(rows);
  png_destroy_read_struct(&png, &info, NULL);
  return 0;
}

int lcw_png_header(
    const uint8_t *bytes, size_t count, LCWImageHeader *header, char message[LCW_IMAGE_MESSAGE]) {
  Source source = {bytes, count, 0, message};
  return read_png(&source, header, NULL);
}

int lcw_png_decode(
    const uint8_t *bytes, size_t count, const LCWImageHeader *header, uint8_t *pixels,
    char message[LCW_IMAGE_MESSAGE]) {
  Source source = {bytes, count, 0, message};
  LCWImageHeader known = *header;
  return read_png(&source, &known, pixels);
}

#else

int lcw_images_are_there(void) { return 0; }

static int none(char *message) {
  snprintf(message, LCW_IMAGE_MESSAGE, "this program was built without libpng and libjpeg");
  return 1;
}

int lcw_png_header(
    const uint8_t *bytes, size_t count, LCWImageHeader *header, char message[LCW_IMAGE_MESSAGE]) {
  (void)bytes, (void)count, (void)header;
  return none(message);
}

int lcw_png_decode(
    const uint8_t *bytes, size_t count, const LCWImageHeader *header, uint8_t *pixels,
    char message[LCW_IMAGE_MESSAGE]) {
  (void)bytes, (void)count, (void)header, (void)pixels;
  return none(message);
}

int lcw_jpeg_header(
    const uint8_t *bytes, size_t count, LCWImageHeader *header, char message[LCW_IMAGE_MESSAGE]) {
  (void)bytes, (void)count, (void)header;
  return none(message);
}

int lcw_jpeg_decode(
    const uint8_t *bytes, size_t count, const LCWImageHeader *header, uint8_t *pixels,
    char message[LCW_IMAGE_MESSAGE]) {
  (void)bytes, (void)count, (void)header, (void)pixels;
  return none(message);
}

#endif
