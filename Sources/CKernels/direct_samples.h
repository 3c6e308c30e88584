// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "phases.h"

// Not every file that includes this uses all of it.
#pragma clang diagnostic ignored "-Wunused-function"

// How samples come into the phases (phases.h) of direct convolutions, and their results out of them.

// Loops run to a multiple of this, into what follows.
#define STEP 16

static inline ptrdiff_t rounded(ptrdiff_t n, ptrdiff_t step) {
  return (n + step - 1) / step * step;
}

static inline ptrdiff_t taps_of(const lcw_windows_t *w) {
  return w->kernel_height * w->kernel_width;
}

// Where each element of a window begins in the phases of a channel.
static inline void window_starts(ptrdiff_t *starts, const lcw_windows_t *w, const layout_t *l) {
  for (ptrdiff_t t = 0; t < taps_of(w); t++) {
    const ptrdiff_t ky = t / w->kernel_width, kx = t % w->kernel_width;
    starts[t] = phase_of(w, ky, kx) * l->size + place_of(w, l, ky, kx);
  }
}

DISPATCHED static void pack_sample(
    float *source, const float *x, const lcw_windows_t *w, const layout_t *l) {
  for (ptrdiff_t c = 0; c < w->channels; c++)
    pack(source + c * l->phases * l->size, l->size, x + c * w->height * w->width, w, l);
}

// Takes the outputs out of rows at a phase's width.
DISPATCHED static void narrow(
    float *restrict y, const float *restrict rows, ptrdiff_t leading, const float *bias,
    const lcw_windows_t *w, const layout_t *l, ptrdiff_t filters, int relu) {
  for (ptrdiff_t f = 0; f < filters; f++) {
    const float b = bias ? bias[f] : 0;
    for (ptrdiff_t row = 0; row < w->out_height; row++, y += w->out_width) {
      const float *from = rows + f * leading + row * l->width;
      if (relu) {
        for (ptrdiff_t i = 0; i < w->out_width; i++) {
          const float v = from[i] + b;
          y[i] = v < 0 ? 0 : v;
        }
      } else {
        for (ptrdiff_t i = 0; i < w->out_width; i++) y[i] = from[i] + b;
      }
    }
  }
}

DISPATCHED static void widen_sample(
    float *to, ptrdiff_t leading, const float *g, const lcw_windows_t *w, const layout_t *l,
    ptrdiff_t filters) {
  const ptrdiff_t positions = w->out_height * w->out_width;
  for (ptrdiff_t f = 0; f < filters; f++)
    widen(to + f * leading, g + f * positions, NULL, w, l);
}

DISPATCHED static void unpack_sample(
    float *x, const float *rows, ptrdiff_t leading, ptrdiff_t phase, const lcw_windows_t *w,
    const layout_t *l) {
  for (ptrdiff_t c = 0; c < w->channels; c++)
    unpack(x + c * w->height * w->width, rows + c * leading, phase, w, l);
}
