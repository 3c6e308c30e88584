// SPDX-License-Identifier: Apache-2.0
#ifndef LCW_CIMAGES_H
#define LCW_CIMAGES_H

#include <stddef.h>
#include <stdint.h>

/// The bytes that a message may take, its end counted.
#define LCW_IMAGE_MESSAGE 200

/// What the header of an image says.
typedef struct {
  uint32_t width;
  uint32_t height;
  /// What decoding gives: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
  uint32_t channels;
} LCWImageHeader;

/// Whether the libraries were there when this was compiled.
int lcw_images_are_there(void);

/// Reads the header of a PNG image. Returns 0, or 1 and a message.
int lcw_png_header(
    const uint8_t *bytes, size_t count, LCWImageHeader *header, char message[LCW_IMAGE_MESSAGE]);
/// Decodes a PNG image into width · height · channels bytes, row by row. Returns 0, or 1 and a message.
int lcw_png_decode(
    const uint8_t *bytes, size_t count, const LCWImageHeader *header, uint8_t *pixels,
    char message[LCW_IMAGE_MESSAGE]);

/// Reads the header of a JPEG image. Returns 0, or 1 and a message.
int lcw_jpeg_header(
    const uint8_t *bytes, size_t count, LCWImageHeader *header, char message[LCW_IMAGE_MESSAGE]);
/// Decodes a JPEG image into width · height · channels bytes, row by row. Returns 0, or 1 and a message.
int lcw_jpeg_decode(
    const uint8_t *bytes, size_t count, const LCWImageHeader *header, uint8_t *pixels,
    char message[LCW_IMAGE_MESSAGE]);

#endif
