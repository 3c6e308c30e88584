// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include <string.h>

// The positions along an axis, from `first` to below `last`, whose element `offset` places behind the
// window's start lies within the input.
typedef struct {
  ptrdiff_t first, last;
} inside_t;

static inline inside_t inside(
    ptrdiff_t offset, ptrdiff_t input, ptrdiff_t stride, ptrdiff_t padding, ptrdiff_t positions) {
  const ptrdiff_t before = padding - offset, behind = input + padding - offset;
  ptrdiff_t first = before <= 0 ? 0 : (before + stride - 1) / stride;
  ptrdiff_t last = behind <= 0 ? 0 : (behind + stride - 1) / stride;
  if (last > positions) last = positions;
  if (first > last) first = last;
  return (inside_t){first, last};
}

static inline inside_t within(inside_t range, ptrdiff_t first, ptrdiff_t count) {
  const ptrdiff_t end = first + count;
  inside_t cut = {range.first < first ? first : range.first, range.last > end ? end : range.last};
  if (cut.last < cut.first) cut.last = cut.first;
  return cut;
}

static inline void clear(float *y, ptrdiff_t n) {
  if (n > 0) memset(y, 0, sizeof(float) * (size_t)n);
}

// Zeroes the columns outside of `columns` in some rows.
static inline void clear_borders(float *y, ptrdiff_t rows, ptrdiff_t width, inside_t columns) {
  for (ptrdiff_t x = 0; x < columns.first; x++)
    for (ptrdiff_t r = 0; r < rows; r++) y[r * width + x] = 0;
  for (ptrdiff_t x = columns.last; x < width; x++)
    for (ptrdiff_t r = 0; r < rows; r++) y[r * width + x] = 0;
}

DISPATCHED void lcw_patches(
    float *patches, ptrdiff_t leading, const float *image, const lcw_windows_t *w,
    ptrdiff_t first_row, ptrdiff_t rows) {
  const ptrdiff_t plane = w->height * w->width, out = w->out_width;
  const int is_same_width = w->down == 1 && w->across == 1 && out == w->width;
  for (ptrdiff_t ky = 0; ky < w->kernel_height; ky++) {
    const ptrdiff_t dy = ky * w->spread_height;
    const inside_t ys = within(
        inside(dy, w->height, w->down, w->top, w->out_height), first_row, rows);
    for (ptrdiff_t kx = 0; kx < w->kernel_width; kx++) {
      const ptrdiff_t dx = kx * w->spread_width;
      const inside_t xs = inside(dx, w->width, w->across, w->left, out);
      const ptrdiff_t count = xs.last - xs.first;
      const ptrdiff_t top = ys.first * w->down + dy - w->top;
      const ptrdiff_t left = xs.first * w->across + dx - w->left;
      for (ptrdiff_t c = 0; c < w->channels; c++) {
        float *to =
            patches + ((c * w->kernel_height + ky) * w->kernel_width + kx) * leading;
        if (ys.first == ys.last || count == 0) {
          clear(to, rows * out);
          continue;
        }
        const float *from = image + c * plane + top * w->width + left;
        clear(to, (ys.first - first_row) * out);
        to += (ys.first - first_row) * out;
        const ptrdiff_t height = ys.last - ys.first;
        if (is_same_width) {
          // All rows at once: what runs over from row to row lies in the borders.
          memcpy(to + xs.first, from, sizeof(float) * (size_t)((height - 1) * out + count));
          clear_borders(to, height, out, xs);
          to += height * out;
        } else {
          for (ptrdiff_t y = 0; y < height; y++, from += w->down * w->width, to += out) {
            clear(to, xs.first);
            if (w->across == 1) {
              memcpy(to + xs.first, from, sizeof(float) * (size_t)count);
            } else if (w->across == 2) {
              for (ptrdiff_t x = 0; x < count; x++) to[xs.first + x] = from[2 * x];
            } else {
              for (ptrdiff_t x = 0; x < count; x++) to[xs.first + x] = from[w->across * x];
            }
            clear(to + xs.last, out - xs.last);
          }
        }
        clear(to, (first_row + rows - ys.last) * out);
      }
    }
  }
}

