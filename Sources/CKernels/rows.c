// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"

DISPATCHED void lcw_add_bias(
    float *y, const float *b, ptrdiff_t rows, ptrdiff_t columns, int relu) {
  for (ptrdiff_t i = 0; i < rows; i++, y += columns) {
    if (relu) {
      for (ptrdiff_t j = 0; j < columns; j++) {
        float v = y[j] + b[j];
        y[j] = v < 0 ? 0 : v;
      }
    } else {
      for (ptrdiff_t j = 0; j < columns; j++) y[j] += b[j];
    }
  }
}

DISPATCHED void lcw_column_sums(
    float *s, float scale, const float *x, ptrdiff_t rows, ptrdiff_t columns) {
  if (scale == 0) {
    for (ptrdiff_t j = 0; j < columns; j++) s[j] = 0;
  } else {
    for (ptrdiff_t j = 0; j < columns; j++) s[j] *= scale;
  }
  for (ptrdiff_t i = 0; i < rows; i++, x += columns)
    for (ptrdiff_t j = 0; j < columns; j++) s[j] += x[j];
}

// Two or three bases are the common paths (lines, arcs, control polygons); more go through the
// output, which stays in the first-level cache.
#define EPILOGUE(expression)                                        \
  for (ptrdiff_t i = 0; i < n; i++) {                               \
    float v = (expression);                                         \
    out[i] = relu && v < 0 ? 0 : v;                                 \
  }

DISPATCHED void lcw_combine(
    float *restrict out, const float *const *bases, const float *restrict c, ptrdiff_t count,
    float shift, const float *restrict bias, ptrdiff_t n, int relu) {
  FUSED
  if (count == 1) {
    const float *restrict p = bases[0];
    const float a = c[0];
    if (bias) {
      EPILOGUE(a * p[i] + (bias[i] + shift))
    } else {
      EPILOGUE(a * p[i] + shift)
    }
  } else if (count == 2) {
    const float *restrict p = bases[0], *restrict q = bases[1];
    const float a = c[0], b = c[1];
    if (bias) {
      EPILOGUE(a * p[i] + b * q[i] + (bias[i] + shift))
    } else {
      EPILOGUE(a * p[i] + b * q[i] + shift)
    }
  } else if (count == 3) {
    const float *restrict p = bases[0], *restrict q = bases[1], *restrict r = bases[2];
    const float a = c[0], b = c[1], d = c[2];
    if (bias) {
      EPILOGUE(a * p[i] + b * q[i] + d * r[i] + (bias[i] + shift))
    } else {
      EPILOGUE(a * p[i] + b * q[i] + d * r[i] + shift)
    }
  } else {
    for (ptrdiff_t i = 0; i < n; i++) out[i] = shift + (bias ? bias[i] : 0);
    for (ptrdiff_t k = 0; k < count; k++) {
      const float *restrict p = bases[k];
      const float a = c[k];
      for (ptrdiff_t i = 0; i < n; i++) out[i] += a * p[i];
    }
    if (relu)
      for (ptrdiff_t i = 0; i < n; i++) out[i] = out[i] < 0 ? 0 : out[i];
  }
}
