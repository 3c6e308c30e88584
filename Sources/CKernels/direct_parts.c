// SPDX-License-Identifier: Apache-2.0
#include "direct_samples.h"

// The direct convolution (direct.c) on tile registers. A tile of the second factor has a row for each two
// channels: 16 neighbouring positions, of each both channels' numbers. So the channels are stored in pairs,
// position by position, and any element of the window is a tile that begins elsewhere.

enum { half = 16, channelsOfTile = 32, tileOfParts = half * channelsOfTile };

static inline ptrdiff_t taps_of(const lcw_windows_t *w) {
  return w->kernel_height * w->kernel_width;
}
// The pairs of channels, to whole tiles.
static inline ptrdiff_t pairs_of(ptrdiff_t channels) {
  return rounded(channels, channelsOfTile) / 2;
}

// Two 16-bit numbers take as much as one of single precision, and there are two parts.
ptrdiff_t lcw_direct_parts_weights_size(
    const lcw_windows_t *w, ptrdiff_t filters, int backward) {
  const ptrdiff_t rows = backward ? w->channels : filters;
  const ptrdiff_t inner = backward ? filters : w->channels;
  return rounded(rows, half) * rounded(inner, channelsOfTile) * taps_of(w);
}

// What a sample takes: the values in single precision, both parts in pairs, and the results' rows.
typedef struct {
  ptrdiff_t plane;    // of a pair of channels, to the next one
  ptrdiff_t source;   // of all values in single precision
  ptrdiff_t part;     // of a part of all pairs, with room before and behind
  ptrdiff_t room;     // before the first pair
  ptrdiff_t columns;  // of the results' rows
} sizes_t;

static sizes_t forward_sizes(const lcw_windows_t *w, const layout_t *l) {
  sizes_t s;
  s.plane = l->phases * l->size;
  s.source = rounded(w->channels, channelsOfTile) * s.plane + 2 * STEP;
  s.room = 0;
  s.part = pairs_of(w->channels) * s.plane + l->reach + 4 * STEP;
  s.columns = rounded(l->count, 2 * STEP);
  return s;
}

static sizes_t backward_sizes(const lcw_windows_t *w, const layout_t *l, ptrdiff_t filters) {
  sizes_t s;
  s.room = rounded(l->reach, STEP);
  s.plane = s.room + rounded(l->size, STEP);
  s.source = rounded(filters, channelsOfTile) * s.plane + 2 * STEP;
  s.part = s.room + pairs_of(filters) * s.plane + 4 * STEP;
  s.columns = rounded(l->size, 2 * STEP);
  return s;
}

ptrdiff_t lcw_direct_parts_scratch(const lcw_windows_t *w, ptrdiff_t filters) {
  const layout_t l = layout(w);
  const sizes_t f = forward_sizes(w, &l), b = backward_sizes(w, &l, filters);
  const ptrdiff_t forward = f.source + 2 * f.part + rounded(filters, half) * f.columns;
  const ptrdiff_t backward = b.source + 2 * b.part + rounded(w->channels, half) * b.columns;
  return (forward > backward ? forward : backward) + STEP;
}

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

// MARK: filters

// The two parts of a filter's element.
static inline void split(float v, uint16_t *high, uint16_t *low) {
  union {
    float f;
    uint32_t u;
  } x = {v}, rest;
  x.u = (x.u + 0x7fff + (x.u >> 16 & 1)) & 0xffff0000u;
  rest.f = v - x.f;
  *high = (uint16_t)(x.u >> 16);
  *low = (uint16_t)((rest.u + 0x7fff + (rest.u >> 16 & 1)) >> 16);
}

void lcw_direct_parts_weights(
    float *packed, const float *weight, const lcw_windows_t *w, ptrdiff_t filters,
    int backward) {
  const ptrdiff_t area = taps_of(w), channels = w->channels;
  const ptrdiff_t rows = backward ? channels : filters, inner = backward ? filters : channels;
  const ptrdiff_t blocks = rounded(inner, channelsOfTile) / channelsOfTile;
  uint16_t *out = (uint16_t *)packed;
  memset(
      packed, 0, sizeof(float) * (size_t)lcw_direct_parts_weights_size(w, filters, backward));
  // Backward the taps of a phase are together; forward all are.
  for (ptrdiff_t phase = 0; phase < (backward ? w->down * w->across : 1); phase++) {
    ptrdiff_t taps = 0;
    for (ptrdiff_t t = 0; t < area; t++)
      taps += !backward || phase_of(w, t / w->kernel_width, t % w->kernel_width) == phase;
    ptrdiff_t own = 0;
    for (ptrdiff_t t = 0; t < area; t++) {
      if (backward && phase_of(w, t / w->kernel_width, t % w->kernel_width) != phase) continue;
      for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t k = 0; k < inner; k++) {
          const ptrdiff_t f = backward ? k : r, c = backward ? r : k;
          uint16_t *tile = out
              + ((r / half * taps + own) * blocks + k / channelsOfTile) * 2 * tileOfParts
              + r % half * channelsOfTile + k % channelsOfTile;
          split(weight[(f * channels + c) * area + t], tile, tile + tileOfParts);
        }
      own++;
    }
    out += rounded(rows, half) / half * taps * blocks * 2 * tileOfParts;
  }
}

