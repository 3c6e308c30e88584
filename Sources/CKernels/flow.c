// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include "tanh.h"

#define INLINE static inline __attribute__((always_inline))

// eˣ = 2ᵏ · eʳ with |r| ≤ ln 2 / 2: the Taylor polynomial of degree 7 is within 1e-8 there. Scales are
// bounded, so that 2ᵏ is a normal number; NaN stays NaN by way of the polynomial.
INLINE float exp_of(float x) {
  FUSED
  float v = x > 80.0f ? 80.0f : x < -80.0f ? -80.0f : x;
  // Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
  float shifted = v * 1.44269504f + 12582912.0f;
  float k = shifted - 12582912.0f;
  float r = (v - k * 0.693359375f) - k * -2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  int32_t bits;
  __builtin_memcpy(&bits, &shifted, sizeof bits);
  int32_t power = (int32_t)((uint32_t)(bits - 0x4B400000 + 127) << 23);
  float scale;
  __builtin_memcpy(&scale, &power, sizeof scale);
  return p * scale;
}

// MARK: columns

DISPATCHED void lcw_gather_affine(
    float *restrict y, const float *restrict x, const int32_t *restrict order,
    const float *restrict before, const float *restrict scale, const float *restrict after,
    ptrdiff_t rows, ptrdiff_t columns) {
  FUSED
  for (ptrdiff_t i = 0; i < rows; i++, x += columns, y += columns)
    for (ptrdiff_t j = 0; j < columns; j++)
      y[j] = (x[order[j]] - before[j]) * scale[j] + after[j];
}

void lcw_copy_columns(
    float *restrict y, ptrdiff_t leading_y, const float *restrict x, ptrdiff_t leading_x,
    ptrdiff_t rows, ptrdiff_t columns) {
  for (ptrdiff_t i = 0; i < rows; i++)
    __builtin_memcpy(y + i * leading_y, x + i * leading_x, sizeof(float) * (size_t)columns);
}

DISPATCHED void lcw_reverse_columns(float *y, ptrdiff_t rows, ptrdiff_t columns) {
  for (ptrdiff_t i = 0; i < rows; i++, y += columns)
    for (ptrdiff_t j = 0; j < columns / 2; j++) {
      float v = y[j];
      y[j] = y[columns - 1 - j];
      y[columns - 1 - j] = v;
    }
}

DISPATCHED void lcw_scaled_column_sums(
    float *restrict s, float scale, float factor, const float *restrict x, ptrdiff_t rows,
    ptrdiff_t columns) {
  FUSED
  if (scale == 0) {
    for (ptrdiff_t j = 0; j < columns; j++) s[j] = 0;
  } else {
    for (ptrdiff_t j = 0; j < columns; j++) s[j] *= scale;
  }
  for (ptrdiff_t i = 0; i < rows; i++, x += columns)
    for (ptrdiff_t j = 0; j < columns; j++) s[j] += factor * x[j];
}

// MARK: affine transformations of coordinates

DISPATCHED void lcw_bias_tanh(
    float *restrict y, const float *restrict bias, ptrdiff_t rows, ptrdiff_t columns) {
  for (ptrdiff_t i = 0; i < rows; i++, y += columns)
    for (ptrdiff_t j = 0; j < columns; j++) y[j] = tanh_of(y[j] + bias[j]);
}

INLINE float affine_block(
    float *restrict x, float *restrict u, float *restrict m, const float *restrict bu,
    const float *restrict bm, float bound, ptrdiff_t n) {
  FAST_SUMS
  const float inverse = 1 / bound;
  float sum = 0;
  for (ptrdiff_t j = 0; j < n; j++) {
    float s = bound * tanh_of((u[j] + bu[j]) * inverse);
    float e = exp_of(s);
    x[j] = x[j] * e + (m[j] + bm[j]);
    u[j] = s;
    m[j] = e;
    sum += s;
  }
  return sum;
}

DISPATCHED void lcw_affine(
    float *x, ptrdiff_t leading, float *outputs, const float *bias, double *logs, float bound,
    ptrdiff_t rows, ptrdiff_t width, ptrdiff_t block) {
  for (ptrdiff_t i = 0; i < rows; i++, x += leading, outputs += 2 * width) {
    double sum = 0;
    for (ptrdiff_t start = 0; start < width; start += block) {
      const ptrdiff_t n = width - start < block ? width - start : block;
      float *u = outputs + 2 * start;
      const float *b = bias + 2 * start;
      sum += affine_block(x + start, u, u + n, b, b + n, bound, n);
    }
    logs[i] += sum;
  }
}

