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

// Writes a plane to its phases, which start `stride` elements apart. What lies in the padding is never
// written.
INLINED void pack(
    float *phases, ptrdiff_t stride, const float *x, const lcw_windows_t *w, const layout_t *l) {
  for (ptrdiff_t y = 0; y < w->height; y++) {
    const ptrdiff_t row = (y + w->top) / w->down, from_row = (y + w->top) % w->down;
    if (row >= l->height) continue;
    for (ptrdiff_t part = 0; part < w->across; part++) {
      // The first column of the part that is not in the padding.
      ptrdiff_t column = w->left <= part ? 0 : (w->left - part + w->across - 1) / w->across;
      const float *from = x + y * w->width + (column * w->across + part - w->left);
      float *to = phases + (from_row * w->across + part) * stride + row * l->width;
      const ptrdiff_t inside = w->width + w->left - part;
      ptrdiff_t end = inside <= 0 ? 0 : (inside + w->across - 1) / w->across;
      if (end > l->width) end = l->width;
      if (w->across == 1) {
        for (ptrdiff_t i = column; i < end; i++) to[i] = from[i - column];
      } else if (w->across == 2) {
        for (ptrdiff_t i = column; i < end; i++) to[i] = from[2 * (i - column)];
      } else {
        for (ptrdiff_t i = column; i < end; i++) to[i] = from[w->across * (i - column)];
      }
    }
  }
}

// Writes those elements of a plane that one phase has.
INLINED void unpack(
    float *x, const float *phase, ptrdiff_t number, const lcw_windows_t *w, const layout_t *l) {
  const ptrdiff_t from_row = number / w->across, part = number % w->across;
  ptrdiff_t y = from_row - w->top % w->down;
  if (y < 0) y += w->down;
  for (; y < w->height; y += w->down) {
    const ptrdiff_t row = (y + w->top) / w->down;
    ptrdiff_t column = w->left <= part ? 0 : (w->left - part + w->across - 1) / w->across;
    float *to = x + y * w->width + (column * w->across + part - w->left);
    const float *from = phase + row * l->width;
    const ptrdiff_t inside = w->width + w->left - part;
    const ptrdiff_t last = inside <= 0 ? 0 : (inside + w->across - 1) / w->across;
    const ptrdiff_t end = row >= l->height ? column : last < l->width ? last : l->width;
    if (w->across == 1) {
      for (ptrdiff_t i = column; i < end; i++) to[i - column] = from[i];
    } else if (w->across == 2) {
      for (ptrdiff_t i = column; i < end; i++) to[2 * (i - column)] = from[i];
    } else {
      for (ptrdiff_t i = column; i < end; i++) to[w->across * (i - column)] = from[i];
    }
    // What no window reaches.
    for (ptrdiff_t i = column > end ? column : end; i < last; i++)
      to[w->across * (i - column)] = 0;
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

