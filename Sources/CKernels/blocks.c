// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"

DISPATCHED void lcw_add(float *y, const float *x, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] += x[i];
}

DISPATCHED void lcw_add_relu(
    float *y, const float *a, const float *b, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const float v = a[i] + b[i];
    y[i] = v < 0 ? 0 : v;
  }
}

DISPATCHED void lcw_add_both(float *y, const float *a, const float *b, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

DISPATCHED double lcw_dot(const float *x, const float *y, ptrdiff_t n) {
  FAST_SUMS
  double sum = 0;
  for (ptrdiff_t i = 0; i < n; i++) sum += (double)x[i] * (double)y[i];
  return sum;
}

DISPATCHED void lcw_scale_planes(
    float *y, const float *x, const float *factor, ptrdiff_t planes, ptrdiff_t n) {
  for (ptrdiff_t p = 0; p < planes; p++, x += n, y += n) {
    const float a = factor[p];
    for (ptrdiff_t i = 0; i < n; i++) y[i] = a * x[i];
  }
}

DISPATCHED void lcw_plane_products(
    float *s, const float *x, const float *y, ptrdiff_t planes, ptrdiff_t n) {
  FAST_SUMS
  for (ptrdiff_t p = 0; p < planes; p++, x += n, y += n) {
    float sum = 0;
    for (ptrdiff_t i = 0; i < n; i++) sum += x[i] * y[i];
    s[p] = sum;
  }
}
