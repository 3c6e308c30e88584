// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include <math.h>

// Windows side by side, of which the largest values and their places are kept on the stack.
#define TILE 128

static inline ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static inline ptrdiff_t most(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

// How many steps there are in a distance, the last one cut short; none if it is negative.
static inline ptrdiff_t steps(ptrdiff_t distance, ptrdiff_t step) {
  return distance <= 0 ? 0 : step == 1 ? distance : (distance + step - 1) / step;
}

// Calls `body` for each element of each window of a row from `start` on: `x` counts windows and
// `i` is the element's place in the plane. A window may be far larger than the plane, so that only
// its rows and columns that meet the plane are gone through. The usual strides are constants, so that
// they vectorise.
#define FOR_EACH_ELEMENT(body)                                                            \
  const ptrdiff_t top = oy * w->down - w->top;                                            \
  const ptrdiff_t side = start * w->across - w->left;                                     \
  const ptrdiff_t ky_end = least(w->kernel_height, steps(w->height - top, w->spread_height)); \
  const ptrdiff_t kx_start = steps(-(side + (count - 1) * w->across), w->spread_width);   \
  const ptrdiff_t kx_end = least(w->kernel_width, steps(w->width - side, w->spread_width)); \
  for (ptrdiff_t ky = steps(-top, w->spread_height); ky < ky_end; ky++) {                 \
    const ptrdiff_t row = (top + ky * w->spread_height) * w->width;                       \
    for (ptrdiff_t kx = kx_start; kx < kx_end; kx++) {                                    \
      ptrdiff_t first = 0, last = count;                                                  \
      const ptrdiff_t left = side + kx * w->spread_width;                                 \
      while (first < last && left + first * w->across < 0) first++;                       \
      while (last > first && left + (last - 1) * w->across >= w->width) last--;           \
      const ptrdiff_t base = row + left;                                                  \
      if (w->across == 1) {                                                               \
        for (ptrdiff_t x = first; x < last; x++) { const ptrdiff_t i = base + x; body }   \
      } else if (w->across == 2) {                                                        \
        for (ptrdiff_t x = first; x < last; x++) { const ptrdiff_t i = base + 2 * x; body } \
      } else {                                                                            \
        for (ptrdiff_t x = first; x < last; x++) {                                        \
          const ptrdiff_t i = base + w->across * x;                                       \
          body                                                                            \
        }                                                                                 \
      }                                                                                   \
    }                                                                                     \
  }

#define FOR_EACH_TILE                                           \
  for (ptrdiff_t p = 0; p < planes; p++)                        \
    for (ptrdiff_t oy = 0; oy < w->out_height; oy++)            \
      for (ptrdiff_t start = 0; start < w->out_width; start += TILE)

// The usual windows: 2×2, side by side, without padding. No element is in two of them.
static inline int halves(const lcw_windows_t *w) {
  return w->kernel_height == 2 && w->kernel_width == 2 && w->down == 2 && w->across == 2
      && w->spread_height == 1 && w->spread_width == 1 && w->top == 0 && w->left == 0
      && 2 * w->out_height <= w->height && 2 * w->out_width <= w->width;
}

DISPATCHED static void max_of_halves(
    float *restrict y, const float *restrict x_, const lcw_windows_t *w, ptrdiff_t planes) {
  for (ptrdiff_t p = 0; p < planes; p++)
    for (ptrdiff_t oy = 0; oy < w->out_height; oy++, y += w->out_width) {
      const float *upper = x_ + (p * w->height + 2 * oy) * w->width, *lower = upper + w->width;
      for (ptrdiff_t x = 0; x < w->out_width; x++) {
        const float a = upper[2 * x], b = upper[2 * x + 1], c = lower[2 * x], d = lower[2 * x + 1];
        float best = b > a || b != b ? b : a;
        best = c > best || c != c ? c : best;
        y[x] = d > best || d != d ? d : best;
      }
    }
}

DISPATCHED static void max_of_halves_backward(
    float *restrict dx, const float *restrict dy, const float *restrict x_, const lcw_windows_t *w,
    ptrdiff_t planes) {
  for (ptrdiff_t p = 0; p < planes; p++) {
    for (ptrdiff_t oy = 0; oy < w->out_height; oy++, dy += w->out_width) {
      const ptrdiff_t first = (p * w->height + 2 * oy) * w->width;
      const float *upper = x_ + first, *lower = upper + w->width;
      float *to = dx + first, *below = to + w->width;
      for (ptrdiff_t x = 0; x < w->out_width; x++) {
        const float a = upper[2 * x], b = upper[2 * x + 1], c = lower[2 * x], d = lower[2 * x + 1];
        const float g = dy[x];
        int place = 0;
        float best = a;
        const int second = b > best || b != b;
        best = second ? b : best;
        place = second ? 1 : place;
        const int third = c > best || c != c;
        best = third ? c : best;
        place = third ? 2 : place;
        place = d > best || d != d ? 3 : place;
        to[2 * x] = place == 0 ? g : 0;
        to[2 * x + 1] = place == 1 ? g : 0;
        below[2 * x] = place == 2 ? g : 0;
        below[2 * x + 1] = place == 3 ? g : 0;
      }
      for (ptrdiff_t x = 2 * w->out_width; x < w->width; x++) to[x] = below[x] = 0;
    }
    for (ptrdiff_t y = 2 * w->out_height; y < w->height; y++)
      for (ptrdiff_t x = 0; x < w->width; x++) dx[(p * w->height + y) * w->width + x] = 0;
  }
}

DISPATCHED void lcw_max_pool(
    float *y, const float *x_, const lcw_windows_t *w, ptrdiff_t planes) {
  if (halves(w)) {
    max_of_halves(y, x_, w, planes);
    return;
  }
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
  if (halves(w)) {
    max_of_halves_backward(dx, dy, x_, w, planes);
    return;
  }
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
    // A window that lies in the padding whole has no place.
    for (ptrdiff_t x = 0; x < count; x++)
      if (place[x] >= 0) to[place[x]] += gradient[x];
  }
}

