// SPDX-License-Identifier: Apache-2.0
#include "direct_samples.h"

// The gradients of a direct convolution's filters (direct.c) on tile registers: sums over positions. Of the
// gradients of outputs a tile has a row for each filter, with 32 positions. Of the values it has a row for each
// two positions, with 16 channels: these are stored twice, in pairs from even and from odd positions on, so that
// any element of the window is a tile that begins elsewhere.

enum { half = 16 };

// Of the filters' gradients: sums of 16 × 16, values and gradients in single precision, parts of the gradients,
// and of the values both parts in pairs of neighbouring positions, from even and from odd ones on.
typedef struct {
  ptrdiff_t sums, source, gradients, row, gradient_parts, rows, value_parts;
} sums_sizes_t;

static sums_sizes_t sums_sizes(const lcw_windows_t *w, const layout_t *l, ptrdiff_t filters) {
  sums_sizes_t s;
  s.sums = rounded(filters, half) * rounded(w->channels, half) * taps_of(w);
  s.source = rounded(w->channels, half) * l->phases * l->size + 4 * STEP;
  s.row = rounded(l->count, 2 * STEP);
  s.gradients = rounded(filters, half) * s.row;
  s.gradient_parts = s.gradients;  // two parts of 16 bits
  s.rows = (rounded(l->phases * l->size + l->reach, 2 * STEP) + 4 * STEP) / 2;
  s.value_parts = 2 * 2 * s.rows * rounded(w->channels, half);
  return s;
}

ptrdiff_t lcw_direct_parts_sums_scratch(const lcw_windows_t *w, ptrdiff_t filters) {
  const layout_t l = layout(w);
  const sums_sizes_t s = sums_sizes(w, &l, filters);
  return s.sums + s.source + s.gradients + s.gradient_parts + s.value_parts + STEP;
}

#if defined(__x86_64__) && defined(__linux__)
#include "tile_registers.h"

// Both parts of rows of gradients.
TILES static void part_rows(uint16_t *high, uint16_t *low, const float *rows, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i += 2 * half) {
    __m512 a = _mm512_loadu_ps(rows + i), b = _mm512_loadu_ps(rows + i + half);
    _mm512_storeu_si512(high + i, take_part(&a, &b));
    _mm512_storeu_si512(low + i, take_part(&a, &b));
  }
}

// Both parts of 16 planes in pairs of neighbouring positions: a row for each pair, with all 16.
TILES static void part_positions(
    uint32_t *high, uint32_t *low, const float *planes, ptrdiff_t plane, ptrdiff_t rows) {
  for (ptrdiff_t row = 0; row < rows; row += half) {
    __m512i h[half], lo[half];
    for (int c = 0; c < half; c++) {
      const float *from = planes + c * plane + 2 * row;
      const ptrdiff_t left = plane - 2 * row;
      __m512 a = _mm512_maskz_loadu_ps(first(left), from);
      __m512 b = _mm512_maskz_loadu_ps(first(left - half), from + half);
      h[c] = take_part(&a, &b);
      lo[c] = take_part(&a, &b);
    }
    transpose(h);
    transpose(lo);
    for (int r = 0; r < half; r++) {
      _mm512_storeu_si512(high + (row + r) * half, h[r]);
      _mm512_storeu_si512(low + (row + r) * half, lo[r]);
    }
  }
}

#define GRADIENTS(number, part, at) \
  _tile_loadd(number, gradients[part] + (at), row_bytes)

