// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "dispatch.h"
#include <string.h>

#define INLINED static inline __attribute__((always_inline))

// A power of two whose exponent is in the range of normal numbers.
INLINED float power_of_two(int32_t exponent) {
  const int32_t bits = (exponent + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return power;
}

// exp(v) to 2 units in the last place; infinity above 88.73, and 0 below −104.
// v = n ln 2 + r with |r| at most half of ln 2, where eight terms of the series leave 1e-8. The power is
// multiplied in two halves, since 2ⁿ alone may be beyond the normal numbers.
INLINED float exp_of(float v) {
  FUSED
  const float x = v > 89 ? 89 : v < -104 ? -104 : v;
  // Adding and subtracting 1.5 · 2²³ rounds to the nearest integer.
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  // ln 2 in two parts, of which the first has few enough digits for n to multiply exactly.
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  // What is not a number has no exponent that an integer could hold.
  const int32_t exponent = v == v ? (int32_t)n : 0;
  const int32_t half = exponent >> 1;
  return p * power_of_two(half) * power_of_two(exponent - half);
}

// 1 / (1 + exp(−v)).
INLINED float sigmoid_of(float v) { return 1 / (1 + exp_of(-v)); }

// erf(v) to 2e-7, ±1 at ±3.92 and beyond: v · p(v²) / q(v²). The coefficients are those of
// Tests/Reference/erf_coefficients.py.
INLINED float erf_of(float v) {
  FUSED
  const float x = v > 3.92f ? 3.92f : v < -3.92f ? -3.92f : v;
  const float s = x * x;
  float p = 1.82022609e-06f;
  p = p * s + 0.000251989113f;
  p = p * s + 0.00331696961f;
  p = p * s + 0.046685718f;
  p = p * s + 0.168275416f;
  p = p * s + 1;
  float q = 3.8102502e-05f;
  q = q * s + 0.00115692394f;
  q = q * s + 0.0149239264f;
  q = q * s + 0.113890961f;
  q = q * s + 0.501608372f;
  q = q * s + 1;
  const float t = x * 1.12837917f * (p / q);
  return t > 1 ? 1 : t < -1 ? -1 : t;
}
