// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include <string.h>

// Words are read in little-endian order whatever the host's; the compilers turn this into a load.
#define LOAD(type, width)                                                      \
  type word = 0;                                                               \
  for (int b = 0; b < width; b++) word |= (type)words[i * width + b] << (8 * b);

#define STORE(width)                                                           \
  for (int b = 0; b < width; b++) words[i * width + b] = (uint8_t)(word >> (8 * b));

#define SPLIT(name, type, width)                                               \
  DISPATCHED static void split_##name(                                         \
      uint8_t *planes, ptrdiff_t stride, const uint8_t *words, ptrdiff_t n, int rotate) { \
    for (ptrdiff_t i = 0; i < n; i++) {                                        \
      LOAD(type, width)                                                        \
      if (rotate) word = (type)((type)(word << 1) | (type)(word >> (8 * width - 1))); \
      for (int k = 0; k < width; k++)                                          \
        planes[k * stride + i] = (uint8_t)(word >> (8 * (width - 1 - k)));     \
    }                                                                          \
  }                                                                            \
  DISPATCHED static void join_##name(                                          \
      uint8_t *words, const uint8_t *planes, ptrdiff_t stride, ptrdiff_t n, int rotate) { \
    for (ptrdiff_t i = 0; i < n; i++) {                                        \
      type word = 0;                                                           \
      for (int k = 0; k < width; k++)                                          \
        word |= (type)((type)planes[k * stride + i] << (8 * (width - 1 - k))); \
      if (rotate) word = (type)((type)(word >> 1) | (type)(word << (8 * width - 1))); \
      STORE(width)                                                             \
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
    uint8_t *words, const uint8_t *planes, ptrdiff_t stride, ptrdiff_t n, int width, int rotate) {
  if (width == 2) join_u16(words, planes, stride, n, rotate);
  else if (width == 4) join_u32(words, planes, stride, n, rotate);
  else if (width == 8) join_u64(words, planes, stride, n, rotate);
}