// How many elements of the window at `position` lie in the input along an axis; or, if the padding
// counts, between the ends of the padding.
static inline ptrdiff_t counted(
    ptrdiff_t position, ptrdiff_t stride, ptrdiff_t before, ptrdiff_t size, ptrdiff_t behind,
    ptrdiff_t kernel, ptrdiff_t spread, int padding_counts) {
  const ptrdiff_t start = position * stride - before;
  const ptrdiff_t first = padding_counts ? 0 : steps(-start, spread);
  const ptrdiff_t last =
      least(kernel, steps((padding_counts ? size + behind : size) - start, spread));
  return most(0, last - first);
}

// What the sums of a tile's windows are divided by: a number for all, or, where windows reach beyond
// what counts, one for each.
static inline int divisors(
    float *each, float *all, const lcw_windows_t *w, ptrdiff_t oy, ptrdiff_t start,
    ptrdiff_t count, int padding_counts) {
  const ptrdiff_t high = counted(
      oy, w->down, w->top, w->height, w->bottom, w->kernel_height, w->spread_height,
      padding_counts);
  int is_one = high == w->kernel_height;
  *all = (float)(w->kernel_height * w->kernel_width);
  for (ptrdiff_t x = 0; x < count; x++) {
    const ptrdiff_t wide = counted(
        start + x, w->across, w->left, w->width, w->right, w->kernel_width, w->spread_width,
        padding_counts);
    is_one &= wide == w->kernel_width;
    // A window without a value has the sum 0, whatever divides it.
    each[x] = (float)most(1, high * wide);
  }
  return is_one;
}

DISPATCHED void lcw_average_pool(
    float *y, const float *x_, const lcw_windows_t *w, ptrdiff_t planes, int padding_counts) {
  FOR_EACH_TILE {
    const ptrdiff_t rest = w->out_width - start, count = rest < TILE ? rest : TILE;
    const float *in = x_ + p * w->height * w->width;
    float *out = y + (p * w->out_height + oy) * w->out_width + start;
    float each[TILE], all;
    const int is_one = divisors(each, &all, w, oy, start, count, padding_counts);
    for (ptrdiff_t x = 0; x < count; x++) out[x] = 0;
    FOR_EACH_ELEMENT({ out[x] += in[i]; })
    if (is_one) {
      for (ptrdiff_t x = 0; x < count; x++) out[x] /= all;
    } else {
      for (ptrdiff_t x = 0; x < count; x++) out[x] /= each[x];
    }
  }
}

DISPATCHED void lcw_average_pool_backward(
    float *dx, const float *dy, const lcw_windows_t *w, ptrdiff_t planes, int padding_counts) {
  for (ptrdiff_t i = 0; i < planes * w->height * w->width; i++) dx[i] = 0;
  FOR_EACH_TILE {
    const ptrdiff_t rest = w->out_width - start, count = rest < TILE ? rest : TILE;
    float *to = dx + p * w->height * w->width;
    const float *gradient = dy + (p * w->out_height + oy) * w->out_width + start;
    float each[TILE], all;
    if (divisors(each, &all, w, oy, start, count, padding_counts)) {
      const float share = 1 / all;
      FOR_EACH_ELEMENT({ to[i] += share * gradient[x]; })
    } else {
      for (ptrdiff_t x = 0; x < count; x++) each[x] = gradient[x] / each[x];
      FOR_EACH_ELEMENT({ to[i] += each[x]; })
    }
  }
}

DISPATCHED void lcw_plane_means(float *y, const float *x, ptrdiff_t planes, ptrdiff_t n) {
  FAST_SUMS
  for (ptrdiff_t p = 0; p < planes; p++, x += n) {
    float sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += x[i];
    y[p] = sum / (float)n;
  }
}

DISPATCHED void lcw_plane_means_backward(
    float *restrict dx, const float *restrict dy, ptrdiff_t planes, ptrdiff_t n) {
  for (ptrdiff_t p = 0; p < planes; p++, dx += n) {
    const float share = dy[p] / (float)n;
    for (ptrdiff_t i = 0; i < n; i++) dx[i] = share;
  }
}
