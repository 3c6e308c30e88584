// SPDX-License-Identifier: Apache-2.0
// Convolution by Winograd's minimal filtering F(4×4, 3×3), after Lavin and Gray, Fast Algorithms
// for Convolutional Neural Networks (CVPR 2016): windows of 6×6 are multiplied element by element,
// in 36 products where direct arithmetic needs 144 for the same 4×4 outputs.
#include "dispatch.h"
#include <string.h>

#define POINTS 36
#define TILE 4
#define WINDOW 6
// Tiles, or filters, that are transformed side by side.
#define LANES 16

typedef float lanes_t __attribute__((vector_size(4 * LANES)));
typedef int32_t mask_t __attribute__((vector_size(4 * LANES)));

// One dimension of the transforms G, Bᵀ and Aᵀ of section 4.2, for the points 0, ±1, ±2 and ∞.
#define FILTER_TRANSFORM(o, a, b, c)               \
  {                                                \
    const lanes_t even = (a + c) * (1 / 6.0f), odd = b * (1 / 6.0f);             \
    const lanes_t far = a * (1 / 24.0f) + c * (1 / 6.0f), far_odd = b * (1 / 12.0f); \
    o[0] = a * 0.25f;                              \
    o[1] = -even - odd;                            \
    o[2] = odd - even;                             \
    o[3] = far + far_odd;                          \
    o[4] = far - far_odd;                          \
    o[5] = c;                                      \
  }
#define INPUT_TRANSFORM(o, i)                          \
  {                                                    \
    o[0] = 4 * i[0] - 5 * i[2] + i[4];                 \
    o[1] = i[4] + i[3] - 4 * (i[1] + i[2]);            \
    o[2] = i[4] - i[3] + 4 * (i[1] - i[2]);            \
    o[3] = i[4] - i[2] + 2 * (i[3] - i[1]);            \
    o[4] = i[4] - i[2] - 2 * (i[3] - i[1]);            \
    o[5] = 4 * i[1] - 5 * i[3] + i[5];                 \
  }
#define OUTPUT_TRANSFORM(o, i)                                        \
  {                                                                   \
    const lanes_t a = i[1] + i[2], b = i[1] - i[2];                   \
    const lanes_t c = i[3] + i[4], d = i[3] - i[4];                   \
    o[0] = i[0] + a + c;                                              \
    o[1] = b + 2 * d;                                                 \
    o[2] = a + 4 * c;                                                 \
    o[3] = b + 8 * d + i[5];                                          \
  }

// The transposes of Aᵀ and of G: gradients go back through the transforms.
#define GRADIENT_TRANSFORM(o, i)                                \
  {                                                             \
    const lanes_t a = i[0] + i[2], b = i[1] + i[3];             \
    const lanes_t c = i[0] + 4 * i[2], d = 2 * i[1] + 8 * i[3]; \
    o[0] = i[0];                                                \
    o[1] = a + b;                                               \
    o[2] = a - b;                                               \
    o[3] = c + d;                                               \
    o[4] = c - d;                                               \
    o[5] = i[3];                                                \
  }
#define FILTER_GRADIENT_TRANSFORM(o, i)                                             \
  {                                                                                 \
    const lanes_t a = (i[1] + i[2]) * (1 / 6.0f), b = (i[2] - i[1]) * (1 / 6.0f);   \
    const lanes_t c = i[3] + i[4], d = (i[3] - i[4]) * (1 / 12.0f);                 \
    o[0] = i[0] * 0.25f - a + c * (1 / 24.0f);                                      \
    o[1] = b + d;                                                                   \
    o[2] = c * (1 / 6.0f) - a + i[5];                                               \
  }

static inline ptrdiff_t tiles(ptrdiff_t positions) { return (positions + TILE - 1) / TILE; }

DISPATCHED void lcw_winograd_filters(
    float *transformed, const float *weight, ptrdiff_t filters, ptrdiff_t channels, int reversed,
    ptrdiff_t first, ptrdiff_t count) {
  FUSED
  const ptrdiff_t all = filters * channels;
  for (ptrdiff_t start = first; start < first + count; start += LANES) {
    const ptrdiff_t rest = first + count - start, n = rest < LANES ? rest : LANES;
    lanes_t g[9] = {0}, half[POINTS], o[WINDOW];
    for (ptrdiff_t k = 0; k < n; k++) {
      const ptrdiff_t filter = (start + k) / channels, channel = (start + k) % channels;
      const float *from = weight + 9 * (reversed ? channel * filters + filter : start + k);
      for (int e = 0; e < 9; e++) g[e][k] = from[reversed ? 8 - e : e];
    }
    for (int x = 0; x < 3; x++) {
      FILTER_TRANSFORM(o, g[x], g[3 + x], g[6 + x])
      for (int y = 0; y < WINDOW; y++) half[3 * y + x] = o[y];
    }
    for (int y = 0; y < WINDOW; y++) {
      FILTER_TRANSFORM(o, half[3 * y], half[3 * y + 1], half[3 * y + 2])
      for (int x = 0; x < WINDOW; x++)
        memcpy(transformed + (y * WINDOW + x) * all + start, &o[x], sizeof(float) * (size_t)n);
    }
  }
}

