// SPDX-License-Identifier: Apache-2.0
#include "CKernels.h"
#include <string.h>

static ptrdiff_t clamped(ptrdiff_t value, ptrdiff_t most) {
  return value < 0 ? 0 : value > most ? most : value;
}

void lcw_shift_image(
    uint8_t *restrict y, const uint8_t *restrict x, ptrdiff_t channels, ptrdiff_t height,
    ptrdiff_t width, ptrdiff_t down, ptrdiff_t right, int flipped) {
  // The places of the window that lie within the image.
  const ptrdiff_t first_row = clamped(-down, height), last_row = clamped(height - down, height);
  const ptrdiff_t first = clamped(-right, width), last = clamped(width - right, width);
  memset(y, 0, (size_t)(channels * height * width));
  if (first >= last) return;
  for (ptrdiff_t c = 0; c < channels; c++) {
    for (ptrdiff_t row = first_row; row < last_row; row++) {
      uint8_t *to = y + (c * height + row) * width;
      const uint8_t *from = x + (c * height + row + down) * width;
      if (flipped) {
        for (ptrdiff_t i = first; i < last; i++) to[i] = from[width - 1 - (i + right)];
      } else {
        memcpy(to + first, from + first + right, (size_t)(last - first));
      }
    }
  }
}
