// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include "tanh.h"

DISPATCHED void lcw_relu(float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = y[i] < 0 ? 0 : y[i];
}

DISPATCHED void lcw_relu_backward(float *g, const float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) g[i] = y[i] > 0 ? g[i] : 0;
}

DISPATCHED void lcw_tanh(float *y, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = tanh_of(y[i]);
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