DISPATCHED void lcw_winograd_patches(
    float *transformed, const float *images, const lcw_windows_t *w, ptrdiff_t samples,
    float *scratch) {
  FUSED
  const ptrdiff_t across = tiles(w->out_width), each = tiles(w->out_height) * across;
  const ptrdiff_t width = TILE * across + 2, height = TILE * tiles(w->out_height) + 2;
  const ptrdiff_t count = samples * each, plane = w->height * w->width;
  memset(scratch, 0, sizeof(float) * (size_t)(samples * height * width));
  for (ptrdiff_t c = 0; c < w->channels; c++) {
    // Borders stay zero from channel to channel.
    for (ptrdiff_t s = 0; s < samples; s++) {
      const float *from = images + (s * w->channels + c) * plane;
      float *to = scratch + (s * height + w->top) * width + w->left;
      for (ptrdiff_t y = 0; y < w->height; y++)
        memcpy(to + y * width, from + y * w->width, sizeof(float) * (size_t)w->width);
    }
    for (ptrdiff_t start = 0; start < count; start += LANES) {
      const ptrdiff_t rest = count - start, n = rest < LANES ? rest : LANES;
      lanes_t d[POINTS] = {0}, half[POINTS], i[WINDOW], o[WINDOW];
      float *lanes = (float *)d;
      for (ptrdiff_t k = 0; k < n; k++) {
        const ptrdiff_t s = (start + k) / each, t = (start + k) % each;
        const float *from =
            scratch + (s * height + t / across * TILE) * width + t % across * TILE;
        for (int y = 0; y < WINDOW; y++)
          for (int x = 0; x < WINDOW; x++)
            lanes[(y * WINDOW + x) * LANES + k] = from[y * width + x];
      }
      for (int x = 0; x < WINDOW; x++) {
        for (int y = 0; y < WINDOW; y++) i[y] = d[y * WINDOW + x];
        INPUT_TRANSFORM(o, i)
        for (int y = 0; y < WINDOW; y++) half[y * WINDOW + x] = o[y];
      }
      for (int y = 0; y < WINDOW; y++) {
        const lanes_t *row = half + y * WINDOW;
        INPUT_TRANSFORM(o, row)
        for (int x = 0; x < WINDOW; x++)
          memcpy(
              transformed + ((y * WINDOW + x) * w->channels + c) * count + start, &o[x],
              sizeof(float) * (size_t)n);
      }
    }
  }
}

DISPATCHED void lcw_winograd_output(
    float *y_, const float *products, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, const float *bias, int relu) {
  FUSED
  const ptrdiff_t across = tiles(w->out_width), each = tiles(w->out_height) * across;
  const ptrdiff_t count = samples * each, positions = w->out_height * w->out_width;
  for (ptrdiff_t f = 0; f < filters; f++) {
    const float b = bias ? bias[f] : 0;
    for (ptrdiff_t start = 0; start < count; start += LANES) {
      const ptrdiff_t rest = count - start, n = rest < LANES ? rest : LANES;
      lanes_t m[POINTS] = {0}, half[TILE * WINDOW], i[WINDOW], o[TILE], r[TILE * TILE];
      for (int k = 0; k < POINTS; k++)
        memcpy(
            &m[k], products + (k * filters + f) * count + start, sizeof(float) * (size_t)n);
      for (int x = 0; x < WINDOW; x++) {
        for (int y = 0; y < WINDOW; y++) i[y] = m[y * WINDOW + x];
        OUTPUT_TRANSFORM(o, i)
        for (int y = 0; y < TILE; y++) half[y * WINDOW + x] = o[y];
      }
      for (int y = 0; y < TILE; y++) {
        const lanes_t *row = half + y * WINDOW;
        OUTPUT_TRANSFORM(o, row)
        for (int x = 0; x < TILE; x++) {
          lanes_t v = o[x] + b;
          // A NaN stays.
          if (relu) v = (lanes_t)((mask_t)v & ~(mask_t)(v < 0));
          r[y * TILE + x] = v;
        }
      }
      const float *lanes = (const float *)r;
      for (ptrdiff_t k = 0; k < n; k++) {
        const ptrdiff_t s = (start + k) / each, t = (start + k) % each;
        const ptrdiff_t top = t / across * TILE, left = t % across * TILE;
        const ptrdiff_t down = w->out_height - top < TILE ? w->out_height - top : TILE;
        const ptrdiff_t right = w->out_width - left < TILE ? w->out_width - left : TILE;
        float *to = y_ + (s * filters + f) * positions + top * w->out_width + left;
        for (ptrdiff_t y = 0; y < down; y++)
          for (ptrdiff_t x = 0; x < right; x++)
            to[y * w->out_width + x] = lanes[(y * TILE + x) * LANES + k];
      }
    }
  }
}

