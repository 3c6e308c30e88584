// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include <math.h>

// Windows side by side, of which the largest values and their places are kept on the stack.
#define TILE 128

static inline ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static inline ptrdiff_t most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

// Calls `body` for each element of each window of a row from `start` on: `x` counts windows and
// `i` is the element's place in the plane. A window may be far larger than the plane, so that only
// its rows and columns that meet the plane are gone through. The usual strides are constants, so that
// they vectorise.
#define FOR_EACH_ELEMENT(body)                                                            \
  const ptrdiff_t top = oy * w->stride - w->padding;                                      \
  const ptrdiff_t side = start * w->stride - w->padding;                                  \
  const ptrdiff_t ky_end = least(w->kernel_height, w->height - top);                      \
  const ptrdiff_t kx_start = most(0, -(side + (count - 1) * w->stride));                  \
  const ptrdiff_t kx_end = least(w->kernel_width, w->width - side);                       \
  for (ptrdiff_t ky = most(0, -top); ky < ky_end; ky++) {                                 \
    const ptrdiff_t row = (top + ky) * w->width;                                          \
    for (ptrdiff_t kx = kx_start; kx < kx_end; kx++) {                                    \
      ptrdiff_t first = 0, last = count;                                                  \
      const ptrdiff_t left = side + kx;                                                   \
      while (first < last && left + first * w->stride < 0) first++;                       \
      while (last > first && left + (last - 1) * w->stride >= w->width) last--;           \
      const ptrdiff_t base = row + left;                                                  \
      if (w->stride == 1) {                                                               \
        for (ptrdiff_t x = first; x < last; x++) { const ptrdiff_t i = base + x; body }   \
      } else if (w->stride == 2) {                                                        \
        for (ptrdiff_t x = first; x < last; x++) { const ptrdiff_t i = base + 2 * x; body } \
      } else {                                                                            \
        for (ptrdiff_t x = first; x < last; x++) {                                        \
          const ptrdiff_t i = base + w->stride * x;                                       \
          body                                                                            \
        }                                                                                 \
      }                                                                                   \
    }                                                                                     \
  }

#define FOR_EACH_TILE                                           \
  for (ptrdiff_t p = 0; p < planes; p++)                        \
    for (ptrdiff_t oy = 0; oy < w->out_height; oy++)            \
      for (ptrdiff_t start = 0; start < w->out_width; start += TILE)

DISPATCHED void lcw_max_pool(
    float *y, const float *x_, const lcw_windows_t *w, ptrdiff_t planes) {
  FOR_EACH_TILE {
    const ptrdiff_t rest = w->out_width - start, count = rest < TILE ? rest : TILE;
    const float *in = x_ + p * w->height * w->width;
    float *out = y + (p * w->out_height + oy) * w->out_width + start;
    for (ptrdiff_t x = 0; x < count; x++) out[x] = -INFINITY;
    // A NaN is larger than all, and stays.
    FOR_EACH_ELEMENT({
      const float v = in[i];
      out[x] = v > out[x] || v != v ? v : out[x];
    })
  }
}

DISPATCHED void lcw_max_pool_backward(
    float *dx, const float *dy, const float *x_, const lcw_windows_t *w, ptrdiff_t planes) {
  for (ptrdiff_t i = 0; i < planes * w->height * w->width; i++) dx[i] = 0;
  FOR_EACH_TILE {
    const ptrdiff_t rest = w->out_width - start, count = rest < TILE ? rest : TILE;
    const float *in = x_ + p * w->height * w->width;
    float *to = dx + p * w->height * w->width;
    const float *gradient = dy + (p * w->out_height + oy) * w->out_width + start;
    float best[TILE];
    int32_t place[TILE];
    for (ptrdiff_t x = 0; x < count; x++) {
      best[x] = -INFINITY;
      place[x] = -1;
    }
    // The first of equals, even where all are −infinity; of several NaN the last, as PyTorch has it.
    FOR_EACH_ELEMENT({
      const float v = in[i];
      const int wins = v > best[x] || v != v || place[x] < 0;
      best[x] = wins ? v : best[x];
      place[x] = wins ? (int32_t)i : place[x];
    })
    for (ptrdiff_t x = 0; x < count; x++) to[place[x]] += gradient[x];
  }
}

DISPATCHED void lcw_average_pool(
    float *y, const float *x_, const lcw_windows_t *w, ptrdiff_t planes) {
  const float area = (float)(w->kernel_height * w->kernel_width);
  FOR_EACH_TILE {
    const ptrdiff_t rest = w->out_width - start, count = rest < TILE ? rest : TILE;
    const float *in = x_ + p * w->height * w->width;
    float *out = y + (p * w->out_height + oy) * w->out_width + start;
    for (ptrdiff_t x = 0; x < count; x++) out[x] = 0;
    FOR_EACH_ELEMENT({ out[x] += in[i]; })
    for (ptrdiff_t x = 0; x < count; x++) out[x] /= area;
  }
}

DISPATCHED void lcw_average_pool_backward(
    float *dx, const float *dy, const lcw_windows_t *w, ptrdiff_t planes) {
  const float share = 1 / (float)(w->kernel_height * w->kernel_width);
  for (ptrdiff_t i = 0; i < planes * w->height * w->width; i++) dx[i] = 0;
  FOR_EACH_TILE {
    const ptrdiff_t rest = w->out_width - start, count = rest < TILE ? rest : TILE;
    float *to = dx + p * w->height * w->width;
    const float *gradient = dy + (p * w->out_height + oy) * w->out_width + start;
    FOR_EACH_ELEMENT({ to[i] += share * gradient[x]; })
  }
}
