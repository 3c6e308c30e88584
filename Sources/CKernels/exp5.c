// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include "words.h"
#include <string.h>

// The transform `exp5` starts from the byte planes of rotated words (planes.c): the exponent, then
// the mantissa from the top, then its last bits and the sign. A code of 5 bits takes the exponent's
// place, and what follows moves up by three bits.

#define ESCAPE 31

static inline uint8_t code_of(uint8_t exponent, uint8_t base) {
  const uint8_t code = (uint8_t)(exponent - base);
  const uint8_t inside = (uint8_t)(code - 1) < ESCAPE - 1 ? code : ESCAPE;
  return exponent == 0 ? 0 : inside;
}

// Escapes are rare: where there are any is found for so many words at once.
#define PART 64
typedef uint8_t part __attribute__((vector_size(PART)));
typedef int8_t part_mask __attribute__((vector_size(PART)));
typedef _Bool part_bits __attribute__((ext_vector_type(PART)));

// Inlined, so that the vectors are those of the caller's instruction set.
#define INLINED __attribute__((always_inline)) static inline

// A bit for each of the exponents that has no code.
INLINED uint64_t exponents_beyond(const uint8_t *exponents, uint8_t base) {
  part exponent;
  memcpy(&exponent, exponents, PART);
  const part beyond = exponent - base - 1;
  const part_mask mask = (beyond >= ESCAPE - 1) & (exponent != 0);
  const part_bits bits = __builtin_convertvector(mask, part_bits);
  uint64_t word;
  memcpy(&word, &bits, sizeof word);
  return word;
}

// A bit for each of the first plane's bytes that is an escape.
INLINED uint64_t escapes_among(const uint8_t *first) {
  part byte;
  memcpy(&byte, first, PART);
  const part_mask mask = byte >= ESCAPE << 3;
  const part_bits bits = __builtin_convertvector(mask, part_bits);
  uint64_t word;
  memcpy(&word, &bits, sizeof word);
  return word;
}

DISPATCHED static ptrdiff_t take_escapes(
    uint8_t *restrict escapes, const uint8_t *restrict exponents, ptrdiff_t n, uint8_t base) {
  ptrdiff_t count = 0, start = 0;
  for (; start + PART <= n; start += PART) {
    uint64_t bits = exponents_beyond(exponents + start, base);
    for (; bits != 0; bits &= bits - 1)
      escapes[count++] = exponents[start + __builtin_ctzll(bits)];
  }
  for (; start < n; start++)
    if (code_of(exponents[start], base) == ESCAPE) escapes[count++] = exponents[start];
  return count;
}

DISPATCHED static void narrow(
    uint8_t *restrict first, uint8_t *restrict second, uint8_t *restrict third,
    const uint8_t *restrict last, ptrdiff_t n, int width, uint8_t base) {
  if (width == 4) {
    for (ptrdiff_t i = 0; i < n; i++) {
      const uint8_t a = first[i], b = second[i], c = third[i];
      first[i] = (uint8_t)(code_of(a, base) << 3 | b >> 5);
      second[i] = (uint8_t)(b << 3 | c >> 5);
      third[i] = (uint8_t)(c << 3 | last[i] >> 5);
    }
  } else {
    for (ptrdiff_t i = 0; i < n; i++)
      first[i] = (uint8_t)(code_of(first[i], base) << 3 | last[i] >> 5);
  }
}

// Of each byte the lowest bit is the sign, and the next four end the mantissa.
DISPATCHED static void pack(
    uint8_t *restrict nibbles, uint8_t *restrict signs, const uint8_t *restrict last, ptrdiff_t n) {
  const ptrdiff_t half = (n + 1) / 2, eighth = (n + 7) / 8;
  for (ptrdiff_t i = 0; i < n - half; i++)
    nibbles[i] = (uint8_t)((last[i] >> 1 & 15) | (last[half + i] << 3 & 0xF0));
  if (n - half < half) nibbles[half - 1] = last[half - 1] >> 1 & 15;
  for (ptrdiff_t i = 0; i < eighth; i++) signs[i] = last[i] & 1;
  for (int bit = 1; bit < 8; bit++) {
    const uint8_t *bytes = last + bit * eighth;
    const ptrdiff_t count = n - bit * eighth < eighth ? n - bit * eighth : eighth;
    for (ptrdiff_t i = 0; i < count; i++) signs[i] |= (uint8_t)((bytes[i] & 1) << bit);
  }
}

ptrdiff_t lcw_split_exp5(
    uint8_t *planes, uint8_t *nibbles, uint8_t *signs, uint8_t *escapes, const uint8_t *words,
    ptrdiff_t n, int width, int base) {
  // All planes and, behind them, the bytes that are packed afterwards.
  lcw_split_planes(planes, n, words, n, width, 1);
  const ptrdiff_t count = take_escapes(escapes, planes, n, (uint8_t)base);
  uint8_t *last = planes + (width - 1) * n;
  narrow(planes, planes + n, planes + 2 * n, last, n, width, (uint8_t)base);
  pack(nibbles, signs, last, n);
  return count;
}

