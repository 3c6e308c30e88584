// SPDX-License-Identifier: Apache-2.0
// The innermost loops of the direct convolution for one instruction set. The file that includes this
// defines LANES, the numbers of a vector; TARGET, the attribute of a function; NAME(x), its name; and
// the sizes of tiles, so that their sums and operands fit the registers: ROWS by VECTORS, and
// GRADIENTS by TAPS_AT_ONCE.

typedef float NAME(vector) __attribute__((vector_size(LANES * 4), aligned(4)));

#define LOAD(p) (*(const NAME(vector) *)(p))
#define UNROLLED _Pragma("unroll")

// out[r][i] ← Σ_k weights[k][r] · base[offsets[k] + i], for ROWS rows and as many vectors.
TARGET static inline __attribute__((always_inline)) void NAME(product_tile)(
    float *out, ptrdiff_t leading, const float *base, const ptrdiff_t *offsets, ptrdiff_t inner,
    const float *weights, const int vectors) {
  FUSED
  NAME(vector) sums[ROWS][VECTORS];
  UNROLLED for (int r = 0; r < ROWS; r++)
    UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] = (NAME(vector)){0};
  for (ptrdiff_t k = 0; k < inner; k++, weights += ROWS) {
    const float *from = base + offsets[k];
    NAME(vector) b[VECTORS];
    UNROLLED for (int v = 0; v < vectors; v++) b[v] = LOAD(from + v * LANES);
    UNROLLED for (int r = 0; r < ROWS; r++) {
      const float w = weights[r];
      UNROLLED for (int v = 0; v < vectors; v++) sums[r][v] += w * b[v];
    }
  }
  UNROLLED for (int r = 0; r < ROWS; r++)
    UNROLLED for (int v = 0; v < vectors; v++)
      *(NAME(vector) *)(out + r * leading + v * LANES) = sums[r][v];
}

TARGET static void NAME(products)(
    float *out, ptrdiff_t leading, const float *base, const ptrdiff_t *offsets, ptrdiff_t inner,
    const float *weights, ptrdiff_t rows, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i += VECTORS * LANES) {
    for (ptrdiff_t r = 0; r < rows; r += ROWS) {
      float *to = out + r * leading + i;
      const float *tile = weights + r * inner;
      if (n - i > 2 * LANES) {
        NAME(product_tile)(to, leading, base + i, offsets, inner, tile, 3);
      } else if (n - i > LANES) {
        NAME(product_tile)(to, leading, base + i, offsets, inner, tile, 2);
      } else {
        NAME(product_tile)(to, leading, base + i, offsets, inner, tile, 1);
      }
    }
  }
}

// sums[r][k] ← sums[r][k] + Σ_s Σ_i g[s][r][i] · base[s][offsets[k] + i], for some rows and taps.
TARGET static void NAME(sums)(
    float *sums, ptrdiff_t leading, const float *g, ptrdiff_t row, ptrdiff_t g_sample,
    const float *base, ptrdiff_t base_sample, const ptrdiff_t *offsets, ptrdiff_t inner,
    ptrdiff_t rows, ptrdiff_t samples, ptrdiff_t n) {
  FAST_SUMS
  for (ptrdiff_t r0 = 0; r0 < rows; r0 += GRADIENTS) {
    for (ptrdiff_t k0 = 0; k0 < inner; k0 += TAPS_AT_ONCE) {
      NAME(vector) tile[GRADIENTS][TAPS_AT_ONCE];
      // What is beyond the last row or tap is the last one again, whose sums are dropped.
      const float *from[GRADIENTS];
      ptrdiff_t taps[TAPS_AT_ONCE];
      UNROLLED for (int r = 0; r < GRADIENTS; r++)
        from[r] = g + (r0 + r < rows ? r0 + r : rows - 1) * row;
      UNROLLED for (int k = 0; k < TAPS_AT_ONCE; k++)
        taps[k] = offsets[k0 + k < inner ? k0 + k : inner - 1];
      UNROLLED for (int r = 0; r < GRADIENTS; r++)
        UNROLLED for (int k = 0; k < TAPS_AT_ONCE; k++) tile[r][k] = (NAME(vector)){0};
      for (ptrdiff_t s = 0; s < samples; s++) {
        const float *own = base + s * base_sample;
        const ptrdiff_t start = s * g_sample;
        for (ptrdiff_t i = 0; i < n; i += LANES) {
          NAME(vector) b[TAPS_AT_ONCE];
          UNROLLED for (int k = 0; k < TAPS_AT_ONCE; k++) b[k] = LOAD(own + taps[k] + i);
          UNROLLED for (int r = 0; r < GRADIENTS; r++) {
            const NAME(vector) a = LOAD(from[r] + start + i);
            UNROLLED for (int k = 0; k < TAPS_AT_ONCE; k++) tile[r][k] += a * b[k];
          }
        }
      }
      for (int r = 0; r < GRADIENTS && r0 + r < rows; r++) {
        for (int k = 0; k < TAPS_AT_ONCE && k0 + k < inner; k++) {
          float lanes[LANES], sum = 0;
          *(NAME(vector) *)lanes = tile[r][k];
          UNROLLED for (int l = 0; l < LANES; l++) sum += lanes[l];
          sums[(r0 + r) * leading + k0 + k] += sum;
        }
      }
    }
  }
}

#undef LOAD
#undef UNROLLED
#undef LANES
#undef TARGET
#undef NAME
#undef ROWS
#undef VECTORS
#undef GRADIENTS
#undef TAPS_AT_ONCE
