// SPDX-License-Identifier: Apache-2.0
#include "CImages.h"

#ifdef LCW_IMAGES

#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <setjmp.h>

// libjpeg's way of reporting, with the place to go on at.
typedef struct {
  struct jpeg_error_mgr manager;
  jmp_buf place;
  char *message;
} Reporter;

static void fail(j_common_ptr jpeg) {
  Reporter *reporter = (Reporter *)jpeg->err;
  char text[JMSG_LENGTH_MAX];
  (*jpeg->err->format_message)(jpeg, text);
  snprintf(reporter->message, LCW_IMAGE_MESSAGE, "%s", text);
  longjmp(reporter->place, 1);
}

// A warning means that pixels were made up, as those behind the end of a file that was cut off.
static void report(j_common_ptr jpeg, int level) {
  if (level < 0) fail(jpeg);
}

// A progressive image has a handful of passes; each costs work whatever its bytes.
static void watch(j_common_ptr jpeg) {
  Reporter *reporter = (Reporter *)jpeg->err;
  if (!jpeg->is_decompressor || ((j_decompress_ptr)jpeg)->input_scan_number <= 1000) return;
  snprintf(reporter->message, LCW_IMAGE_MESSAGE, "it has more than 1000 passes");
  longjmp(reporter->place, 1);
}

static void ignore(j_common_ptr jpeg) { (void)jpeg; }

// Reads the header, and the pixels where there is a place for them.
static int read_jpeg(
    const uint8_t *bytes, size_t count, LCWImageHeader *header, uint8_t *pixels, char *message) {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_progress_mgr progress = {.progress_monitor = watch};
  Reporter reporter;
  memset(&jpeg, 0, sizeof jpeg);
  jpeg.err = jpeg_std_error(&reporter.manager);
  reporter.manager.error_exit = fail;
  reporter.manager.emit_message = report;
  reporter.manager.output_message = ignore;
  reporter.message = message;
  if (setjmp(reporter.place)) {
    jpeg_destroy_decompress(&jpeg);
    return 1;
  }
  jpeg_create_decompress(&jpeg);
  jpeg.progress = &progress;
  jpeg_mem_src(&jpeg, (unsigned char *)bytes, count);
  jpeg_read_header(&jpeg, TRUE);
  const int is_grey = jpeg.jpeg_color_space == JCS_GRAYSCALE;
  if (!is_grey && jpeg.jpeg_color_space != JCS_YCbCr && jpeg.jpeg_color_space != JCS_RGB) {
    snprintf(message, LCW_IMAGE_MESSAGE, "its colours are neither grey nor RGB");
    longjmp(reporter.place, 1);
  }
  jpeg.out_color_space = is_grey ? JCS_GRAYSCALE : JCS_RGB;
  const uint32_t channels = is_grey ? 1 : 3;
  if (!pixels) {
    *header = (LCWImageHeader){jpeg.image_width, jpeg.image_height, channels};
  } else {
    // The same numbers on all machines: exact integers, no shortcuts.
    jpeg.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&jpeg);
    if (jpeg.output_width != header->width || jpeg.output_height != header->height ||
        (uint32_t)jpeg.output_components != header->channels) {
      snprintf(message, LCW_IMAGE_MESSAGE, "its header changed");
      longjmp(reporter.place, 1);
    }
    while (jpeg.output_scanline < jpeg.output_height) {
      JSAMPROW row = pixels + (size_t)jpeg.output_scanline * jpeg.output_width * channels;
      jpeg_read_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_decompress(&jpeg);
  }
  jpeg_destroy_decompress(&jpeg);
  return 0;
}

int lcw_jpeg_header(
    const uint8_t *bytes, size_t count, LCWImageHeader *header, char message[LCW_IMAGE_MESSAGE]) {
  return read_jpeg(bytes, count, header, NULL, message);
}

int lcw_jpeg_decode(
    const uint8_t *bytes, size_t count, const LCWImageHeader *header, uint8_t *pixels,
    char message[LCW_IMAGE_MESSAGE]) {
  LCWImageHeader known = *header;
  return read_jpeg(bytes, count, &known, pixels, message);
}

#endif