// MARK: products

// Writes both parts of planes in pairs.
TILES static void pair_planes(
    uint32_t *high, uint32_t *low, const float *planes, ptrdiff_t plane, ptrdiff_t pairs) {
  const __m512i order = _mm512_set_epi16(
      31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19,
      3, 18, 2, 17, 1, 16, 0);
  for (ptrdiff_t p = 0; p < pairs; p++) {
    const float *first = planes + 2 * p * plane, *second = first + plane;
    for (ptrdiff_t i = 0; i < plane; i += 16) {
      // The last step writes into what follows, which comes later.
      __m512 a = _mm512_loadu_ps(first + i), b = _mm512_loadu_ps(second + i);
      const __m512i h = take_part(&a, &b), lo = take_part(&a, &b);
      _mm512_storeu_si512(high + p * plane + i, _mm512_permutexvar_epi16(order, h));
      _mm512_storeu_si512(low + p * plane + i, _mm512_permutexvar_epi16(order, lo));
    }
  }
}

#define PAIRS(from)                                \
  _tile_loadd(6, (from), stride);                  \
  _tile_loadd(7, (from) + half, stride)
#define UPPER                \
  _tile_dpbf16ps(0, 4, 6);   \
  _tile_dpbf16ps(1, 4, 7)
#define LOWER                \
  _tile_dpbf16ps(2, 5, 6);   \
  _tile_dpbf16ps(3, 5, 7)

// out[r][i] ← Σ over taps and channels of weight · value, for `rows` rows and n positions, a multiple of 32.
TILES static void products(
    float *out, ptrdiff_t leading, const uint32_t *high, const uint32_t *low, ptrdiff_t plane,
    const ptrdiff_t *starts, ptrdiff_t taps, ptrdiff_t blocks, const uint16_t *weights,
    ptrdiff_t rows, ptrdiff_t n) {
  const size_t stride = (size_t)plane * sizeof(uint32_t), result = (size_t)leading * sizeof(float);
  const ptrdiff_t band = taps * blocks * 2 * tileOfParts;
  for (ptrdiff_t i = 0; i < n; i += 2 * half)
    for (ptrdiff_t r = 0; r < rows; r += 2 * half) {
      const uint16_t *a = weights + r / half * band;
      float *to = out + r * leading + i;
      const int both = rows - r > half;
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
      for (ptrdiff_t t = 0; t < taps; t++)
        for (ptrdiff_t b = 0; b < blocks; b++, a += 2 * tileOfParts) {
          const ptrdiff_t at = b * half * plane + starts[t] + i;
          PAIRS(high + at);
          _tile_loadd(4, a + tileOfParts, 64);
          UPPER;
          if (both) {
            _tile_loadd(5, a + band + tileOfParts, 64);
            LOWER;
          }
          _tile_loadd(4, a, 64);
          UPPER;
          if (both) {
            _tile_loadd(5, a + band, 64);
            LOWER;
          }
          PAIRS(low + at);
          UPPER;
          if (both) { LOWER; }
        }
      _tile_stored(0, to, result);
      _tile_stored(1, to + half, result);
      if (both) {
        _tile_stored(2, to + half * leading, result);
        _tile_stored(3, to + half * leading + half, result);
      }
    }
}

