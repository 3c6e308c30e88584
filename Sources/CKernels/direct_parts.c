// SPDX-License-Identifier: Apache-2.0
#include "direct_samples.h"

// The direct convolution (direct.c) on tile registers. A tile of the second factor has a row for each two
// channels: 16 neighbouring positions, of each both channels' numbers. So the channels are stored in pairs,
// position by position, and any element of the window is a tile that begins elsewhere.

enum { half = 16, channelsOfTile = 32, tileOfParts = half * channelsOfTile };

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

static sizes_t backward_sizes(const layout_t *l, ptrdiff_t filters) {
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
  const sizes_t f = forward_sizes(w, &l), b = backward_sizes(&l, filters);
  const ptrdiff_t forward = f.source + 2 * f.part + rounded(filters, half) * f.columns;
  const ptrdiff_t backward = b.source + 2 * b.part + rounded(w->channels, half) * b.columns;
  return (forward > backward ? forward : backward) + STEP;
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
  const __m512i order = pairing();
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
  window_starts(starts, w, &l);
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
  const sizes_t s = backward_sizes(&l, filters);
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

#endif
