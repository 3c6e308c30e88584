// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"

DISPATCHED void lcw_relu(float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = y[i] < 0 ? 0 : y[i];
}

DISPATCHED void lcw_relu_backward(float *g, const float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) g[i] = y[i] > 0 ? g[i] : 0;
}

// Rational minimax approximation on [-9, 9]; beyond it tanh is within a unit of ±1. Near its ends
// the quotient rounds to a little over 1, which would make 1 − y² negative, so it is cut off.
// The quotient comes first, since x · p of a small x is subnormal and loses its digits.
DISPATCHED void lcw_tanh(float *y, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) {
    float v = y[i];
    float x = v > 9.0f ? 9.0f : v < -9.0f ? -9.0f : v;
    float s = x * x;
    float p = -2.76076847742355e-16f;
    p = p * s + 2.00018790482477e-13f;
    p = p * s + -8.60467152213735e-11f;
    p = p * s + 5.12229709037114e-08f;
    p = p * s + 1.48572235717979e-05f;
    p = p * s + 6.37261928875436e-04f;
    p = p * s + 4.89352455891786e-03f;
    float q = 1.19825839466702e-06f;
    q = q * s + 1.18534705686654e-04f;
    q = q * s + 2.26843463243900e-03f;
    q = q * s + 4.89352518554385e-03f;
    float t = x * (p / q);
    y[i] = t > 1 ? 1 : t < -1 ? -1 : t;
  }
}

DISPATCHED void lcw_tanh_backward(float *g, const float *y, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) g[i] *= 1 - y[i] * y[i];
}

DISPATCHED void lcw_multiply(float *y, const float *m, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] *= m[i];
}

DISPATCHED void lcw_axpby(float *y, float a, const float *x, float b, ptrdiff_t n) {
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
