// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the loops on vectors of 512 bits and on tile registers share; for x86-64 alone.
#include <immintrin.h>
#include <stddef.h>

#define VECTORS __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define INLINE static inline __attribute__((always_inline))

/// The first `count` of a vector's 16 lanes.
INLINE __mmask16 first(ptrdiff_t count) {
  return count >= 16 ? 0xffff : count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}

/// Transposes 16 × 16 values of 32 bits.
VECTORS INLINE void transpose(__m512i *r) {
  __m512i t[16], u[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    u[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    u[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    u[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    u[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    const __m512i p = _mm512_shuffle_i32x4(u[i], u[4 + i], 0x88);
    const __m512i q = _mm512_shuffle_i32x4(u[8 + i], u[12 + i], 0x88);
    const __m512i v = _mm512_shuffle_i32x4(u[i], u[4 + i], 0xdd);
    const __m512i w = _mm512_shuffle_i32x4(u[8 + i], u[12 + i], 0xdd);
    r[i] = _mm512_shuffle_i32x4(p, q, 0x88);
    r[4 + i] = _mm512_shuffle_i32x4(v, w, 0x88);
    r[8 + i] = _mm512_shuffle_i32x4(p, q, 0xdd);
    r[12 + i] = _mm512_shuffle_i32x4(v, w, 0xdd);
  }
}
