// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// XXH64 with seed 0, of which zstd frames keep the lower 32 bits (RFC 8878). Four lanes take in stripes of
// 32 bytes; the end mixes them with the bytes that are left.

static inline uint64_t read64(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

static inline uint32_t read32(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16
      | (uint32_t)bytes[3] << 24;
}

static inline uint64_t rotate(uint64_t word, int count) {
  return word << count | word >> (64 - count);
}

static const uint64_t prime1 = 0x9E3779B185EBCA87u, prime2 = 0xC2B2AE3D27D4EB4Fu,
                      prime3 = 0x165667B19E3779F9u, prime4 = 0x85EBCA77C2B2AE63u,
                      prime5 = 0x27D4EB2F165667C5u;

typedef struct {
  uint64_t lanes[4];
} hash_state;

static inline uint64_t mix(uint64_t lane, uint64_t word) {
  return rotate(lane + word * prime2, 31) * prime1;
}

// The hash of all stripes and of the last bytes, fewer than 32, of `total`.
static uint64_t hash_end(const hash_state *state, const uint8_t *rest, size_t total) {
  const uint64_t *lanes = state->lanes;
  uint64_t hash;
  if (total >= 32) {
    hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
    for (int i = 0; i < 4; i++) hash = (hash ^ mix(0, lanes[i])) * prime1 + prime4;
  } else {
    hash = prime5;
  }
  hash += total;
  size_t n = total % 32;
  for (; n >= 8; n -= 8, rest += 8) hash = rotate(hash ^ mix(0, read64(rest)), 27) * prime1 + prime4;
  if (n >= 4) {
    hash = rotate(hash ^ read32(rest) * prime1, 23) * prime2 + prime3;
    rest += 4;
    n -= 4;
  }
  for (; n > 0; n--, rest++) hash = rotate(hash ^ *rest * prime5, 11) * prime1;
  hash = (hash ^ hash >> 33) * prime2;
  hash = (hash ^ hash >> 29) * prime3;
  return hash ^ hash >> 32;
}
