// SPDX-License-Identifier: Apache-2.0
#include "CKernels.h"
#include "xxh64.h"

// The lanes of one hash wait for their own products, so several hashes run at once. With AVX-512 a vector
// holds the lanes of two, and four vectors keep the multiplier busy: three times the speed of one hash
// after the other.

#define MOST 8

typedef struct {
  const uint8_t *bytes[MOST];
  uint64_t lanes[MOST][4];
} batch;

static void take_in(batch *batch, int count, size_t n) {
  for (int i = 0; i < count; i++) {
    const uint8_t *bytes = batch->bytes[i];
    uint64_t a = batch->lanes[i][0], b = batch->lanes[i][1], c = batch->lanes[i][2],
             d = batch->lanes[i][3];
    for (size_t at = 0; at < n; at += 32) {
      a = mix(a, read64(bytes + at));
      b = mix(b, read64(bytes + at + 8));
      c = mix(c, read64(bytes + at + 16));
      d = mix(d, read64(bytes + at + 24));
    }
    batch->lanes[i][0] = a;
    batch->lanes[i][1] = b;
    batch->lanes[i][2] = c;
    batch->lanes[i][3] = d;
  }
}

#if defined(__x86_64__) && defined(__linux__)
#include <immintrin.h>
#define WIDE __attribute__((target("avx512f,avx512dq")))

static inline WIDE __m512i both(const uint8_t *first, const uint8_t *second) {
  return _mm512_inserti64x4(
      _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)first)),
      _mm256_loadu_si256((const __m256i *)second), 1);
}

#define TAKE_IN(NAME, VECTORS)                                                                     \
  static WIDE void NAME(batch *batch, size_t n) {                                                  \
    const __m512i first = _mm512_set1_epi64((long long)prime1),                                    \
                  second = _mm512_set1_epi64((long long)prime2);                                   \
    const uint8_t *const *bytes = batch->bytes;                                                    \
    __m512i lanes[VECTORS];                                                                        \
    for (int v = 0; v < VECTORS; v++) lanes[v] = _mm512_loadu_si512(batch->lanes[2 * v]);          \
    for (size_t at = 0; at < n; at += 32) {                                                        \
      _Pragma("clang loop unroll(full)") for (int v = 0; v < VECTORS; v++) {                       \
        const __m512i words = both(bytes[2 * v] + at, bytes[2 * v + 1] + at);                      \
        const __m512i sum = _mm512_add_epi64(lanes[v], _mm512_mullo_epi64(words, second));         \
        lanes[v] = _mm512_mullo_epi64(_mm512_rol_epi64(sum, 31), first);                           \
      }                                                                                            \
    }                                                                                              \
    for (int v = 0; v < VECTORS; v++) _mm512_storeu_si512(batch->lanes[2 * v], lanes[v]);          \
  }

TAKE_IN(take_in_4, 2)
TAKE_IN(take_in_8, 4)

// How many hashes a round takes: where there are no vectors, each by itself.
static int round_of(int left) { return lcw_vector_bits() < 512 || left < 3 ? 1 : left < 5 ? 4 : 8; }

static void take_in_round(batch *batch, int count, size_t n) {
  switch (count) {
  case 4: take_in_4(batch, n); break;
  case 8: take_in_8(batch, n); break;
  default: take_in(batch, count, n);
  }
}
#else
static int round_of(int left) { return left > 0; }
static void take_in_round(batch *batch, int count, size_t n) { take_in(batch, count, n); }
#endif

void lcw_checksums(
    uint32_t *sums, const uint8_t *const *contents, const size_t *counts, size_t n) {
  // States of as many contents as are begun together; a plane's chunk is rarely one of more.
  enum { TOGETHER = 64 };
  for (size_t start = 0; start < n; start += TOGETHER) {
    const int count = (int)(n - start < TOGETHER ? n - start : TOGETHER);
    uint64_t lanes[TOGETHER][4];
    size_t done[TOGETHER];
    for (int i = 0; i < count; i++) {
      const uint64_t first[] = {prime1 + prime2, prime2, 0, 0 - prime1};
      memcpy(lanes[i], first, sizeof first);
      done[i] = 0;
    }
    for (;;) {
      // The longest rests first, so that contents of one size run side by side.
      int chosen[TOGETHER], left = 0;
      for (int i = 0; i < count; i++) {
        const size_t rest = counts[start + i] / 32 * 32 - done[i];
        if (rest == 0) continue;
        int at = left++;
        for (; at > 0; at--) {
          const int other = chosen[at - 1];
          if (counts[start + other] / 32 * 32 - done[other] >= rest) break;
          chosen[at] = other;
        }
        chosen[at] = i;
      }
      if (left == 0) break;
      const int together = round_of(left), used = left < together ? left : together;
      const int shortest = chosen[used - 1];
      size_t rest = counts[start + shortest] / 32 * 32 - done[shortest];
      batch batch;
      for (int i = 0; i < together; i++) {
        // A place without a content of its own repeats the last, and its lanes are dropped.
        const int place = chosen[i < used ? i : used - 1];
        batch.bytes[i] = contents[start + place] + done[place];
        memcpy(batch.lanes[i], lanes[place], sizeof lanes[place]);
      }
      take_in_round(&batch, together, rest);
      for (int i = 0; i < used; i++) {
        memcpy(lanes[chosen[i]], batch.lanes[i], sizeof lanes[chosen[i]]);
        done[chosen[i]] += rest;
      }
    }
    for (int i = 0; i < count; i++) {
      hash_state state;
      memcpy(state.lanes, lanes[i], sizeof lanes[i]);
      sums[start + i] =
          (uint32_t)hash_end(&state, contents[start + i] + done[i], counts[start + i]);
    }
  }
}