DISPATCHED void lcw_add_patches(
    float *image, float *patches, ptrdiff_t leading, const lcw_windows_t *w,
    ptrdiff_t first_row, ptrdiff_t rows) {
  const ptrdiff_t plane = w->height * w->width, out = w->out_width;
  const int is_same_width = w->down == 1 && w->across == 1 && out == w->width;
  for (ptrdiff_t c = 0; c < w->channels; c++) {
    for (ptrdiff_t ky = 0; ky < w->kernel_height; ky++) {
      const ptrdiff_t dy = ky * w->spread_height;
      const inside_t ys = within(
          inside(dy, w->height, w->down, w->top, w->out_height), first_row, rows);
      const ptrdiff_t height = ys.last - ys.first;
      for (ptrdiff_t kx = 0; kx < w->kernel_width; kx++) {
        const ptrdiff_t dx = kx * w->spread_width;
      const inside_t xs = inside(dx, w->width, w->across, w->left, out);
        const ptrdiff_t count = xs.last - xs.first;
        if (height == 0 || count == 0) continue;
        float *from = patches + ((c * w->kernel_height + ky) * w->kernel_width + kx) * leading
            + (ys.first - first_row) * out;
        float *to = image + c * plane + (ys.first * w->down + dy - w->top) * w->width
            + xs.first * w->across + dx - w->left;
        if (is_same_width) {
          // With zeros in the borders all rows are added at once.
          clear_borders(from, height, out, xs);
          const ptrdiff_t n = (height - 1) * out + count;
          for (ptrdiff_t i = 0; i < n; i++) to[i] += from[xs.first + i];
          continue;
        }
        for (ptrdiff_t y = 0; y < height; y++, from += out, to += w->down * w->width) {
          if (w->across == 1) {
            for (ptrdiff_t x = 0; x < count; x++) to[x] += from[xs.first + x];
          } else if (w->across == 2) {
            for (ptrdiff_t x = 0; x < count; x++) to[2 * x] += from[xs.first + x];
          } else {
            for (ptrdiff_t x = 0; x < count; x++) to[w->across * x] += from[xs.first + x];
          }
        }
      }
    }
  }
}

DISPATCHED void lcw_patch_rows(
    float *rows, const float *image, const lcw_windows_t *w, const int32_t *positions,
    ptrdiff_t count) {
  const ptrdiff_t plane = w->height * w->width;
  for (ptrdiff_t p = 0; p < count; p++) {
    const ptrdiff_t position = positions ? positions[p] : p;
    const ptrdiff_t top = position / w->out_width * w->down - w->top;
    const ptrdiff_t left = position % w->out_width * w->across - w->left;
    const ptrdiff_t bottom = top + w->kernel_height * w->spread_height;
    const ptrdiff_t right = left + w->kernel_width * w->spread_width;
    for (ptrdiff_t c = 0; c < w->channels; c++) {
      for (ptrdiff_t y = top; y < bottom; y += w->spread_height) {
        const int is_row = y >= 0 && y < w->height;
        for (ptrdiff_t x = left; x < right; x += w->spread_width)
          *rows++ = is_row && x >= 0 && x < w->width ? image[c * plane + y * w->width + x] : 0;
      }
    }
  }
}

DISPATCHED void lcw_add_plane_bias(
    float *y, ptrdiff_t leading, const float *x, ptrdiff_t leading_x, const float *bias,
    ptrdiff_t planes, ptrdiff_t n, int relu) {
  for (ptrdiff_t p = 0; p < planes; p++, y += leading, x += leading_x) {
    const float b = bias ? bias[p] : 0;
    if (relu) {
      for (ptrdiff_t i = 0; i < n; i++) {
        const float v = x[i] + b;
        y[i] = v < 0 ? 0 : v;
      }
    } else {
      for (ptrdiff_t i = 0; i < n; i++) y[i] = x[i] + b;
    }
  }
}

DISPATCHED void lcw_add_row_sums(
    float *s, const float *x, ptrdiff_t leading, ptrdiff_t rows, ptrdiff_t n) {
  FAST_SUMS
  for (ptrdiff_t r = 0; r < rows; r++, x += leading) {
    float sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += x[i];
    s[r] += sum;
  }
}
