// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "dispatch.h"
#include <string.h>

// A plane with its padding is split into phases: those elements whose row and column leave the same
// remainders when divided by the steps between windows. Within a phase an element of all windows is the
// plane of outputs moved by a fixed distance. So with the rows one after another, those of the outputs
// made as long as a phase's, a plane is convolved by one loop over all of it, however narrow it is;
// what the loop computes between the rows is left out afterwards.

#define INLINED static inline __attribute__((always_inline))

typedef struct {
  ptrdiff_t height, width;    // of a phase
  ptrdiff_t size;             // of a phase
  ptrdiff_t count;            // of the outputs at a phase's width
  ptrdiff_t reach;            // the farthest an element of a window is moved within a phase
  ptrdiff_t phases;
} layout_t;

static inline layout_t layout(const lcw_windows_t *w) {
  layout_t l;
  const ptrdiff_t down = (w->kernel_height - 1) * w->spread_height / w->down;
  const ptrdiff_t across = (w->kernel_width - 1) * w->spread_width / w->across;
  l.height = w->out_height + down;
  l.width = w->out_width + across;
  l.size = l.height * l.width;
  l.count = (w->out_height - 1) * l.width + w->out_width;
  l.reach = down * l.width + across;
  l.phases = w->down * w->across;
  return l;
}

// Where an element of a window lies: its phase, and its place there.
static inline ptrdiff_t phase_of(const lcw_windows_t *w, ptrdiff_t ky, ptrdiff_t kx) {
  return ky * w->spread_height % w->down * w->across + kx * w->spread_width % w->across;
}
static inline ptrdiff_t place_of(
    const lcw_windows_t *w, const layout_t *l, ptrdiff_t ky, ptrdiff_t kx) {
  return ky * w->spread_height / w->down * l->width + kx * w->spread_width / w->across;
}

// The columns of a phase's rows that are not in the padding, up to the last one that a window reaches
// and up to the last there is, and the column of the image that the first is.
typedef struct {
  ptrdiff_t first, end, last, start;
} columns_t;

static inline columns_t columns_of(
    ptrdiff_t part, const lcw_windows_t *w, const layout_t *l) {
  const ptrdiff_t before = w->left - part, behind = w->width + before;
  columns_t c;
  if (w->across == 1) {
    c.first = before > 0 ? before : 0;
    c.last = behind > 0 ? behind : 0;
  } else {
    c.first = before > 0 ? (before + w->across - 1) / w->across : 0;
    c.last = behind > 0 ? (behind + w->across - 1) / w->across : 0;
  }
  c.end = c.last < l->width ? c.last : l->width;
  c.start = c.first * w->across - before;
  return c;
}

// Writes a plane to its phases, which start `stride` elements apart. What lies in the padding is never
// written.
INLINED void pack(
    float *phases, ptrdiff_t stride, const float *x, const lcw_windows_t *w, const layout_t *l) {
  // Divisions take longer than a row: they stay out of the loops.
  const ptrdiff_t across = w->across, first_row = w->down == 1 ? w->top : w->top / w->down;
  const ptrdiff_t first_phase = w->top - first_row * w->down;
  for (ptrdiff_t part = 0; part < across; part++) {
    const columns_t columns = columns_of(part, w, l);
    const float *from = x + columns.start;
    ptrdiff_t row = first_row, from_row = first_phase;
    for (ptrdiff_t y = 0; y < w->height && row < l->height; y++, from += w->width) {
      float *to = phases + (from_row * across + part) * stride + row * l->width;
      const ptrdiff_t first = columns.first, n = columns.end - first;
      if (across == 1) {
        for (ptrdiff_t i = 0; i < n; i++) to[first + i] = from[i];
      } else if (across == 2) {
        for (ptrdiff_t i = 0; i < n; i++) to[first + i] = from[2 * i];
      } else {
        for (ptrdiff_t i = 0; i < n; i++) to[first + i] = from[across * i];
      }
      if (++from_row == w->down) {
        from_row = 0;
        row++;
      }
    }
  }
}

// Writes those elements of a plane that one phase has.
INLINED void unpack(
    float *x, const float *phase, ptrdiff_t number, const lcw_windows_t *w, const layout_t *l) {
  const ptrdiff_t across = w->across;
  const ptrdiff_t from_row = across == 1 ? number : number / across;
  const columns_t columns = columns_of(number - from_row * across, w, l);
  // The first row of the phase that is not in the padding.
  ptrdiff_t row = w->top <= from_row ? 0
      : w->down == 1                 ? w->top
                                     : (w->top - from_row + w->down - 1) / w->down;
  for (ptrdiff_t y = row * w->down + from_row - w->top; y < w->height; y += w->down, row++) {
    float *to = x + y * w->width + columns.start;
    const float *from = phase + row * l->width + columns.first;
    const ptrdiff_t n = row < l->height && columns.end > columns.first
        ? columns.end - columns.first : 0;
    if (across == 1) {
      for (ptrdiff_t i = 0; i < n; i++) to[i] = from[i];
    } else if (across == 2) {
      for (ptrdiff_t i = 0; i < n; i++) to[2 * i] = from[i];
    } else {
      for (ptrdiff_t i = 0; i < n; i++) to[across * i] = from[i];
    }
    // What no window reaches.
    for (ptrdiff_t i = n; i < columns.last - columns.first; i++) to[across * i] = 0;
  }
}

// Writes a gradient at a phase's width, with what lies between the rows left as it is; returns its sum.
INLINED float widen(
    float *restrict to, const float *restrict g, const float *restrict clipped,
    const lcw_windows_t *w, const layout_t *l) {
  FAST_SUMS
  float sum = 0;
  for (ptrdiff_t row = 0; row < w->out_height; row++, to += l->width, g += w->out_width) {
    if (clipped) {
      for (ptrdiff_t i = 0; i < w->out_width; i++) {
        const float v = clipped[i] > 0 ? g[i] : 0;
        to[i] = v;
        sum += v;
      }
      clipped += w->out_width;
    } else {
      for (ptrdiff_t i = 0; i < w->out_width; i++) {
        to[i] = g[i];
        sum += g[i];
      }
    }
  }
  return sum;
}