INLINE void affine_inverse_block(
    float *restrict x, float *restrict u, float *restrict m, const float *restrict bu,
    const float *restrict bm, float bound, ptrdiff_t n) {
  FUSED
  const float inverse = 1 / bound;
  for (ptrdiff_t j = 0; j < n; j++) {
    float s = bound * tanh_of((u[j] + bu[j]) * inverse);
    float e = exp_of(s);
    x[j] = (x[j] - (m[j] + bm[j])) / e;
    u[j] = s;
    m[j] = e;
  }
}

DISPATCHED void lcw_affine_inverse(
    float *x, ptrdiff_t leading, float *outputs, const float *bias, float bound, ptrdiff_t rows,
    ptrdiff_t width, ptrdiff_t block) {
  for (ptrdiff_t i = 0; i < rows; i++, x += leading, outputs += 2 * width)
    for (ptrdiff_t start = 0; start < width; start += block) {
      const ptrdiff_t n = width - start < block ? width - start : block;
      float *u = outputs + 2 * start;
      const float *b = bias + 2 * start;
      affine_inverse_block(x + start, u, u + n, b, b + n, bound, n);
    }
}

// The derivative of s by u is 1 − tanh² = 1 − (s / a)².
INLINE void affine_backward_block(
    float *restrict g, float *restrict u, float *restrict m, const float *restrict x, float log,
    float inverse, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t j = 0; j < n; j++) {
    float t = u[j] * inverse, scaled = g[j] * m[j];
    u[j] = (scaled * x[j] + log) * (1 - t * t);
    m[j] = g[j];
    g[j] = scaled;
  }
}

DISPATCHED void lcw_affine_backward(
    float *g, ptrdiff_t leading, float *outputs, const float *x, ptrdiff_t leading_x,
    const float *log_gradients, float bound, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t block) {
  for (ptrdiff_t i = 0; i < rows; i++, g += leading, x += leading_x, outputs += 2 * width)
    for (ptrdiff_t start = 0; start < width; start += block) {
      const ptrdiff_t n = width - start < block ? width - start : block;
      float *u = outputs + 2 * start;
      affine_backward_block(g + start, u, u + n, x + start, log_gradients[i], 1 / bound, n);
    }
}

INLINE void affine_inverse_backward_block(
    float *restrict g, float *restrict u, float *restrict m, const float *restrict x,
    float inverse, ptrdiff_t n) {
  FUSED
  for (ptrdiff_t j = 0; j < n; j++) {
    float t = u[j] * inverse, divided = g[j] / m[j];
    u[j] = g[j] * x[j] * (1 - t * t);
    m[j] = divided;
    g[j] = divided;
  }
}

DISPATCHED void lcw_affine_inverse_backward(
    float *g, ptrdiff_t leading, float *outputs, const float *x, ptrdiff_t leading_x, float bound,
    ptrdiff_t rows, ptrdiff_t width, ptrdiff_t block) {
  for (ptrdiff_t i = 0; i < rows; i++, g += leading, x += leading_x, outputs += 2 * width)
    for (ptrdiff_t start = 0; start < width; start += block) {
      const ptrdiff_t n = width - start < block ? width - start : block;
      float *u = outputs + 2 * start;
      affine_inverse_backward_block(g + start, u, u + n, x + start, 1 / bound, n);
    }
}

// MARK: autoregressive inverses

// Rows are taken some at a time and transposed, so that a row is a lane: the sums over a block's few
// coordinates and units then run over vectors that stay in the first-level cache.
enum { lanesAtOnce = 32 };
typedef float lanes_t __attribute__((vector_size(64), aligned(4)));
enum { vectors = lanesAtOnce / 16 };

ptrdiff_t lcw_flow_scratch(const lcw_flow_block_t *b) {
  return lanesAtOnce * (2 * b->layers * b->units + 4 * b->coordinates);
}

