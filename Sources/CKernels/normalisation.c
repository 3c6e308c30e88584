// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"

// Values that are summed in single precision before the sum goes on in double.
#define PIECE 1024
// Channels side by side where each is one value of a sample.
#define LANES 64

// Calls `body` with a piece of `n` values from `at` on of channel `c`, for all samples.
#define FOR_EACH_PIECE(body)                                              \
  for (ptrdiff_t s = 0; s < samples; s++) {                               \
    const ptrdiff_t plane = (s * channels + c) * positions;               \
    for (ptrdiff_t first = 0; first < positions; first += PIECE) {        \
      const ptrdiff_t at = plane + first;                                 \
      const ptrdiff_t rest = positions - first, n = rest < PIECE ? rest : PIECE; \
      body                                                                \
    }                                                                     \
  }

// Calls `body` for each of `n` channels from `c` on of each sample, where channels are single values.
#define FOR_EACH_LANE(body)                       \
  for (ptrdiff_t s = 0; s < samples; s++) {       \
    const ptrdiff_t at = s * channels + c;        \
    for (ptrdiff_t i = 0; i < n; i++) { body }    \
  }

static inline void vector_moments(
    float *mean, float *variance, const float *x, ptrdiff_t samples, ptrdiff_t channels,
    ptrdiff_t c, ptrdiff_t n) {
  double sums[LANES] = {0}, squares[LANES] = {0};
  FOR_EACH_LANE({ sums[i] += x[at + i]; })
  for (ptrdiff_t i = 0; i < n; i++) sums[i] /= (double)samples;
  FOR_EACH_LANE({
    const double d = x[at + i] - sums[i];
    squares[i] += d * d;
  })
  for (ptrdiff_t i = 0; i < n; i++) {
    mean[c + i] = (float)sums[i];
    variance[c + i] = (float)(squares[i] / (double)samples);
  }
}

DISPATCHED void lcw_norm_moments(
    float *mean, float *variance, const float *x, ptrdiff_t samples, ptrdiff_t channels,
    ptrdiff_t positions, ptrdiff_t first_channel, ptrdiff_t count) {
  FAST_SUMS
  const ptrdiff_t last_channel = first_channel + count;
  if (positions == 1) {
    for (ptrdiff_t c = first_channel; c < last_channel; c += LANES)
      vector_moments(
          mean, variance, x, samples, channels, c,
          last_channel - c < LANES ? last_channel - c : LANES);
    return;
  }
  const double all = (double)samples * (double)positions;
  for (ptrdiff_t c = first_channel; c < last_channel; c++) {
    double sum = 0, square = 0;
    FOR_EACH_PIECE({
      float part = 0;
      for (ptrdiff_t i = 0; i < n; i++) part += x[at + i];
      sum += part;
    })
    const float m = (float)(sum / all);
    FOR_EACH_PIECE({
      float part = 0;
      for (ptrdiff_t i = 0; i < n; i++) part += (x[at + i] - m) * (x[at + i] - m);
      square += part;
    })
    mean[c] = m;
    variance[c] = (float)(square / all);
  }
}

DISPATCHED void lcw_norm_scale(
    float *restrict y, const float *restrict x, const float *restrict factor,
    const float *restrict summand, ptrdiff_t samples,
    ptrdiff_t channels, ptrdiff_t positions, int relu) {
  FUSED
  for (ptrdiff_t s = 0; s < samples; s++) {
    if (positions == 1) {
      for (ptrdiff_t c = 0; c < channels; c++) {
        const float v = x[s * channels + c] * factor[c] + summand[c];
        y[s * channels + c] = relu && v < 0 ? 0 : v;
      }
      continue;
    }
    for (ptrdiff_t c = 0; c < channels; c++) {
      const ptrdiff_t at = (s * channels + c) * positions;
      const float a = factor[c], b = summand[c];
      if (relu) {
        for (ptrdiff_t i = 0; i < positions; i++) {
          const float v = x[at + i] * a + b;
          y[at + i] = v < 0 ? 0 : v;
        }
      } else {
        for (ptrdiff_t i = 0; i < positions; i++) y[at + i] = x[at + i] * a + b;
      }
    }
  }
}

DISPATCHED void lcw_norm_backward_sums(
    float *sums, float *products, const float *g, const float *x, const float *mean,
    ptrdiff_t samples, ptrdiff_t channels, ptrdiff_t positions, ptrdiff_t first_channel,
    ptrdiff_t count) {
  FAST_SUMS
  const ptrdiff_t last_channel = first_channel + count;
  if (positions == 1) {
    for (ptrdiff_t c = first_channel; c < last_channel; c += LANES) {
      const ptrdiff_t n = last_channel - c < LANES ? last_channel - c : LANES;
      double sum[LANES] = {0}, product[LANES] = {0};
      FOR_EACH_LANE({
        sum[i] += g[at + i];
        product[i] += g[at + i] * (x[at + i] - mean[c + i]);
      })
      for (ptrdiff_t i = 0; i < n; i++) {
        sums[c + i] = (float)sum[i];
        products[c + i] = (float)product[i];
      }
    }
    return;
  }
  for (ptrdiff_t c = first_channel; c < last_channel; c++) {
    double sum = 0, product = 0;
    const float m = mean[c];
    FOR_EACH_PIECE({
      float part = 0;
      float other = 0;
      for (ptrdiff_t i = 0; i < n; i++) {
        part += g[at + i];
        other += g[at + i] * (x[at + i] - m);
      }
      sum += part;
      product += other;
    })
    sums[c] = (float)sum;
    products[c] = (float)product;
  }
}

DISPATCHED void lcw_norm_backward(
    float *restrict g, const float *restrict x, const float *restrict factor,
    const float *restrict slope, const float *restrict summand,
    ptrdiff_t samples, ptrdiff_t channels, ptrdiff_t positions) {
  FUSED
  for (ptrdiff_t s = 0; s < samples; s++) {
    if (positions == 1) {
      for (ptrdiff_t c = 0; c < channels; c++) {
        const ptrdiff_t i = s * channels + c;
        g[i] = g[i] * factor[c] + (x[i] * slope[c] + summand[c]);
      }
      continue;
    }
    for (ptrdiff_t c = 0; c < channels; c++) {
      const ptrdiff_t at = (s * channels + c) * positions;
      const float a = factor[c], b = slope[c], d = summand[c];
      for (ptrdiff_t i = at; i < at + positions; i++) g[i] = g[i] * a + (x[i] * b + d);
    }
  }
}
