// SPDX-License-Identifier: Apache-2.0
#include "CKernels.h"
#include <string.h>

// zstd frames (RFC 8878) of raw blocks only: libzstd would look for something to compress.

#define BLOCK ((size_t)1 << 17)

static size_t blocks_of(size_t content) { return content ? (content + BLOCK - 1) / BLOCK : 1; }

static size_t size_bytes(size_t content) { return content < 256 ? 1 : content < 65792 ? 2 : 4; }

size_t lcw_stored_frame_length(size_t content) {
  return 5 + size_bytes(content) + 3 * blocks_of(content) + content + 4;
}

static uint8_t *put(uint8_t *target, uint32_t value, size_t count) {
  for (size_t i = 0; i < count; i++) target[i] = (uint8_t)(value >> (8 * i));
  return target + count;
}

void lcw_write_stored_frame(
    uint8_t *frame, const uint8_t *content, size_t n, uint32_t checksum) {
  const size_t width = size_bytes(n);
  frame = put(frame, 0xFD2FB528u, 4);
  // A single segment with a checksum; the upper bits say how many bytes the size takes.
  frame = put(frame, width == 1 ? 0x24 : width == 2 ? 0x64 : 0xA4, 1);
  frame = put(frame, (uint32_t)(width == 2 ? n - 256 : n), width);
  size_t left = n;
  do {
    const size_t size = left < BLOCK ? left : BLOCK;
    frame = put(frame, (uint32_t)(size << 3 | (size == left)), 3);
    memcpy(frame, content, size);
    frame += size;
    content += size;
    left -= size;
  } while (left > 0);
  put(frame, checksum, 4);
}

const uint8_t *lcw_stored_content(const uint8_t *frame, size_t length, size_t content) {
  // The size may be spelled longer than is needed; such a frame is left to libzstd.
  if (length != lcw_stored_frame_length(content) || content > BLOCK) return NULL;
  const uint8_t *header = frame + 5 + size_bytes(content);
  const uint32_t block = header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16;
  return block == (content << 3 | 1) ? header + 3 : NULL;
}
