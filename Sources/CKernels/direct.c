// SPDX-License-Identifier: Apache-2.0
#include "direct_samples.h"

// A convolution as a product of matrices whose second factor is never written down: its rows, one for
// each channel and element of a window, are the phases (phases.h) of the channels, each moved by the
// element's place. Tiles of the result stay in registers.

#define VECTORS_OF_A_TILE 3

#if defined(__x86_64__) && defined(__linux__)
#define LANES 16
#define TARGET __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#define NAME(x) x##_512
#define ROWS 8
#define VECTORS VECTORS_OF_A_TILE
#define GRADIENTS 6
#define TAPS_AT_ONCE 4
#include "direct_tiles.h"

#define LANES 8
#define TARGET __attribute__((target("arch=x86-64-v3")))
#define NAME(x) x##_256
#define ROWS 4
#define VECTORS VECTORS_OF_A_TILE
#define GRADIENTS 3
#define TAPS_AT_ONCE 4
#include "direct_tiles.h"
#endif

#define LANES 4
#define TARGET
#define NAME(x) x##_128
#define ROWS 4
#define VECTORS VECTORS_OF_A_TILE
#define GRADIENTS 3
#define TAPS_AT_ONCE 4
#include "direct_tiles.h"

typedef struct {
  ptrdiff_t rows;
  void (*products)(
      float *, ptrdiff_t, const float *, const ptrdiff_t *, ptrdiff_t, const float *, ptrdiff_t,
      ptrdiff_t);
  void (*sums)(
      float *, ptrdiff_t, const float *, ptrdiff_t, ptrdiff_t, const float *, ptrdiff_t,
      const ptrdiff_t *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t);
} tiles_t;

static tiles_t tiles(void) {
#if defined(__x86_64__) && defined(__linux__)
  const int bits = lcw_vector_bits();
  if (bits == 512) return (tiles_t){8, products_512, sums_512};
  if (bits == 256) return (tiles_t){4, products_256, sums_256};
#endif
  return (tiles_t){4, products_128, sums_128};
}

// The values of a sample's phases, and of its gradients at a phase's width with room around each.
static inline ptrdiff_t source_size(const lcw_windows_t *w, const layout_t *l) {
  return w->channels * l->phases * l->size + STEP;
}
static inline ptrdiff_t gradient_row(const layout_t *l) {
  return rounded(l->reach, STEP) + rounded(l->size, STEP);
}

ptrdiff_t lcw_direct_weights_size(const lcw_windows_t *w, ptrdiff_t filters, int backward) {
  const ptrdiff_t area = w->kernel_height * w->kernel_width, rows = tiles().rows;
  return backward ? rounded(w->channels, rows) * filters * area
                  : rounded(filters, rows) * w->channels * area;
}

ptrdiff_t lcw_direct_scratch(const lcw_windows_t *w, ptrdiff_t filters) {
  const layout_t l = layout(w);
  const ptrdiff_t rows = tiles().rows;
  const ptrdiff_t forward = source_size(w, &l) + rounded(filters, rows) * rounded(l.count, STEP);
  const ptrdiff_t backward = filters * gradient_row(&l) + 2 * STEP
      + rounded(w->channels, rows) * rounded(l.size, STEP);
  return forward > backward ? forward : backward;
}

ptrdiff_t lcw_direct_sums_scratch(const lcw_windows_t *w, ptrdiff_t filters) {
  const layout_t l = layout(w);
  return source_size(w, &l) + filters * gradient_row(&l);
}

void lcw_direct_weights(
    float *packed, const float *weight, const lcw_windows_t *w, ptrdiff_t filters,
    int backward) {
  const ptrdiff_t area = w->kernel_height * w->kernel_width, tile = tiles().rows;
  const ptrdiff_t channels = w->channels;
  memset(packed, 0, sizeof(float) * (size_t)lcw_direct_weights_size(w, filters, backward));
  if (!backward) {
    const ptrdiff_t inner = channels * area;
    for (ptrdiff_t f = 0; f < filters; f++)
      for (ptrdiff_t k = 0; k < inner; k++)
        packed[f / tile * tile * inner + k * tile + f % tile] = weight[f * inner + k];
    return;
  }
  for (ptrdiff_t phase = 0; phase < w->down * w->across; phase++) {
    ptrdiff_t taps = 0;
    for (ptrdiff_t t = 0; t < area; t++)
      taps += phase_of(w, t / w->kernel_width, t % w->kernel_width) == phase;
    const ptrdiff_t inner = filters * taps;
    ptrdiff_t own = 0;
    for (ptrdiff_t t = 0; t < area; t++) {
      if (phase_of(w, t / w->kernel_width, t % w->kernel_width) != phase) continue;
      for (ptrdiff_t f = 0; f < filters; f++)
        for (ptrdiff_t c = 0; c < channels; c++)
          packed[c / tile * tile * inner + (f * taps + own) * tile + c % tile] =
              weight[(f * channels + c) * area + t];
      own++;
    }
    packed += rounded(channels, tile) * inner;
  }
}

