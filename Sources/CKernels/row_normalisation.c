// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include <math.h>

// Values that are summed in single precision before the sum goes on in double.
#define PIECE 1024

DISPATCHED void lcw_row_moments(
    float *mean, float *inverse, const float *x, ptrdiff_t rows, ptrdiff_t width,
    double epsilon) {
  FAST_SUMS
  for (ptrdiff_t r = 0; r < rows; r++, x += width) {
    double sum = 0, square = 0;
    for (ptrdiff_t first = 0; first < width; first += PIECE) {
      const ptrdiff_t end = width - first < PIECE ? width : first + PIECE;
      float part = 0;
      for (ptrdiff_t i = first; i < end; i++) part += x[i];
      sum += part;
    }
    const float m = (float)(sum / (double)width);
    for (ptrdiff_t first = 0; first < width; first += PIECE) {
      const ptrdiff_t end = width - first < PIECE ? width : first + PIECE;
      float part = 0;
      for (ptrdiff_t i = first; i < end; i++) part += (x[i] - m) * (x[i] - m);
      square += part;
    }
    mean[r] = m;
    inverse[r] = (float)(1 / sqrt(square / (double)width + epsilon));
  }
}

// Element i of row r belongs to number (r mod cycle) · width / each + i / each of the scales: `each` is 1
// where every element has its own, else a divisor of the width.

DISPATCHED void lcw_row_normalise(
    float *restrict y, const float *restrict x, const float *restrict mean,
    const float *restrict inverse, const float *restrict scale, const float *restrict shift,
    ptrdiff_t rows, ptrdiff_t first_row, ptrdiff_t width, ptrdiff_t cycle, ptrdiff_t each) {
  FUSED
  for (ptrdiff_t r = 0; r < rows; r++, x += width, y += width) {
    const float m = mean[r], d = inverse[r];
    const ptrdiff_t own = (first_row + r) % cycle * (width / each);
    if (each == 1) {
      const float *restrict a = scale + own, *restrict b = shift + own;
      for (ptrdiff_t i = 0; i < width; i++) y[i] = (x[i] - m) * d * a[i] + b[i];
      continue;
    }
    for (ptrdiff_t k = 0; k < width / each; k++) {
      const float a = scale[own + k] * d, b = shift[own + k];
      for (ptrdiff_t i = k * each; i < (k + 1) * each; i++) y[i] = (x[i] - m) * a + b;
    }
  }
}

// The gradient of a row: with h = g · scale and x̂ = (x − m) · d,
// dx = d · (h − mean(h) − x̂ · mean(h · x̂)).
DISPATCHED void lcw_row_normalise_backward(
    float *restrict g, const float *restrict x, const float *restrict mean,
    const float *restrict inverse, const float *restrict scale, ptrdiff_t rows,
    ptrdiff_t first_row, ptrdiff_t width, ptrdiff_t cycle, ptrdiff_t each) {
  FAST_SUMS
  for (ptrdiff_t r = 0; r < rows; r++, x += width, g += width) {
    const float m = mean[r], d = inverse[r];
    const float *restrict own = scale + (first_row + r) % cycle * (width / each);
    double sum = 0, product = 0;
    for (ptrdiff_t k = 0; k < width / each;) {
      // A piece of elements that have a scale each, or the elements of one scale.
      const ptrdiff_t scales = each > 1 ? 1 : width - k < PIECE ? width - k : PIECE;
      const float *gs = g + k * each, *xs = x + k * each;
      float part = 0, other = 0;
      if (each == 1) {
        for (ptrdiff_t i = 0; i < scales; i++) {
          const float h = gs[i] * own[k + i];
          part += h;
          other += h * (xs[i] - m);
        }
        sum += part;
        product += other;
      } else {
        for (ptrdiff_t i = 0; i < each; i++) {
          part += gs[i];
          other += gs[i] * (xs[i] - m);
        }
        sum += (double)own[k] * part;
        product += (double)own[k] * other;
      }
      k += scales;
    }
    const float average = (float)(sum / (double)width);
    const float slope = (float)(product / (double)width * d * d);
    if (each == 1) {
      for (ptrdiff_t i = 0; i < width; i++)
        g[i] = d * (g[i] * own[i] - average - (x[i] - m) * slope);
    } else {
      for (ptrdiff_t k = 0; k < width / each; k++) {
        const float a = own[k];
        for (ptrdiff_t i = k * each; i < (k + 1) * each; i++)
          g[i] = d * (g[i] * a - average - (x[i] - m) * slope);
      }
    }
  }
}

