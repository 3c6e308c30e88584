// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include "words.h"
#include <string.h>

// The copies become plain loads and stores.
#define SPLIT(name, type, width)                                               \
  DISPATCHED static void split_##name(                                         \
      uint8_t *planes, ptrdiff_t stride, const uint8_t *words, ptrdiff_t n, int rotate) { \
    const int bits = 8 * width;                                                \
    const int left = rotate ? 1 : 0;                                           \
    for (ptrdiff_t i = 0; i < n; i++) {                                        \
      type word;                                                               \
      memcpy(&word, words + i * width, width);                                 \
      word = FROM_LITTLE(type, word);                                          \
      if (left) word = (type)((type)(word << 1) | (type)(word >> (bits - 1))); \
      for (int k = 0; k < width; k++)                                          \
        planes[k * stride + i] = (uint8_t)(word >> (bits - 8 - 8 * k));        \
    }                                                                          \
  }                                                                            \
  DISPATCHED static void join_##name(                                          \
      uint8_t *words, const uint8_t *const *planes, ptrdiff_t n, int rotate) { \
    const int bits = 8 * width;                                                \
    const uint8_t *plane[width];                                               \
    for (int k = 0; k < width; k++) plane[k] = planes[k];                      \
    for (ptrdiff_t i = 0; i < n; i++) {                                        \
      type word = 0;                                                           \
      for (int k = 0; k < width; k++)                                          \
        word |= (type)((type)plane[k][i] << (bits - 8 - 8 * k));               \
      if (rotate) word = (type)((type)(word >> 1) | (type)(word << (bits - 1))); \
      word = FROM_LITTLE(type, word);                                          \
      memcpy(words + i * width, &word, width);                                 \
    }                                                                          \
  }

SPLIT(u16, uint16_t, 2)
SPLIT(u32, uint32_t, 4)
SPLIT(u64, uint64_t, 8)
void lcw_split_planes(
    uint8_t *planes, ptrdiff_t stride, const uint8_t *words, ptrdiff_t n, int width, int rotate) {
  if (width == 2) split_u16(planes, stride, words, n, rotate);
  else if (width == 4) split_u32(planes, stride, words, n, rotate);
  else if (width == 8) split_u64(planes, stride, words, n, rotate);
}
void lcw_join_planes(
    uint8_t *words, const uint8_t *const *planes, ptrdiff_t n, int width, int rotate) {
  if (width == 2) join_u16(words, planes, n, rotate);
  else if (width == 4) join_u32(words, planes, n, rotate);
  else if (width == 8) join_u64(words, planes, n, rotate);
}
