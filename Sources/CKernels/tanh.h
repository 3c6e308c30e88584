// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "dispatch.h"

// Minimax approximation x · p(x²) / q(x²) on [-8.9, 8.9], ±1 at the ends and beyond.
// The coefficients are those of Tests/Reference/tanh_coefficients.py. Near the ends the quotient
// rounds to a little over 1, which would make 1 − y² negative, so it is cut off.
// The quotient comes first, since x · p of a small x is subnormal and loses its digits.
static inline __attribute__((always_inline)) float tanh_of(float v) {
  FUSED
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
  return t > 1 ? 1 : t < -1 ? -1 : t;
}