DISPATCHED void lcw_row_scale_gradients(
    float *restrict scale, float *restrict shift, const float *restrict g,
    const float *restrict x, const float *restrict mean, const float *restrict inverse,
    ptrdiff_t rows, ptrdiff_t width, ptrdiff_t cycle, ptrdiff_t each, ptrdiff_t first,
    ptrdiff_t count) {
  FAST_SUMS
  const ptrdiff_t scales = width / each;
  for (ptrdiff_t k = 0; k < count; k++) scale[k] = shift[k] = 0;
  for (ptrdiff_t start = 0; start < rows; start += cycle) {
    if (each == 1) {
      // All scales of a cycle follow each other, in rows of `width`.
      for (ptrdiff_t k = 0; k < count;) {
        const ptrdiff_t r = start + (first + k) / width, column = (first + k) % width;
        const ptrdiff_t n = count - k < width - column ? count - k : width - column;
        const float *gs = g + r * width + column, *xs = x + r * width + column;
        const float m = mean[r], d = inverse[r];
        for (ptrdiff_t i = 0; i < n; i++) {
          scale[k + i] += gs[i] * ((xs[i] - m) * d);
          shift[k + i] += gs[i];
        }
        k += n;
      }
      continue;
    }
    for (ptrdiff_t k = 0; k < count; k++) {
      const ptrdiff_t r = start + (first + k) / scales;
      const ptrdiff_t at = r * width + (first + k) % scales * each;
      const float m = mean[r];
      float part = 0, other = 0;
      for (ptrdiff_t i = at; i < at + each; i++) {
        part += g[i];
        other += g[i] * (x[i] - m);
      }
      shift[k] += part;
      scale[k] += other * inverse[r];
    }
  }
}

// MARK: local response

// The power −beta of a sum, in single precision.
static inline float falling_power(float sum, float beta) {
  if (beta == 0.75f) return 1 / (sqrtf(sum) * sqrtf(sqrtf(sum)));
  if (beta == 0.5f) return 1 / sqrtf(sum);
  if (beta == 1) return 1 / sum;
  return powf(sum, -beta);
}

// For each channel calls `body` with the channels `from` to below `to` of its window.
#define FOR_EACH_CHANNEL(body)                                                   \
  for (ptrdiff_t c = 0; c < channels; c++) {                                     \
    const ptrdiff_t from = c - before > 0 ? c - before : 0;                      \
    const ptrdiff_t to = c - before + size < channels ? c - before + size : channels; \
    body                                                                         \
  }

DISPATCHED void lcw_local_response(
    float *restrict y, float *restrict sums, const float *restrict x, ptrdiff_t samples,
    ptrdiff_t channels, ptrdiff_t positions, ptrdiff_t size, float alpha, float beta, float k) {
  FUSED
  const ptrdiff_t before = size / 2;
  const float share = alpha / (float)size;
  for (ptrdiff_t s = 0; s < samples; s++) {
    const ptrdiff_t sample = s * channels * positions;
    FOR_EACH_CHANNEL({
      const ptrdiff_t at = sample + c * positions;
      float *restrict own = sums + at;
      for (ptrdiff_t i = 0; i < positions; i++) own[i] = 0;
      for (ptrdiff_t other = from; other < to; other++) {
        const float *restrict v = x + sample + other * positions;
        for (ptrdiff_t i = 0; i < positions; i++) own[i] += v[i] * v[i];
      }
      for (ptrdiff_t i = 0; i < positions; i++) {
        own[i] = k + share * own[i];
        y[at + i] = x[at + i] * falling_power(own[i], beta);
      }
    })
  }
}

DISPATCHED void lcw_local_response_backward(
    float *restrict dx, const float *restrict g, const float *restrict x,
    float *restrict sums, ptrdiff_t samples, ptrdiff_t channels,
    ptrdiff_t positions, ptrdiff_t size, float alpha, float beta) {
  FUSED
  // The channels whose windows hold a channel lie the other way round.
  const ptrdiff_t before = (size - 1) / 2;
  const float share = -2 * alpha * beta / (float)size;
  for (ptrdiff_t s = 0; s < samples; s++) {
    const ptrdiff_t sample = s * channels * positions;
    for (ptrdiff_t i = sample; i < sample + channels * positions; i++) {
      const float power = falling_power(sums[i], beta);
      dx[i] = g[i] * power;
      sums[i] = dx[i] * x[i] / sums[i];
    }
    FOR_EACH_CHANNEL({
      const ptrdiff_t at = sample + c * positions;
      for (ptrdiff_t other = from; other < to; other++) {
        const float *restrict t = sums + sample + other * positions;
        for (ptrdiff_t i = 0; i < positions; i++) dx[at + i] += share * x[at + i] * t[i];
      }
    })
  }
}
