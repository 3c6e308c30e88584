// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the loops on tile registers share; for x86-64 alone.
#include "wide_registers.h"
#include <stdint.h>
#include <string.h>

#define TILES \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,amx-tile,amx-bf16")))

/// Two vectors of single precision as one of bfloat16, rounded to nearest; what is lost stays in them.
TILES INLINE __m512i take_part(__m512 *a, __m512 *b) {
  const __m512i rounded = (__m512i)_mm512_cvtne2ps_pbh(*b, *a);
  const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(rounded));
  const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(rounded, 1));
  *a = _mm512_sub_ps(*a, _mm512_castsi512_ps(_mm512_slli_epi32(low, 16)));
  *b = _mm512_sub_ps(*b, _mm512_castsi512_ps(_mm512_slli_epi32(high, 16)));
  return rounded;
}

/// The order that makes pairs of a first and a second half's numbers.
TILES INLINE __m512i pairing(void) {
  return _mm512_set_epi16(
      31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19,
      3, 18, 2, 17, 1, 16, 0);
}

/// All eight tiles are of 16 rows of 64 bytes.
TILES INLINE void configure(void) {
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } configuration;
  memset(&configuration, 0, sizeof configuration);
  configuration.palette = 1;
  for (int i = 0; i < 8; i++) {
    configuration.bytes[i] = 64;
    configuration.rows[i] = 16;
  }
  _tile_loadconfig(&configuration);
}
