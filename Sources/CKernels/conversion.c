// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include <string.h>

DISPATCHED void lcw_bytes_to_floats(
    float *restrict y, const uint8_t *restrict x, float scale, float offset, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) y[i] = (float)x[i] * scale + offset;
}

DISPATCHED void lcw_bytes_to_floats_each(
    float *restrict y, const uint8_t *restrict x, const float *restrict scale,
    const float *restrict offset, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t i = 0; i < n; i++) y[i] = (float)x[i] * scale[i] + offset[i];
}

static inline float float_from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

static inline uint32_t bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

void lcw_half_to_float(float *y, const uint16_t *x, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const uint32_t sign = (uint32_t)(x[i] & 0x8000) << 16;
    uint32_t exponent = (x[i] >> 10) & 0x1f, mantissa = x[i] & 0x3ff;
    uint32_t bits;
    if (exponent == 0x1f) {
      bits = sign | 0x7f800000u | (mantissa << 13);
    } else if (exponent != 0) {
      bits = sign | ((exponent + 112) << 23) | (mantissa << 13);
    } else if (mantissa == 0) {
      bits = sign;
    } else {
      exponent = 113;
      while (!(mantissa & 0x400)) {
        mantissa <<= 1;
        exponent--;
      }
      bits = sign | (exponent << 23) | ((mantissa & 0x3ff) << 13);
    }
    y[i] = float_from_bits(bits);
  }
}

void lcw_float_to_half(uint16_t *y, const float *x, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const uint32_t bits = bits_of_float(x[i]);
    const uint16_t sign = (uint16_t)((bits >> 16) & 0x8000);
    const uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
      y[i] = sign | 0x7e00 | (uint16_t)((magnitude >> 13) & 0x3ff);
    } else if (magnitude >= 0x477ff000u) {
      y[i] = sign | 0x7c00;
    } else if (magnitude >= 0x38800000u) {
      const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1);
      y[i] = sign | (uint16_t)((rounded - 0x38000000u) >> 13);
    } else {
      // Adding 0.5 lines the subnormal's last bit up with the float's, and rounds to nearest even.
      const float shifted = float_from_bits(magnitude) + 0.5f;
      y[i] = sign | (uint16_t)(bits_of_float(shifted) - 0x3f000000u);
    }
  }
}

DISPATCHED void lcw_bfloat_to_float(float *y, const uint16_t *x, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) y[i] = float_from_bits((uint32_t)x[i] << 16);
}

DISPATCHED void lcw_float_to_bfloat(uint16_t *y, const float *x, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    const uint32_t bits = bits_of_float(x[i]);
    const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
    const uint32_t quiet = (bits >> 16) | 0x40;
    y[i] = (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
  }
}
