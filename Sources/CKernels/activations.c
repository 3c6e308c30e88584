// SPDX-License-Identifier: Apache-2.0
#include "exponential.h"
#include <math.h>

// Each loop changes `y` from `input` to output, or the gradient `g` from behind to before. What is not
// a number stays so: a comparison with it is false, and the value itself is the other way.

DISPATCHED void lcw_leaky_relu(float *y, float slope, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = y[i] < 0 ? slope * y[i] : y[i];
}

DISPATCHED void lcw_leaky_relu_backward(
    float *restrict g, const float *restrict x, float slope, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) g[i] = x[i] > 0 ? g[i] : slope * g[i];
}

DISPATCHED void lcw_clip(float *y, float lower, float upper, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const float v = y[i] < lower ? lower : y[i];
    y[i] = v > upper ? upper : v;
  }
}

DISPATCHED void lcw_clip_backward(
    float *restrict g, const float *restrict y, float lower, float upper, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) g[i] = ((y[i] > lower) & (y[i] < upper)) ? g[i] : 0;
}

DISPATCHED void lcw_sigmoid(float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = sigmoid_of(y[i]);
}

DISPATCHED void lcw_sigmoid_backward(
    float *restrict g, const float *restrict y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) g[i] *= y[i] * (1 - y[i]);
}

DISPATCHED void lcw_silu(float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const float s = sigmoid_of(y[i]);
    // −∞ · 0 is the limit 0.
    y[i] = s == 0 ? 0 : y[i] * s;
  }
}

DISPATCHED void lcw_silu_backward(float *restrict g, const float *restrict x, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) {
    const float s = sigmoid_of(x[i]);
    const float slope = s * (1 + x[i] * (1 - s));
    g[i] *= s == 0 ? 0 : s == 1 ? 1 : slope;
  }
}

DISPATCHED void lcw_hard_sigmoid(float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const float v = y[i] * (1.0f / 6) + 0.5f;
    y[i] = v < 0 ? 0 : v > 1 ? 1 : v;
  }
}

DISPATCHED void lcw_hard_sigmoid_backward(
    float *restrict g, const float *restrict y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) g[i] = ((y[i] > 0) & (y[i] < 1)) ? g[i] * (1.0f / 6) : 0;
}

DISPATCHED void lcw_hard_swish(float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const float x = y[i];
    const float inner = x * (x * (1.0f / 6) + 0.5f);
    y[i] = x <= -3 ? 0 : x >= 3 ? x : inner;
  }
}

DISPATCHED void lcw_hard_swish_backward(float *restrict g, const float *restrict x, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const float slope = x[i] * (1.0f / 3) + 0.5f;
    g[i] *= x[i] <= -3 ? 0 : x[i] >= 3 ? 1 : slope;
  }
}

DISPATCHED void lcw_gelu(float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const float share = 0.5f * (1 + erf_of(y[i] * 0.707106781f));
    y[i] = share == 0 ? 0 : y[i] * share;
  }
}

DISPATCHED void lcw_gelu_backward(float *restrict g, const float *restrict x, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) {
    const float share = 0.5f * (1 + erf_of(x[i] * 0.707106781f));
    // 15 is beyond what the density is more than 0 for, and its square is finite.
    const float z = x[i] > 15 ? 15 : x[i] < -15 ? -15 : x[i];
    g[i] *= share + z * 0.398942280f * exp_of(-0.5f * z * z);
  }
}

// (1 + tanh(u)) / 2 is the sigmoid of 2u, which keeps its digits where tanh comes near −1. Here 2u is
// 2 √(2/π) (z + 0.044715 z³); beyond ±8 the sigmoid is 0 or 1.
INLINED float gelu_share(float z) {
  return sigmoid_of(1.59576912f * z * (1 + 0.044715f * z * z));
}

DISPATCHED void lcw_gelu_tanh(float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const float z = y[i] > 8 ? 8 : y[i] < -8 ? -8 : y[i];
    // Where the share is as good as 0, −∞ has the limit 0 too.
    const float share = y[i] < -8 ? 0 : gelu_share(z);
    y[i] = share == 0 ? 0 : y[i] * share;
  }
}

