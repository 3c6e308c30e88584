// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"

DISPATCHED void lcw_sgd_step(
    float *restrict w, float *restrict v, float rate, float decay, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) {
    float u = v[i] + decay * w[i];
    v[i] = u;
    w[i] -= rate * u;
  }
}

DISPATCHED void lcw_shared_sgd_step(
    float *restrict w, float *restrict v, const float *restrict g, float share, float momentum,
    float rate, float decay, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) {
    float u = momentum * v[i] + share * g[i] + decay * w[i];
    v[i] = u;
    w[i] -= rate * u;
  }
}

DISPATCHED void lcw_adam_step(
    float *restrict w, float *restrict m, float *restrict v, const float *restrict g, float rate, float decay, float beta1,
    float beta2, float correction1, float correction2, float epsilon, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) {
    float d = g[i] + decay * w[i];
    float a = beta1 * m[i] + (1 - beta1) * d;
    float b = beta2 * v[i] + (1 - beta2) * d * d;
    m[i] = a;
    v[i] = b;
    // The builtin sets no errno, so that the loop vectorises.
    w[i] -= rate * (a / correction1)
        / (__builtin_elementwise_sqrt(b / correction2) + epsilon);
  }
}
