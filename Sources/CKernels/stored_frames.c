// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include <string.h>

// zstd frames (RFC 8878) of raw blocks only, and their checksum (XXH64 with seed 0). libzstd would
// look for something to compress, and copy; here the copy and the checksum are one pass.

#define BLOCK ((size_t)1 << 17)

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

static hash_state hash_start(void) {
  return (hash_state){{prime1 + prime2, prime2, 0, 0 - prime1}};
}

// Takes in whole stripes of 32 bytes, and copies them unless `target` is null.
static void hash_stripes(
    hash_state *state, uint8_t *_Nullable target, const uint8_t *bytes, size_t n) {
  uint64_t a = state->lanes[0], b = state->lanes[1], c = state->lanes[2], d = state->lanes[3];
  if (target) {
    for (size_t i = 0; i < n; i += 32) {
      a = mix(a, read64(bytes + i));
      b = mix(b, read64(bytes + i + 8));
      c = mix(c, read64(bytes + i + 16));
      d = mix(d, read64(bytes + i + 24));
      memcpy(target + i, bytes + i, 32);
    }
  } else {
    for (size_t i = 0; i < n; i += 32) {
      a = mix(a, read64(bytes + i));
      b = mix(b, read64(bytes + i + 8));
      c = mix(c, read64(bytes + i + 16));
      d = mix(d, read64(bytes + i + 24));
    }
  }
  *state = (hash_state){{a, b, c, d}};
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

static size_t blocks_of(size_t content) { return content ? (content + BLOCK - 1) / BLOCK : 1; }

static size_t size_bytes(size_t content) { return content < 256 ? 1 : content < 65792 ? 2 : 4; }

size_t lcw_stored_frame_length(size_t content) {
  return 5 + size_bytes(content) + 3 * blocks_of(content) + content + 4;
}

static uint8_t *put(uint8_t *target, uint32_t value, size_t count) {
  for (size_t i = 0; i < count; i++) target[i] = (uint8_t)(value >> (8 * i));
  return target + count;
}

void lcw_write_stored_frame(uint8_t *frame, const uint8_t *content, size_t n) {
  const size_t width = size_bytes(n);
  frame = put(frame, 0xFD2FB528u, 4);
  // A single segment with a checksum; the upper bits say how many bytes the size takes.
  frame = put(frame, width == 1 ? 0x24 : width == 2 ? 0x64 : 0xA4, 1);
  frame = put(frame, (uint32_t)(width == 2 ? n - 256 : n), width);
  hash_state state = hash_start();
  const uint8_t *rest = content;
  size_t left = n;
  do {
    const size_t size = left < BLOCK ? left : BLOCK, stripes = size / 32 * 32;
    frame = put(frame, (uint32_t)(size << 3 | (size == left)), 3);
    hash_stripes(&state, frame, rest, stripes);
    memcpy(frame + stripes, rest + stripes, size - stripes);
    frame += size;
    rest += size;
    left -= size;
  } while (left > 0);
  put(frame, (uint32_t)hash_end(&state, content + n / 32 * 32, n), 4);
}

int lcw_check_stored_frame(
    const uint8_t *frame, size_t length, size_t content, const uint8_t **start) {
  // The size may be spelled longer than is needed; such a frame is left to libzstd.
  if (length != lcw_stored_frame_length(content) || content > BLOCK) return LCW_FRAME_OTHER;
  const uint8_t *header = frame + 5 + size_bytes(content), *bytes = header + 3;
  const uint32_t block = header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16;
  if (block != (content << 3 | 1)) return LCW_FRAME_OTHER;
  hash_state state = hash_start();
  const size_t stripes = content / 32 * 32;
  hash_stripes(&state, NULL, bytes, stripes);
  if ((uint32_t)hash_end(&state, bytes + stripes, content) != read32(bytes + content))
    return LCW_FRAME_DAMAGED;
  *start = bytes;
  return LCW_FRAME_STORED;
}