// Adds the products of gradients of 16 or 32 filters with 16 channels' values, for one or two taps.
TILES static void add_sums(
    float *sums, ptrdiff_t filter_stride, ptrdiff_t tap_stride, const uint16_t *const *gradients,
    ptrdiff_t row, int filters, const uint32_t *const *first, const uint32_t *const *second,
    ptrdiff_t n) {
  const size_t row_bytes = (size_t)row * sizeof(uint16_t);
  _tile_loadd(0, sums, 64);
  if (second) { _tile_loadd(1, sums + tap_stride, 64); }
  if (filters > 1) {
    _tile_loadd(2, sums + filter_stride, 64);
    if (second) { _tile_loadd(3, sums + filter_stride + tap_stride, 64); }
  }
  for (ptrdiff_t i = 0; i < n; i += 2 * half) {
    const ptrdiff_t at = i / 2 * half;
    // The gradients' low parts with the values' high ones, then high with high, then high with low.
    for (int pass = 0; pass < 3; pass++) {
      const int part = pass == 0;
      if (pass < 2) {
        GRADIENTS(4, part, i);
        if (filters > 1) { GRADIENTS(5, part, half * row + i); }
      }
      if (pass != 1) {
        const int own = pass == 2;
        _tile_loadd(6, first[own] + at, 64);
        if (second) { _tile_loadd(7, second[own] + at, 64); }
      }
      _tile_dpbf16ps(0, 4, 6);
      if (second) { _tile_dpbf16ps(1, 4, 7); }
      if (filters > 1) {
        _tile_dpbf16ps(2, 5, 6);
        if (second) { _tile_dpbf16ps(3, 5, 7); }
      }
    }
  }
  _tile_stored(0, sums, 64);
  if (second) { _tile_stored(1, sums + tap_stride, 64); }
  if (filters > 1) {
    _tile_stored(2, sums + filter_stride, 64);
    if (second) { _tile_stored(3, sums + filter_stride + tap_stride, 64); }
  }
}

TILES void lcw_direct_parts_sums(
    float *sums, const float *x, const float *g, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, float *scratch, ptrdiff_t *starts) {
  const layout_t l = layout(w);
  const sums_sizes_t s = sums_sizes(w, &l, filters);
  const ptrdiff_t area = taps_of(w), positions = w->out_height * w->out_width;
  const ptrdiff_t channel_blocks = rounded(w->channels, half) / half;
  const ptrdiff_t filter_blocks = rounded(filters, half) / half, plane = l.phases * l.size;
  float *total = scratch, *source = total + s.sums, *gradient = source + s.source;
  uint16_t *gradients = (uint16_t *)(gradient + s.gradients);
  uint32_t *values = (uint32_t *)(gradient + s.gradients + s.gradient_parts);
  memset(scratch, 0, sizeof(float) * (size_t)(s.sums + s.source + s.gradients));
  window_starts(starts, w, &l);
  // Sums of 16 filters × 16 channels stand in the order filters, channels, elements of the window.
  const ptrdiff_t tap_stride = half * half, filter_stride = channel_blocks * area * tap_stride;
  configure();
  for (ptrdiff_t n = 0; n < samples; n++) {
    pack_sample(source, x + n * w->channels * w->height * w->width, w, &l);
    widen_sample(gradient, s.row, g + n * filters * positions, w, &l, filters);
    part_rows(gradients, gradients + s.gradients, gradient, s.gradients);
    for (ptrdiff_t c = 0; c < channel_blocks; c++) {
      uint32_t *parts[2][2];
      for (int odd = 0; odd < 2; odd++) {
        for (int part = 0; part < 2; part++)
          parts[odd][part] = values + ((c * 2 + odd) * 2 + part) * s.rows * half;
        part_positions(
            parts[odd][0], parts[odd][1], source + c * half * plane + odd, plane, s.rows);
      }
      for (ptrdiff_t t = 0; t < area; t += 2) {
        const uint32_t *first[2], *second[2];
        for (int part = 0; part < 2; part++) {
          first[part] = parts[starts[t] & 1][part] + starts[t] / 2 * half;
          const ptrdiff_t next = starts[t + 1 < area ? t + 1 : t];
          second[part] = parts[next & 1][part] + next / 2 * half;
        }
        for (ptrdiff_t f = 0; f < filter_blocks; f += 2) {
          const uint16_t *own[2] = {
              gradients + f * half * s.row, gradients + s.gradients + f * half * s.row};
          add_sums(
              total + f * filter_stride + (c * area + t) * tap_stride, filter_stride, tap_stride,
              own, s.row, filter_blocks - f > 1 ? 2 : 1, first, t + 1 < area ? second : NULL,
              s.row);
        }
      }
    }
  }
  _tile_release();
  for (ptrdiff_t f = 0; f < filters; f++)
    for (ptrdiff_t c = 0; c < w->channels; c++)
      for (ptrdiff_t t = 0; t < area; t++)
        sums[(f * w->channels + c) * area + t] +=
            total[f / half * filter_stride + (c / half * area + t) * tap_stride
                  + f % half * half + c % half];
}

#else

void lcw_direct_parts_sums(
    float *sums, const float *x, const float *g, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, float *scratch, ptrdiff_t *starts) {
  __builtin_trap();
}

#endif
