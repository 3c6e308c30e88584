// SPDX-License-Identifier: Apache-2.0
#include "CKernels.h"

enum { lanes = 16, height = 14, panel = LCW_VECTORS_PANEL, depth = LCW_VECTORS_DEPTH };

ptrdiff_t lcw_vectors_packed_count(ptrdiff_t columns, ptrdiff_t inner) {
  return (columns + panel - 1) / panel * panel * inner;
}

#if defined(__x86_64__) && defined(__linux__)
#include "wide_registers.h"

#define UNROLLED _Pragma("clang loop unroll(full)")

int lcw_vectors_available(void) { return lcw_vector_bits() == 512; }

// MARK: packing

// A packed block has panels of 32 columns, each with its steps of the inner dimension, each with the
// panel's values; columns beyond the last are zeros.

VECTORS INLINE void pack_steps(
    float *packed, const float *source, ptrdiff_t leading, ptrdiff_t columns, ptrdiff_t inner) {
  for (ptrdiff_t k = 0; k < inner; k++) {
    const float *in = source + k * leading;
    if (k + 2 < inner) _mm_prefetch((const char *)(in + 2 * leading), _MM_HINT_T0);
    for (ptrdiff_t j = 0; j < columns; j += panel) {
      float *out = packed + j * inner + k * panel;
      const ptrdiff_t left = columns - j;
      _mm512_store_ps(out, _mm512_maskz_loadu_ps(first(left), in + j));
      _mm512_store_ps(out + lanes, _mm512_maskz_loadu_ps(first(left - lanes), in + j + lanes));
    }
  }
}

VECTORS INLINE void pack_columns(
    float *packed, const float *source, ptrdiff_t leading, ptrdiff_t columns, ptrdiff_t inner) {
  const ptrdiff_t padded = (columns + panel - 1) / panel * panel;
  for (ptrdiff_t j = 0; j < padded; j += lanes)
    for (ptrdiff_t k = 0; k < inner; k += lanes) {
      __m512i r[lanes];
      for (int i = 0; i < lanes; i++)
        r[i] = _mm512_maskz_loadu_epi32(
            j + i < columns ? first(inner - k) : 0, source + (j + i) * leading + k);
      transpose(r);
      float *out = packed + j / panel * panel * inner + k * panel + j % panel;
      for (int i = 0; i < lanes && k + i < inner; i++) _mm512_store_si512(out + i * panel, r[i]);
    }
}

VECTORS void lcw_vectors_pack(
    float *packed, const float *source, ptrdiff_t leading, ptrdiff_t columns, ptrdiff_t inner,
    int contiguous) {
  if (contiguous) pack_columns(packed, source, leading, columns, inner);
  else pack_steps(packed, source, leading, columns, inner);
}

/// Packs up to 14 lines of the left operand: one after the other, each with room for `depth` values,
/// or a step of all of them in each vector.
VECTORS INLINE void pack_lines(
    float *lines, const float *source, ptrdiff_t leading, ptrdiff_t count, ptrdiff_t inner,
    int contiguous) {
  if (contiguous)
    for (ptrdiff_t i = 0; i < count; i++)
      for (ptrdiff_t k = 0; k < inner; k += lanes)
        _mm512_store_ps(
            lines + i * depth + k,
            _mm512_maskz_loadu_ps(first(inner - k), source + i * leading + k));
  else
    for (ptrdiff_t k = 0; k < inner; k++)
      _mm512_store_ps(
          lines + k * lanes, _mm512_maskz_loadu_ps(first(count), source + k * leading));
}

// MARK: multiplying

/// Where a rectangle of the result goes.
typedef struct {
  float *c;
  ptrdiff_t leading;
  int transposed;
  float alpha, beta;
} Target;

/// The lines that are packed next, which come into the second cache meanwhile: the processor's own
/// prefetching loses lines that begin far apart.
typedef struct {
  const float *source;
  ptrdiff_t leading;
} Next;

VECTORS INLINE void store(float *c, __mmask16 mask, __m512 sum, const Target *target) {
  __m512 value = _mm512_mul_ps(_mm512_set1_ps(target->alpha), sum);
  if (target->beta != 0)
    value = _mm512_fmadd_ps(_mm512_set1_ps(target->beta), _mm512_maskz_loadu_ps(mask, c), value);
  _mm512_mask_storeu_ps(c, mask, value);
}