TILES void lcw_direct_parts(
    float *y, const float *x, const float *packed, const float *bias, const lcw_windows_t *w,
    ptrdiff_t filters, ptrdiff_t samples, int relu, float *scratch, ptrdiff_t *starts) {
  const layout_t l = layout(w);
  const sizes_t s = forward_sizes(w, &l);
  const ptrdiff_t pairs = pairs_of(w->channels), area = taps_of(w);
  uint32_t *high = (uint32_t *)(scratch + s.source), *low = high + s.part;
  float *rows = scratch + s.source + 2 * s.part;
  memset(scratch, 0, sizeof(float) * (size_t)(s.source + 2 * s.part));
  for (ptrdiff_t t = 0; t < area; t++) {
    const ptrdiff_t ky = t / w->kernel_width, kx = t % w->kernel_width;
    starts[t] = phase_of(w, ky, kx) * l.size + place_of(w, &l, ky, kx);
  }
  configure();
  for (ptrdiff_t n = 0; n < samples; n++) {
    pack_sample(scratch, x + n * w->channels * w->height * w->width, w, &l);
    pair_planes(high, low, scratch, s.plane, pairs);
    products(
        rows, s.columns, high, low, s.plane, starts, area, pairs / half, (const uint16_t *)packed,
        rounded(filters, half), s.columns);
    narrow(
        y + n * filters * w->out_height * w->out_width, rows, s.columns, bias, w, &l, filters,
        relu);
  }
  _tile_release();
}

TILES void lcw_direct_parts_backward(
    float *dx, const float *g, const float *packed, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, float *scratch, ptrdiff_t *starts) {
  const layout_t l = layout(w);
  const sizes_t s = backward_sizes(w, &l, filters);
  const ptrdiff_t pairs = pairs_of(filters), area = taps_of(w);
  const ptrdiff_t positions = w->out_height * w->out_width, plane = w->channels * w->height * w->width;
  const ptrdiff_t channels = rounded(w->channels, half);
  uint32_t *high = (uint32_t *)(scratch + s.source), *low = high + s.part;
  float *rows = scratch + s.source + 2 * s.part;
  memset(scratch, 0, sizeof(float) * (size_t)(s.source + 2 * s.part));
  ptrdiff_t *own = starts;
  for (ptrdiff_t phase = 0; phase < l.phases; phase++)
    for (ptrdiff_t t = 0; t < area; t++) {
      const ptrdiff_t ky = t / w->kernel_width, kx = t % w->kernel_width;
      // Rows have their room before them, so that a place before the first is there.
      if (phase_of(w, ky, kx) == phase) *own++ = s.room - place_of(w, &l, ky, kx);
    }
  configure();
  for (ptrdiff_t n = 0; n < samples; n++) {
    widen_sample(scratch + s.room, s.plane, g + n * filters * positions, w, &l, filters);
    pair_planes(high, low, scratch, s.plane, pairs);
    const uint16_t *weights = (const uint16_t *)packed;
    own = starts;
    for (ptrdiff_t phase = 0; phase < l.phases; phase++) {
      ptrdiff_t taps = 0;
      for (ptrdiff_t t = 0; t < area; t++)
        taps += phase_of(w, t / w->kernel_width, t % w->kernel_width) == phase;
      products(
          rows, s.columns, high, low, s.plane, own, taps, pairs / half, weights, channels,
          s.columns);
      unpack_sample(dx + n * plane, rows, s.columns, phase, w, &l);
      weights += channels / half * taps * (pairs / half) * 2 * tileOfParts;
      own += taps;
    }
  }
  _tile_release();
}

// MARK: gradients of filters

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
      const __mmask16 first = left >= half ? 0xffff : left <= 0 ? 0 : (__mmask16)((1u << left) - 1);
      const ptrdiff_t more = left - half;
      const __mmask16 second = more >= half ? 0xffff : more <= 0 ? 0 : (__mmask16)((1u << more) - 1);
      __m512 a = _mm512_maskz_loadu_ps(first, from), b = _mm512_maskz_loadu_ps(second, from + half);
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
  for (ptrdiff_t t = 0; t < area; t++) {
    const ptrdiff_t ky = t / w->kernel_width, kx = t % w->kernel_width;
    starts[t] = phase_of(w, ky, kx) * l.size + place_of(w, &l, ky, kx);
  }
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

void lcw_direct_parts_weights(
    float *packed, const float *weight, const lcw_windows_t *w, ptrdiff_t filters,
    int backward) {
  __builtin_trap();
}

void lcw_direct_parts(
    float *y, const float *x, const float *packed, const float *bias, const lcw_windows_t *w,
    ptrdiff_t filters, ptrdiff_t samples, int relu, float *scratch, ptrdiff_t *starts) {
  __builtin_trap();
}

void lcw_direct_parts_backward(
    float *dx, const float *g, const float *packed, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, float *scratch, ptrdiff_t *starts) {
  __builtin_trap();
}

void lcw_direct_parts_sums(
    float *sums, const float *x, const float *g, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, float *scratch, ptrdiff_t *starts) {
  __builtin_trap();
}

#endif