// Where the rows of the second factor begin in the phases of a sample.
static void source_offsets(ptrdiff_t *offsets, const lcw_windows_t *w, const layout_t *l) {
  for (ptrdiff_t c = 0; c < w->channels; c++)
    for (ptrdiff_t ky = 0; ky < w->kernel_height; ky++)
      for (ptrdiff_t kx = 0; kx < w->kernel_width; kx++)
        *offsets++ = (c * l->phases + phase_of(w, ky, kx)) * l->size + place_of(w, l, ky, kx);
}

void lcw_direct(
    float *y, const float *x, const float *packed, const float *bias, const lcw_windows_t *w,
    ptrdiff_t filters, ptrdiff_t samples, int relu, float *scratch, ptrdiff_t *offsets) {
  const layout_t l = layout(w);
  const tiles_t t = tiles();
  const ptrdiff_t inner = w->channels * w->kernel_height * w->kernel_width;
  const ptrdiff_t size = source_size(w, &l), n = rounded(l.count, STEP);
  float *rows = scratch + size;
  memset(scratch, 0, sizeof(float) * (size_t)size);
  source_offsets(offsets, w, &l);
  for (ptrdiff_t s = 0; s < samples; s++) {
    pack_sample(scratch, x + s * w->channels * w->height * w->width, w, &l);
    t.products(rows, n, scratch, offsets, inner, packed, filters, n);
    narrow(
        y + s * filters * w->out_height * w->out_width, rows, n, bias, w, &l, filters, relu);
  }
}

void lcw_direct_backward(
    float *dx, const float *g, const float *packed, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, float *scratch, ptrdiff_t *offsets) {
  const layout_t l = layout(w);
  const tiles_t t = tiles();
  const ptrdiff_t area = w->kernel_height * w->kernel_width, positions = w->out_height * w->out_width;
  const ptrdiff_t leading = gradient_row(&l), room = rounded(l.reach, STEP);
  const ptrdiff_t n = rounded(l.size, STEP), plane = w->channels * w->height * w->width;
  float *outputs = scratch + room, *rows = scratch + filters * leading + 2 * STEP;
  memset(scratch, 0, sizeof(float) * (size_t)(filters * leading + 2 * STEP));
  // The rows of each phase in turn, as the filters are packed.
  ptrdiff_t *own = offsets;
  for (ptrdiff_t phase = 0; phase < l.phases; phase++)
    for (ptrdiff_t f = 0; f < filters; f++)
      for (ptrdiff_t k = 0; k < area; k++) {
        const ptrdiff_t ky = k / w->kernel_width, kx = k % w->kernel_width;
        if (phase_of(w, ky, kx) == phase) *own++ = f * leading - place_of(w, &l, ky, kx);
      }
  for (ptrdiff_t s = 0; s < samples; s++) {
    widen_sample(outputs, leading, g + s * filters * positions, w, &l, filters);
    const float *weights = packed;
    own = offsets;
    for (ptrdiff_t phase = 0; phase < l.phases; phase++) {
      ptrdiff_t taps = 0;
      for (ptrdiff_t k = 0; k < area; k++)
        taps += phase_of(w, k / w->kernel_width, k % w->kernel_width) == phase;
      t.products(rows, n, outputs, own, filters * taps, weights, w->channels, n);
      unpack_sample(dx + s * plane, rows, n, phase, w, &l);
      weights += rounded(w->channels, t.rows) * filters * taps;
      own += filters * taps;
    }
  }
}

void lcw_direct_sums(
    float *sums, const float *x, const float *g, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, ptrdiff_t together, float *scratch, ptrdiff_t *offsets) {
  const layout_t l = layout(w);
  const tiles_t t = tiles();
  const ptrdiff_t inner = w->channels * w->kernel_height * w->kernel_width;
  const ptrdiff_t positions = w->out_height * w->out_width;
  const ptrdiff_t size = source_size(w, &l), leading = gradient_row(&l);
  float *gradients = scratch + together * size;
  memset(
      scratch, 0, sizeof(float) * (size_t)(together * lcw_direct_sums_scratch(w, filters)));
  source_offsets(offsets, w, &l);
  for (ptrdiff_t first = 0; first < samples; first += together) {
    const ptrdiff_t count = samples - first < together ? samples - first : together;
    for (ptrdiff_t s = 0; s < count; s++) {
      pack_sample(
          scratch + s * size, x + (first + s) * w->channels * w->height * w->width, w, &l);
      widen_sample(
          gradients + s * filters * leading, leading, g + (first + s) * filters * positions, w,
          &l, filters);
    }
    t.sums(
        sums, inner, gradients, leading, filters * leading, scratch, size, offsets, inner,
        filters, count, rounded(l.count, STEP));
  }
}