/// Multiplies `rows` packed lines by one panel, of which `columns` columns count, in `vectors` vectors
/// for each line.
VECTORS INLINE void multiply_panel(
    const Target *target, float *c, const float *lines, const int contiguous, const int rows,
    const float *right, const int vectors, ptrdiff_t columns, ptrdiff_t inner, Next next) {
  __m512 s[2][lanes];
  UNROLLED for (int i = 0; i < lanes; i++) s[0][i] = s[1][i] = _mm512_setzero_ps();
  const ptrdiff_t spread = target->transposed ? columns : rows;
  for (ptrdiff_t i = 0; i < spread; i++) {
    const float *line = c + i * target->leading;
    _mm_prefetch((const char *)line, _MM_HINT_T0);
    _mm_prefetch((const char *)(line + (target->transposed ? rows - 1 : lanes)), _MM_HINT_T0);
  }
  for (ptrdiff_t block = 0; block < inner; block += lanes) {
    const ptrdiff_t end = inner - block < lanes ? inner : block + lanes;
    if (next.source) {
      const ptrdiff_t count = contiguous ? rows : end - block;
      for (ptrdiff_t i = 0; i < count; i++) {
        const float *line = next.source + i * next.leading;
        _mm_prefetch((const char *)line, _MM_HINT_T1);
        if (!contiguous) _mm_prefetch((const char *)(line + height - 1), _MM_HINT_T1);
      }
      next.source += contiguous ? lanes : lanes * next.leading;
    }
    for (ptrdiff_t k = block; k < end; k++) {
      const __m512 x = _mm512_load_ps(right);
      const __m512 y = vectors > 1 ? _mm512_load_ps(right + lanes) : x;
      UNROLLED for (int i = 0; i < rows; i++) {
        const __m512 l = _mm512_set1_ps(lines[contiguous ? i * depth : i]);
        s[0][i] = _mm512_fmadd_ps(l, x, s[0][i]);
        if (vectors > 1) s[1][i] = _mm512_fmadd_ps(l, y, s[1][i]);
      }
      right += panel;
      lines += contiguous ? 1 : lanes;
    }
  }
  UNROLLED for (int v = 0; v < vectors; v++) {
    const ptrdiff_t count = columns - v * lanes;
    if (target->transposed) {
      // A copy, so that the sums are never indexed by a variable and stay in registers.
      __m512i r[lanes];
      UNROLLED for (int i = 0; i < lanes; i++) r[i] = _mm512_castps_si512(s[v][i]);
      transpose(r);
      for (int j = 0; j < lanes && j < count; j++)
        store(
            c + (v * lanes + j) * target->leading, first(rows), _mm512_castsi512_ps(r[j]), target);
    } else {
      UNROLLED for (int i = 0; i < rows; i++)
        store(c + i * target->leading + v * lanes, first(count), s[v][i], target);
    }
  }
}

/// Multiplies `rows` packed lines by all panels.
VECTORS INLINE void multiply_panels(
    const Target *target, const float *lines, const int contiguous, const int rows,
    const float *right, ptrdiff_t columns, ptrdiff_t inner, Next next) {
  for (ptrdiff_t j = 0; j < columns; j += panel, right += panel * inner, next.source = 0) {
    const ptrdiff_t count = columns - j < panel ? columns - j : panel;
    float *c = target->c + (target->transposed ? j * target->leading : j);
    if (count > lanes)
      multiply_panel(target, c, lines, contiguous, rows, right, 2, count, inner, next);
    else multiply_panel(target, c, lines, contiguous, rows, right, 1, count, inner, next);
  }
}

// The sums of a panel stay in registers, so their number is known to the compiler.
#define LINES(NAME, CONTIGUOUS, ROWS)                                                              \
  VECTORS static void NAME##_##ROWS(                                                               \
      const Target *target, const float *lines, const float *right, ptrdiff_t columns,             \
      ptrdiff_t inner, Next next) {                                                                \
    multiply_panels(target, lines, CONTIGUOUS, ROWS, right, columns, inner, next);                 \
  }
#define FAMILY(NAME, CONTIGUOUS)                                                                   \
  LINES(NAME, CONTIGUOUS, 1) LINES(NAME, CONTIGUOUS, 2) LINES(NAME, CONTIGUOUS, 3)                 \
  LINES(NAME, CONTIGUOUS, 4) LINES(NAME, CONTIGUOUS, 5) LINES(NAME, CONTIGUOUS, 6)                 \
  LINES(NAME, CONTIGUOUS, 7) LINES(NAME, CONTIGUOUS, 8) LINES(NAME, CONTIGUOUS, 9)                 \
  LINES(NAME, CONTIGUOUS, 10) LINES(NAME, CONTIGUOUS, 11) LINES(NAME, CONTIGUOUS, 12)              \
  LINES(NAME, CONTIGUOUS, 13) LINES(NAME, CONTIGUOUS, 14)                                          \
  static void (*const NAME[height + 1])(                                                           \
      const Target *, const float *, const float *, ptrdiff_t, ptrdiff_t, Next) = {                \
      0,         NAME##_1,  NAME##_2,  NAME##_3,  NAME##_4,  NAME##_5,  NAME##_6, NAME##_7,        \
      NAME##_8,  NAME##_9,  NAME##_10, NAME##_11, NAME##_12, NAME##_13, NAME##_14};

FAMILY(line_by_line, 1)
FAMILY(step_by_step, 0)

VECTORS void lcw_vectors_multiply(
    float *c, ptrdiff_t leading, int transposed, const float *left, ptrdiff_t leftLeading,
    int contiguous, const float *right, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t inner,
    float alpha, float beta, float *lines) {
  // Equal shares: a last one of one or two lines would take half as long as 14.
  const ptrdiff_t shares = (rows + height - 1) / height, step = contiguous ? leftLeading : 1;
  for (ptrdiff_t share = 0; share < shares; share++) {
    const ptrdiff_t start = rows * share / shares, end = rows * (share + 1) / shares;
    pack_lines(lines, left + start * step, leftLeading, end - start, inner, contiguous);
    const Target target = {c + start * (transposed ? 1 : leading), leading, transposed, alpha, beta};
    const Next next = {share + 1 < shares ? left + end * step : 0, leftLeading};
    (contiguous ? line_by_line : step_by_step)[end - start](
        &target, lines, right, columns, inner, next);
  }
}

#else

int lcw_vectors_available(void) { return 0; }

void lcw_vectors_pack(
    float *packed, const float *source, ptrdiff_t leading, ptrdiff_t columns, ptrdiff_t inner,
    int contiguous) {
  __builtin_trap();
}

void lcw_vectors_multiply(
    float *c, ptrdiff_t leading, int transposed, const float *left, ptrdiff_t leftLeading,
    int contiguous, const float *right, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t inner,
    float alpha, float beta, float *lines) {
  __builtin_trap();
}

#endif
