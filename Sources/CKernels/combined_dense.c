// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"

// A point of a path of a two-layer network costs little but this: combining products that are
// there already, clipping, and a dense layer of few outputs. As separate steps, a combination into
// memory and a product of 32×2000 by 2000×10, the product takes most of the time: BLAS packs its
// operands anew at each call.

typedef float lanes __attribute__((vector_size(64), aligned(4)));

enum { rowsAtOnce = 4, outputsAtOnce = 5, columnsAtOnce = 512 };

// sums[r][o] += Σᵢ a[r][i] · b[o][i] over whole lanes; the lanes are added up at the very end.
#define DOT_TILE(O)                                                              \
  static inline __attribute__((always_inline)) void dot_tile_##O(                \
      lanes *sums, ptrdiff_t outputs, const float *a, const float *b, ptrdiff_t stride, \
      ptrdiff_t columns) {                                                       \
    lanes s[rowsAtOnce][O];                                                      \
    _Pragma("unroll") for (int r = 0; r < rowsAtOnce; r++)                       \
        _Pragma("unroll") for (int o = 0; o < O; o++) s[r][o] = sums[r * outputs + o]; \
    for (ptrdiff_t i = 0; i < columns; i += 16) {                                \
      lanes h[rowsAtOnce];                                                       \
      _Pragma("unroll") for (int r = 0; r < rowsAtOnce; r++)                     \
          h[r] = *(const lanes *)(a + r * columnsAtOnce + i);                    \
      _Pragma("unroll") for (int o = 0; o < O; o++) {                            \
        const lanes w = *(const lanes *)(b + o * stride + i);                    \
        _Pragma("unroll") for (int r = 0; r < rowsAtOnce; r++) s[r][o] += h[r] * w; \
      }                                                                          \
    }                                                                            \
    _Pragma("unroll") for (int r = 0; r < rowsAtOnce; r++)                       \
        _Pragma("unroll") for (int o = 0; o < O; o++) sums[r * outputs + o] = s[r][o]; \
  }

DOT_TILE(1)
DOT_TILE(2)
DOT_TILE(3)
DOT_TILE(4)
DOT_TILE(5)

static inline __attribute__((always_inline)) void combine_row(
    float *out, const float *const *bases, const float *c, ptrdiff_t count, ptrdiff_t start,
    float shift, const float *bias, ptrdiff_t columns, int relu) {
  if (count == 2) {
    const float *p = bases[0] + start, *q = bases[1] + start;
    const float x = c[0], y = c[1];
    if (bias) {
      for (ptrdiff_t i = 0; i < columns; i++) out[i] = x * p[i] + y * q[i] + (bias[i] + shift);
    } else {
      for (ptrdiff_t i = 0; i < columns; i++) out[i] = x * p[i] + y * q[i] + shift;
    }
  } else {
    for (ptrdiff_t i = 0; i < columns; i++) out[i] = shift + (bias ? bias[i] : 0);
    for (ptrdiff_t k = 0; k < count; k++) {
      const float *p = bases[k] + start;
      const float x = c[k];
      for (ptrdiff_t i = 0; i < columns; i++) out[i] += x * p[i];
    }
  }
  if (relu)
    for (ptrdiff_t i = 0; i < columns; i++) out[i] = out[i] < 0 ? 0 : out[i];
}

static inline __attribute__((always_inline)) float lane_sum(const lanes *s) {
  float parts[16];
  __builtin_memcpy(parts, s, sizeof parts);
  for (int width = 8; width > 0; width /= 2)
    for (int i = 0; i < width; i++) parts[i] += parts[i + width];
  return parts[0];
}

DISPATCHED void lcw_combined_dense(
    float *restrict out, const float *const *bases, const float *restrict c, ptrdiff_t count,
    const float *restrict shifts, const float *restrict bias, int relu,
    const float *restrict weight, const float *restrict weightBias, ptrdiff_t rows,
    ptrdiff_t width, ptrdiff_t outputs) {
  FUSED
  float h[rowsAtOnce * columnsAtOnce];
  lanes sums[rowsAtOnce * LCW_COMBINED_DENSE_OUTPUTS];
  for (ptrdiff_t row = 0; row < rows; row += rowsAtOnce) {
    const ptrdiff_t height = rows - row < rowsAtOnce ? rows - row : rowsAtOnce;
    __builtin_memset(sums, 0, sizeof(lanes) * rowsAtOnce * (size_t)outputs);
    float tails[rowsAtOnce * LCW_COMBINED_DENSE_OUTPUTS] = {0};
    for (ptrdiff_t start = 0; start < width; start += columnsAtOnce) {
      const ptrdiff_t columns = width - start < columnsAtOnce ? width - start : columnsAtOnce;
      const ptrdiff_t whole = columns / 16 * 16;
      for (ptrdiff_t r = 0; r < height; r++)
        combine_row(
            h + r * columnsAtOnce, bases, c, count, (row + r) * width + start,
            shifts ? shifts[row + r] : 0, bias ? bias + start : bias, columns, relu);
      // Rows that are not there are computed from zeros and thrown away.
      for (ptrdiff_t r = height; r < rowsAtOnce; r++)
        __builtin_memset(h + r * columnsAtOnce, 0, sizeof(float) * (size_t)columns);
      for (ptrdiff_t o = 0; o < outputs; o += outputsAtOnce) {
        const float *w = weight + o * width + start;
        switch (outputs - o < outputsAtOnce ? outputs - o : outputsAtOnce) {
          case 1: dot_tile_1(sums + o, outputs, h, w, width, whole); break;
          case 2: dot_tile_2(sums + o, outputs, h, w, width, whole); break;
          case 3: dot_tile_3(sums + o, outputs, h, w, width, whole); break;
          case 4: dot_tile_4(sums + o, outputs, h, w, width, whole); break;
          default: dot_tile_5(sums + o, outputs, h, w, width, whole);
        }
      }
      for (ptrdiff_t r = 0; r < height && whole < columns; r++)
        for (ptrdiff_t o = 0; o < outputs; o++)
          for (ptrdiff_t i = whole; i < columns; i++)
            tails[r * outputs + o] += h[r * columnsAtOnce + i] * weight[o * width + start + i];
    }
    for (ptrdiff_t r = 0; r < height; r++)
      for (ptrdiff_t o = 0; o < outputs; o++)
        out[(row + r) * outputs + o] = lane_sum(&sums[r * outputs + o]) + tails[r * outputs + o]
            + (weightBias ? weightBias[o] : 0);
  }
}