INLINE void load_transposed(
    float *restrict t, const float *restrict x, ptrdiff_t leading, ptrdiff_t height,
    ptrdiff_t columns) {
  // Rows that are not there are computed from zeros and thrown away.
  if (height < lanesAtOnce)
    __builtin_memset(t, 0, sizeof(float) * (size_t)(lanesAtOnce * columns));
  for (ptrdiff_t r = 0; r < height; r++)
    for (ptrdiff_t j = 0; j < columns; j++) t[j * lanesAtOnce + r] = x[r * leading + j];
}

INLINE void store_transposed(
    float *restrict x, ptrdiff_t leading, const float *restrict t, ptrdiff_t height,
    ptrdiff_t columns) {
  for (ptrdiff_t r = 0; r < height; r++)
    for (ptrdiff_t j = 0; j < columns; j++) x[r * leading + j] = t[j * lanesAtOnce + r];
}

// sums[lane] += Σₖ w[k · stride] · x[k][lane], for k from `first` to below `end`.
INLINE void add_products(
    float *restrict sums, const float *restrict w, ptrdiff_t stride, const float *restrict x,
    ptrdiff_t first, ptrdiff_t end) {
  FUSED
  lanes_t a[vectors];
  _Pragma("unroll") for (int v = 0; v < vectors; v++) a[v] = *(const lanes_t *)(sums + 16 * v);
  for (ptrdiff_t k = first; k < end; k++) {
    const float f = w[k * stride];
    const float *row = x + k * lanesAtOnce;
    _Pragma("unroll") for (int v = 0; v < vectors; v++)
        a[v] += f * *(const lanes_t *)(row + 16 * v);
  }
  _Pragma("unroll") for (int v = 0; v < vectors; v++) *(lanes_t *)(sums + 16 * v) = a[v];
}

INLINE void set_lanes(float *restrict t, const float *restrict bias, ptrdiff_t columns) {
  for (ptrdiff_t j = 0; j < columns; j++)
    for (int r = 0; r < lanesAtOnce; r++) t[j * lanesAtOnce + r] += bias[j];
}

DISPATCHED void lcw_flow_solve(
    float *x, ptrdiff_t leading_x, float *const *hidden, ptrdiff_t leading_hidden, float *outputs,
    ptrdiff_t leading_outputs, const lcw_flow_block_t *b, ptrdiff_t rows, float *scratch) {
  FUSED
  const ptrdiff_t c = b->coordinates, units = b->units, layers = b->layers;
  const float bound = b->bound, inverse = 1 / bound;
  float *X = scratch, *O = X + c * lanesAtOnce, *H = O + 2 * c * lanesAtOnce;
  const ptrdiff_t layerSize = units * lanesAtOnce;
  for (ptrdiff_t row = 0; row < rows; row += lanesAtOnce) {
    const ptrdiff_t height = rows - row < lanesAtOnce ? rows - row : lanesAtOnce;
    const float *w = b->weights;
    load_transposed(X, x + row * leading_x, leading_x, height, c);
    for (ptrdiff_t l = 0; l < layers; l++) {
      load_transposed(
          H + l * layerSize, hidden[l] + row * leading_hidden, leading_hidden, height, units);
      w += units * (l == 0 ? c : units);
      set_lanes(H + l * layerSize, w, units);
      w += units;
    }
    const float *wo = w;
    const float *last = H + (layers - 1) * layerSize;
    load_transposed(O, outputs + row * leading_outputs, leading_outputs, height, 2 * c);
    set_lanes(O, wo + 2 * c * units, 2 * c);
    for (ptrdiff_t i = 0; i < c; i++) {
      float *u = O + i * lanesAtOnce, *m = O + (c + i) * lanesAtOnce, *xi = X + i * lanesAtOnce;
      add_products(u, wo + i * units, 1, last, 0, b->known[i]);
      add_products(m, wo + (c + i) * units, 1, last, 0, b->known[i]);
      for (int r = 0; r < lanesAtOnce; r++) {
        float s = bound * tanh_of(u[r] * inverse);
        float e = exp_of(s);
        xi[r] = (xi[r] - m[r]) / e;
        u[r] = s;
        m[r] = e;
      }
      w = b->weights;
      for (ptrdiff_t l = 0; l < layers; l++) {
        const ptrdiff_t inputs = l == 0 ? c : units;
        const float *below = l == 0 ? X : H + (l - 1) * layerSize;
        const ptrdiff_t end = l == 0 ? i + 1 : b->known[i + 1];
        for (ptrdiff_t k = b->known[i]; k < b->known[i + 1]; k++) {
          float *h = H + l * layerSize + k * lanesAtOnce;
          add_products(h, w + k * inputs, 1, below, 0, end);
          for (int r = 0; r < lanesAtOnce; r++) h[r] = tanh_of(h[r]);
        }
        w += units * inputs + units;
      }
    }
    store_transposed(x + row * leading_x, leading_x, X, height, c);
    for (ptrdiff_t l = 0; l < layers; l++)
      store_transposed(
          hidden[l] + row * leading_hidden, leading_hidden, H + l * layerSize, height, units);
    store_transposed(outputs + row * leading_outputs, leading_outputs, O, height, 2 * c);
  }
}