// The words of a range in which the nibbles are all upper or all lower halves, and the signs all
// one bit. Bytes have no shifts by a variable: the halves are constants, and the bit is a mask.
#define JOINS(name, half)                                                                        \
  DISPATCHED static void join4_##name(                                                           \
      uint8_t *restrict words, const uint8_t *restrict a, const uint8_t *restrict b,             \
      const uint8_t *restrict c, const uint8_t *restrict nibbles, const uint8_t *restrict signs, \
      ptrdiff_t n, uint8_t sign, uint32_t base) {                                                \
    for (ptrdiff_t i = 0; i < n; i++) {                                                          \
      const uint32_t low = (uint32_t)a[i] << 20 | (uint32_t)b[i] << 12 | (uint32_t)c[i] << 4     \
          | (nibbles[i] >> half & 15);                                                           \
      const uint32_t code = low >> 23, exponent = code == 0 ? 0 : (code + base) & 0xFF;          \
      uint32_t word = exponent << 23 | (low & 0x7FFFFF);                                         \
      word |= signs[i] & sign ? 0x80000000u : 0;                                                 \
      word = FROM_LITTLE(uint32_t, word);                                                        \
      memcpy(words + 4 * i, &word, 4);                                                           \
    }                                                                                            \
  }                                                                                              \
  DISPATCHED static void join2_##name(                                                           \
      uint8_t *restrict words, const uint8_t *restrict a, const uint8_t *restrict nibbles,       \
      const uint8_t *restrict signs, ptrdiff_t n, uint8_t sign, uint8_t base) {                  \
    for (ptrdiff_t i = 0; i < n; i++) {                                                          \
      const uint8_t code = a[i] >> 3, exponent = code == 0 ? 0 : (uint8_t)(code + base);         \
      words[2 * i] =                                                                             \
          (uint8_t)(exponent << 7 | (a[i] << 4 & 0x70) | (nibbles[i] >> half & 15));             \
      words[2 * i + 1] = (uint8_t)((signs[i] & sign ? 0x80 : 0) | exponent >> 1);                \
    }                                                                                            \
  }
JOINS(lower, 0)
JOINS(upper, 4)

// The exponent's place is the upper bits but the sign.
static inline void put_exponent(uint8_t *words, ptrdiff_t index, int width, uint8_t exponent) {
  uint8_t *top = words + (index + 1) * width - 2;
  top[0] = (uint8_t)((top[0] & 0x7F) | exponent << 7);
  top[1] = (uint8_t)((top[1] & 0x80) | exponent >> 1);
}

// Gives the escaped words their exponents, and says whether there were as many as there must be.
DISPATCHED static int put_escapes(
    uint8_t *restrict words, const uint8_t *restrict first, ptrdiff_t n, int width,
    const uint8_t *restrict escapes, ptrdiff_t count) {
  ptrdiff_t used = 0, start = 0;
  for (; start + PART <= n; start += PART) {
    uint64_t bits = escapes_among(first + start);
    if (__builtin_popcountll(bits) > count - used) return 0;
    for (; bits != 0; bits &= bits - 1)
      put_exponent(words, start + __builtin_ctzll(bits), width, escapes[used++]);
  }
  for (; start < n; start++) {
    if (first[start] < ESCAPE << 3) continue;
    if (used == count) return 0;
    put_exponent(words, start, width, escapes[used++]);
  }
  return used == count;
}

int lcw_join_exp5(
    uint8_t *words, const uint8_t *const *planes, const uint8_t *nibbles, const uint8_t *signs,
    const uint8_t *escapes, ptrdiff_t escape_count, ptrdiff_t n, int width, int base) {
  const ptrdiff_t half = (n + 1) / 2, eighth = (n + 7) / 8;
  for (ptrdiff_t start = 0, end; start < n; start = end) {
    const int bit = (int)(start / eighth), isUpper = start >= half;
    end = (bit + 1) * eighth;
    if (!isUpper && end > half) end = half;
    if (end > n) end = n;
    const uint8_t *nibble = nibbles + (isUpper ? start - half : start);
    const uint8_t *sign = signs + (start - bit * eighth);
    uint8_t *target = words + start * width;
    const uint8_t *a = planes[0] + start;
    if (width == 4) {
      (isUpper ? join4_upper : join4_lower)(
          target, a, planes[1] + start, planes[2] + start, nibble, sign, end - start,
          (uint8_t)(1 << bit), (uint32_t)base);
    } else {
      (isUpper ? join2_upper : join2_lower)(
          target, a, nibble, sign, end - start, (uint8_t)(1 << bit), (uint8_t)base);
    }
  }
  return put_escapes(words, planes[0], n, width, escapes, escape_count);
}
