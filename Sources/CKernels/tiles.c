// SPDX-License-Identifier: Apache-2.0
#include "tiles.h"

enum { half = 16, panel = LCW_TILES_PANEL, step = LCW_TILES_STEP, tile = half * step };

ptrdiff_t lcw_tiles_packed_count(ptrdiff_t lines, ptrdiff_t inner, ptrdiff_t parts) {
  const ptrdiff_t panels = (lines + panel - 1) / panel, steps = (inner + step - 1) / step;
  return panels * steps * parts * panel * step;
}

#if defined(__x86_64__) && defined(__linux__)
#include "tile_registers.h"
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

int lcw_tiles_available(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  const unsigned bf16Tiles = 1u << 22, tiles = 1u << 24;
  if ((d & (bf16Tiles | tiles)) != (bf16Tiles | tiles)) return 0;
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a & (1u << 5))) return 0;
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
    return 0;
  // Linux keeps the registers' 8 KB for threads of those processes alone that ask.
  const int request = 0x1023, tileData = 18;
  return syscall(SYS_arch_prctl, request, tileData) == 0;
}

// MARK: packing
//
// A packed operand has panels of 32 lines, each with its steps of 32 values of the inner dimension,
// each with its parts, each with two tiles of 16 lines. A left tile has a row for each line. A right
// one has a row for each two steps of the inner dimension, with these two of all lines.

/// One tile of each part. Adds NaN to `wrong` where an element has no bfloat16: what rounding loses
/// is then infinite or NaN.
TILES INLINE void pack_tile(
    uint16_t *out, const float *source, ptrdiff_t leading, ptrdiff_t lines, ptrdiff_t inner,
    const int contiguous, const int right, const int parts, __m512 *wrong) {
  __m512i r[3][16];
  const __m512i pairs = pairing();
  for (int i = 0; i < 16; i++) {
    __m512 a, b;
    if (contiguous) {
      // The processor's own prefetching loses so many lines of memory that begin far apart: what is
      // packed next comes into the second cache.
      const float *line = source + i * leading, *next = line + half * leading;
      const int present = i < lines;
      if (half + i < lines) {
        _mm_prefetch((const char *)next, _MM_HINT_T1);
        _mm_prefetch((const char *)(next + half), _MM_HINT_T1);
      }
      a = _mm512_maskz_loadu_ps(present ? first(inner) : 0, line);
      b = _mm512_maskz_loadu_ps(present ? first(inner - half) : 0, line + half);
    } else {
      const float *line = source + 2 * i * leading;
      a = _mm512_maskz_loadu_ps(2 * i < inner ? first(lines) : 0, line);
      b = _mm512_maskz_loadu_ps(2 * i + 1 < inner ? first(lines) : 0, line + leading);
    }
    for (int part = 0; part < parts; part++) {
      r[part][i] = take_part(&a, &b);
      if (part == 0)
        *wrong = _mm512_fmadd_ps(_mm512_add_ps(a, b), _mm512_setzero_ps(), *wrong);
      if (!contiguous) r[part][i] = _mm512_permutexvar_epi16(pairs, r[part][i]);
    }
  }
  for (int part = 0; part < parts; part++) {
    if (contiguous == right) transpose(r[part]);
    for (int i = 0; i < 16; i++)
      _mm512_store_si512(out + part * 2 * tile + i * step, r[part][i]);
  }
}

TILES INLINE int pack(
    uint16_t *packed, const float *source, ptrdiff_t leading, ptrdiff_t lines, ptrdiff_t inner,
    const int contiguous, const int right, const int parts) {
  const ptrdiff_t steps = (inner + step - 1) / step;
  __m512 wrong = _mm512_setzero_ps();
  // In the order in which the source lies.
  const ptrdiff_t outer = contiguous ? lines : inner, inside = contiguous ? inner : lines;
  for (ptrdiff_t o = 0; o < outer; o += 32)
    for (int h = 0; h < (contiguous ? 2 : 1); h++)
      for (ptrdiff_t i = 0; i < inside; i += 32)
        for (int g = contiguous ? h : 0; g < (contiguous ? h + 1 : 2); g++) {
          const ptrdiff_t line = (contiguous ? o : i) + half * g, k = contiguous ? i : o;
          pack_tile(
              packed + (line / panel * steps + k / step) * parts * 2 * tile + g * tile,
              source + (contiguous ? line * leading + k : k * leading + line), leading,
              lines - line, inner - k, contiguous, right, parts, &wrong);
        }
  return _mm512_cmp_ps_mask(wrong, wrong, _CMP_UNORD_Q) == 0;
}