DISPATCHED void lcw_winograd_gradients(
    float *transformed, const float *gradient, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples) {
  FUSED
  const ptrdiff_t across = tiles(w->out_width), each = tiles(w->out_height) * across;
  const ptrdiff_t count = samples * each, positions = w->out_height * w->out_width;
  for (ptrdiff_t f = 0; f < filters; f++) {
    for (ptrdiff_t start = 0; start < count; start += LANES) {
      const ptrdiff_t rest = count - start, n = rest < LANES ? rest : LANES;
      lanes_t d[TILE * TILE] = {0}, half[WINDOW * TILE], i[TILE], o[WINDOW];
      float *lanes = (float *)d;
      for (ptrdiff_t k = 0; k < n; k++) {
        const ptrdiff_t s = (start + k) / each, t = (start + k) % each;
        const ptrdiff_t top = t / across * TILE, left = t % across * TILE;
        const ptrdiff_t down = w->out_height - top < TILE ? w->out_height - top : TILE;
        const ptrdiff_t right = w->out_width - left < TILE ? w->out_width - left : TILE;
        const float *from =
            gradient + (s * filters + f) * positions + top * w->out_width + left;
        if (down == TILE && right == TILE) {
          for (int y = 0; y < TILE; y++)
            for (int x = 0; x < TILE; x++)
              lanes[(y * TILE + x) * LANES + k] = from[y * w->out_width + x];
        } else {
          for (ptrdiff_t y = 0; y < down; y++)
            for (ptrdiff_t x = 0; x < right; x++)
              lanes[(y * TILE + x) * LANES + k] = from[y * w->out_width + x];
        }
      }
      for (int x = 0; x < TILE; x++) {
        for (int y = 0; y < TILE; y++) i[y] = d[y * TILE + x];
        GRADIENT_TRANSFORM(o, i)
        for (int y = 0; y < WINDOW; y++) half[y * TILE + x] = o[y];
      }
      for (int y = 0; y < WINDOW; y++) {
        const lanes_t *row = half + y * TILE;
        GRADIENT_TRANSFORM(o, row)
        for (int x = 0; x < WINDOW; x++)
          memcpy(
              transformed + ((y * WINDOW + x) * filters + f) * count + start, &o[x],
              sizeof(float) * (size_t)n);
      }
    }
  }
}

DISPATCHED void lcw_winograd_filter_gradient(
    float *gradient, float carry, const float *sums, ptrdiff_t parts, ptrdiff_t pairs,
    ptrdiff_t first, ptrdiff_t count) {
  FUSED
  for (ptrdiff_t start = first; start < first + count; start += LANES) {
    const ptrdiff_t rest = first + count - start, n = rest < LANES ? rest : LANES;
    lanes_t m[POINTS] = {0}, half[3 * WINDOW], i[WINDOW], o[3], r[9];
    for (ptrdiff_t part = 0; part < parts; part++) {
      for (int k = 0; k < POINTS; k++) {
        lanes_t v = {0};
        memcpy(&v, sums + (part * POINTS + k) * pairs + start, sizeof(float) * (size_t)n);
        m[k] += v;
      }
    }
    for (int x = 0; x < WINDOW; x++) {
      for (int y = 0; y < WINDOW; y++) i[y] = m[y * WINDOW + x];
      FILTER_GRADIENT_TRANSFORM(o, i)
      for (int y = 0; y < 3; y++) half[y * WINDOW + x] = o[y];
    }
    for (int y = 0; y < 3; y++) {
      const lanes_t *row = half + y * WINDOW;
      FILTER_GRADIENT_TRANSFORM(o, row)
      for (int x = 0; x < 3; x++) r[3 * y + x] = o[x];
    }
    for (ptrdiff_t k = 0; k < n; k++) {
      float *to = gradient + 9 * (start + k);
      for (int e = 0; e < 9; e++) to[e] = carry == 0 ? r[e][k] : carry * to[e] + r[e][k];
    }
  }
}