DISPATCHED void lcw_flow_solve_transposed(
    float *g, ptrdiff_t leading_g, const float *x, ptrdiff_t leading_x, float *const *gradients,
    ptrdiff_t leading_gradients, const float *const *hidden, ptrdiff_t leading_hidden,
    float *outputs, ptrdiff_t leading_outputs, const lcw_flow_block_t *b, ptrdiff_t rows,
    float *scratch) {
  FUSED
  const ptrdiff_t c = b->coordinates, units = b->units, layers = b->layers;
  const float inverse = 1 / b->bound;
  const ptrdiff_t layerSize = units * lanesAtOnce;
  float *G = scratch, *X = G + c * lanesAtOnce, *O = X + c * lanesAtOnce;
  float *H = O + 2 * c * lanesAtOnce, *A = H + layers * layerSize;
  // The weights of each layer, which are walked from the last to the first.
  const float *w[LCW_FLOW_LAYERS + 1];
  w[0] = b->weights;
  for (ptrdiff_t l = 0; l < layers; l++) w[l + 1] = w[l] + units * ((l == 0 ? c : units) + 1);
  for (ptrdiff_t row = 0; row < rows; row += lanesAtOnce) {
    const ptrdiff_t height = rows - row < lanesAtOnce ? rows - row : lanesAtOnce;
    load_transposed(G, g + row * leading_g, leading_g, height, c);
    load_transposed(X, x + row * leading_x, leading_x, height, c);
    load_transposed(O, outputs + row * leading_outputs, leading_outputs, height, 2 * c);
    for (ptrdiff_t l = 0; l < layers; l++) {
      load_transposed(
          H + l * layerSize, hidden[l] + row * leading_hidden, leading_hidden, height, units);
      load_transposed(
          A + l * layerSize, gradients[l] + row * leading_gradients, leading_gradients, height,
          units);
    }
    for (ptrdiff_t i = c - 1; i >= 0; i--) {
      for (ptrdiff_t l = layers - 1; l >= 0; l--) {
        const int isLast = l == layers - 1;
        for (ptrdiff_t k = b->known[i]; k < b->known[i + 1]; k++) {
          float *a = A + l * layerSize + k * lanesAtOnce;
          const float *h = H + l * layerSize + k * lanesAtOnce;
          if (isLast) {
            add_products(a, w[layers] + k, units, O, i + 1, c);
            add_products(a, w[layers] + c * units + k, units, O + c * lanesAtOnce, i + 1, c);
          } else {
            add_products(a, w[l + 1] + k, units, A + (l + 1) * layerSize, b->known[i], units);
          }
          for (int r = 0; r < lanesAtOnce; r++) a[r] *= 1 - h[r] * h[r];
        }
      }
      float later[lanesAtOnce] = {0};
      add_products(later, w[0] + i, c, A, b->known[i], units);
      float *gi = G + i * lanesAtOnce, *s = O + i * lanesAtOnce, *e = O + (c + i) * lanesAtOnce;
      const float *xi = X + i * lanesAtOnce;
      for (int r = 0; r < lanesAtOnce; r++) {
        float rest = gi[r] - later[r], t = s[r] * inverse;
        float divided = rest / e[r];
        s[r] = rest * xi[r] * (1 - t * t);
        e[r] = divided;
        gi[r] = divided;
      }
    }
    store_transposed(g + row * leading_g, leading_g, G, height, c);
    store_transposed(outputs + row * leading_outputs, leading_outputs, O, height, 2 * c);
    for (ptrdiff_t l = 0; l < layers; l++)
      store_transposed(
          gradients[l] + row * leading_gradients, leading_gradients, A + l * layerSize, height,
          units);
  }
}
