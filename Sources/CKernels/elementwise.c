// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"

DISPATCHED void lcw_relu(float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = y[i] < 0 ? 0 : y[i];
}

DISPATCHED void lcw_relu_backward(float *g, const float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) g[i] = y[i] > 0 ? g[i] : 0;
}

// Minimax approximation x · p(x²) / q(x²) on [-8.9, 8.9], ±1 at the ends and beyond.
// The coefficients are those of Tests/Reference/tanh_coefficients.py. Near the ends the quotient
// rounds to a little over 1, which would make 1 − y² negative, so it is cut off.
// The quotient comes first, since x · p of a small x is subnormal and loses its digits.
DISPATCHED void lcw_tanh(float *y, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) {
    float v = y[i];
    float x = v > 8.9f ? 8.9f : v < -8.9f ? -8.9f : v;
    float s = x * x;
    float p = 1.35986227e-08f;
    p = p * s + 2.07885678e-05f;
    p = p * s + 0.00350667071f;
    p = p * s + 0.133904248f;
    p = p * s + 1.0f;
    float q = 7.87737122e-07f;
    q = q * s + 0.000330363051f;
    q = q * s + 0.025919348f;
    q = q * s + 0.467237473f;
    q = q * s + 1.0f;
    float t = x * (p / q);
    y[i] = t > 1 ? 1 : t < -1 ? -1 : t;
  }
}

DISPATCHED void lcw_tanh_backward(float *restrict g, const float *restrict y, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) g[i] *= 1 - y[i] * y[i];
}

DISPATCHED void lcw_multiply(float *y, const float *m, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] *= m[i];
}

DISPATCHED void lcw_axpby(
    float *restrict y, float a, const float *restrict x, float b, ptrdiff_t n) {
  FUSED
  if (b == 0) {
    for (ptrdiff_t i = 0; i < n; i++) y[i] = a * x[i];
  } else {
    for (ptrdiff_t i = 0; i < n; i++) y[i] = a * x[i] + b * y[i];
  }
}

DISPATCHED double lcw_squared_distance(const float *x, const float *y, ptrdiff_t n) {
  FAST_SUMS
  double sum = 0;
  for (ptrdiff_t i = 0; i < n; i++) {
    double d = (double)x[i] - (double)y[i];
    sum += d * d;
  }
  return sum;
}