TILES int lcw_tiles_pack(
    uint16_t *packed, const float *source, ptrdiff_t leading, ptrdiff_t lines, ptrdiff_t inner,
    int contiguous, int right, ptrdiff_t parts) {
#define PACK(C, R, P) pack(packed, source, leading, lines, inner, C, R, P)
  if (parts == 2)
    return contiguous ? right ? PACK(1, 1, 2) : PACK(1, 0, 2) : right ? PACK(0, 1, 2) : PACK(0, 0, 2);
  return contiguous ? right ? PACK(1, 1, 3) : PACK(1, 0, 3) : right ? PACK(0, 1, 3) : PACK(0, 0, 3);
}

// MARK: multiplying

// Tiles 0 to 3 are the sums of 32 × 32 values, 4 and 5 are left, 6 and 7 right. The smallest
// products come first, where the order of loads allows.
#define LEFT(part)                          \
  _tile_loadd(4, left + (part)*2 * tile, 64); \
  _tile_loadd(5, left + (part)*2 * tile + tile, 64)
#define RIGHT(part)                          \
  _tile_loadd(6, right + (part)*2 * tile, 64); \
  _tile_loadd(7, right + (part)*2 * tile + tile, 64)
#define MULTIPLY             \
  _tile_dpbf16ps(0, 4, 6);   \
  _tile_dpbf16ps(1, 4, 7);   \
  _tile_dpbf16ps(2, 5, 6);   \
  _tile_dpbf16ps(3, 5, 7)

TILES INLINE void multiply_panels(
    float *sums, ptrdiff_t leading, const uint16_t *left, const uint16_t *right, ptrdiff_t steps,
    const int parts) {
  const size_t stride = (size_t)leading * sizeof(float);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (ptrdiff_t s = 0; s < steps; s++) {
    RIGHT(0);
    if (parts == 2) {
      LEFT(1);
      MULTIPLY;
      LEFT(0);
      MULTIPLY;
      RIGHT(1);
      MULTIPLY;
    } else {
      LEFT(2);
      MULTIPLY;
      LEFT(1);
      MULTIPLY;
      LEFT(0);
      MULTIPLY;
      RIGHT(2);
      MULTIPLY;
      RIGHT(1);
      MULTIPLY;
      LEFT(1);
      MULTIPLY;
    }
    left += parts * 2 * tile;
    right += parts * 2 * tile;
  }
  _tile_stored(0, sums, stride);
  _tile_stored(1, sums + half, stride);
  _tile_stored(2, sums + half * leading, stride);
  _tile_stored(3, sums + half * leading + half, stride);
}

TILES void lcw_tiles_multiply(
    float *c, ptrdiff_t leading, const uint16_t *left, const uint16_t *right, ptrdiff_t rows,
    ptrdiff_t columns, ptrdiff_t inner, ptrdiff_t parts, float alpha, float beta, float *sums) {
  const ptrdiff_t steps = (inner + step - 1) / step, size = steps * parts * 2 * tile;
  const ptrdiff_t width = (columns + panel - 1) / panel * panel;
  configure();
  // A right panel stays in the nearest cache while left ones pass.
  for (ptrdiff_t j = 0; j < columns; j += panel)
    for (ptrdiff_t i = 0; i < rows; i += panel) {
      float *target = sums + i * width + j;
      const uint16_t *l = left + i / panel * size, *r = right + j / panel * size;
      if (parts == 2) multiply_panels(target, width, l, r, steps, 2);
      else multiply_panels(target, width, l, r, steps, 3);
    }
  _tile_release();
  for (ptrdiff_t i = 0; i < rows; i++) {
    float *restrict out = c + i * leading;
    const float *restrict s = sums + i * width;
    if (beta == 0)
      for (ptrdiff_t j = 0; j < columns; j++) out[j] = alpha * s[j];
    else
      for (ptrdiff_t j = 0; j < columns; j++) out[j] = alpha * s[j] + beta * out[j];
  }
}

#else

int lcw_tiles_available(void) { return 0; }

int lcw_tiles_pack(
    uint16_t *packed, const float *source, ptrdiff_t leading, ptrdiff_t lines, ptrdiff_t inner,
    int contiguous, int right, ptrdiff_t parts) {
  __builtin_trap();
}

void lcw_tiles_multiply(
    float *c, ptrdiff_t leading, const uint16_t *left, const uint16_t *right, ptrdiff_t rows,
    ptrdiff_t columns, ptrdiff_t inner, ptrdiff_t parts, float alpha, float beta, float *sums) {
  __builtin_trap();
}

#endif