DISPATCHED void lcw_gelu_tanh_backward(float *restrict g, const float *restrict x, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) {
    const float z = x[i] > 8 ? 8 : x[i] < -8 ? -8 : x[i];
    const float share = gelu_share(z);
    const float slope = 1.59576912f * (1 + 3 * 0.044715f * z * z);
    g[i] *= share + z * share * (1 - share) * slope;
  }
}

DISPATCHED void lcw_elu(float *y, float alpha, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    // Near 0 the series, since the difference would lose the digits.
    const float x = y[i], small = x + 0.5f * x * x * (1 + x * (1.0f / 3) * (1 + x * 0.25f));
    const float below = x > -0.03125f ? small : exp_of(x) - 1;
    y[i] = x < 0 ? alpha * below : x;
  }
}

DISPATCHED void lcw_elu_backward(
    float *restrict g, const float *restrict y, float alpha, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) g[i] *= y[i] > 0 ? 1 : y[i] + alpha;
}

// MARK: softmax

// Positions beside each other, of which the largest values and the sums are kept on the stack.
#define TILE 64

INLINED void softmax_row(float *y, ptrdiff_t n) {
  FAST_SUMS
  float largest = -INFINITY, sum = 0;
  for (ptrdiff_t i = 0; i < n; i++) largest = y[i] > largest ? y[i] : largest;
  for (ptrdiff_t i = 0; i < n; i++) {
    const float e = exp_of(y[i] - largest);
    y[i] = e;
    sum += e;
  }
  const float factor = 1 / sum;
  for (ptrdiff_t i = 0; i < n; i++) y[i] *= factor;
}

INLINED void softmax_tile(float *y, ptrdiff_t n, ptrdiff_t stride, ptrdiff_t count) {
  float largest[TILE], sum[TILE];
  for (ptrdiff_t x = 0; x < count; x++) {
    largest[x] = -INFINITY;
    sum[x] = 0;
  }
  for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t x = 0; x < count; x++) {
      const float v = y[i * stride + x];
      largest[x] = v > largest[x] ? v : largest[x];
    }
  for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t x = 0; x < count; x++) {
      const float e = exp_of(y[i * stride + x] - largest[x]);
      y[i * stride + x] = e;
      sum[x] += e;
    }
  for (ptrdiff_t x = 0; x < count; x++) sum[x] = 1 / sum[x];
  for (ptrdiff_t i = 0; i < n; i++)
    for (ptrdiff_t x = 0; x < count; x++) y[i * stride + x] *= sum[x];
}

DISPATCHED void lcw_softmax(float *y, ptrdiff_t outer, ptrdiff_t n, ptrdiff_t inner) {
  for (ptrdiff_t o = 0; o < outer; o++, y += n * inner) {
    if (inner == 1) {
      softmax_row(y, n);
      continue;
    }
    for (ptrdiff_t first = 0; first < inner; first += TILE)
      softmax_tile(y + first, n, inner, inner - first < TILE ? inner - first : TILE);
  }
}

DISPATCHED void lcw_softmax_backward(
    float *restrict g, const float *restrict y, ptrdiff_t outer, ptrdiff_t n, ptrdiff_t inner) {
  FAST_SUMS
  for (ptrdiff_t o = 0; o < outer; o++, g += n * inner, y += n * inner) {
    if (inner == 1) {
      float sum = 0;
      for (ptrdiff_t i = 0; i < n; i++) sum += g[i] * y[i];
      for (ptrdiff_t i = 0; i < n; i++) g[i] = y[i] * (g[i] - sum);
      continue;
    }
    for (ptrdiff_t first = 0; first < inner; first += TILE) {
      const ptrdiff_t count = inner - first < TILE ? inner - first : TILE;
      float sum[TILE] = {0};
      for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t x = 0; x < count; x++)
          sum[x] += g[i * inner + first + x] * y[i * inner + first + x];
      for (ptrdiff_t i = 0; i < n; i++)
        for (ptrdiff_t x = 0; x < count; x++) {
          const ptrdiff_t at = i * inner + first + x;
          g[at] = y[at] * (g[at] - sum[x]);
        }
    }
  }
}
