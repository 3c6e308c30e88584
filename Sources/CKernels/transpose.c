// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"

// Rows and columns that are gone through together, so that both matrices stay in the first cache.
#define BLOCK 16

#define FOR_EACH_BLOCK                                                 \
  for (ptrdiff_t r0 = 0; r0 < rows; r0 += BLOCK)                       \
    for (ptrdiff_t c0 = 0; c0 < columns; c0 += BLOCK)                  \
      for (ptrdiff_t c = c0; c < columns && c < c0 + BLOCK; c++)       \
        for (ptrdiff_t r = r0; r < rows && r < r0 + BLOCK; r++)

DISPATCHED void lcw_transpose(
    float *restrict y, ptrdiff_t leading_y, const float *restrict x, ptrdiff_t leading_x,
    ptrdiff_t rows, ptrdiff_t columns) {
  FOR_EACH_BLOCK y[c * leading_y + r] = x[r * leading_x + c];
}

DISPATCHED void lcw_add_transposed(
    float *restrict y, float carry, const float *restrict x, ptrdiff_t leading_x,
    ptrdiff_t part_stride, ptrdiff_t parts, ptrdiff_t rows, ptrdiff_t columns) {
  FUSED
  FOR_EACH_BLOCK {
    float *to = y + r * columns + c;
    float sum = x[c * leading_x + r];
    for (ptrdiff_t part = 1; part < parts; part++) sum += x[part * part_stride + c * leading_x + r];
    *to = carry == 0 ? sum : carry * *to + sum;
  }
}
