// SPDX-License-Identifier: Apache-2.0
// The loops that need C: they vectorise for the processor they run on, by run-time dispatch.
// Counts are in elements. No function allocates; none keeps a pointer.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// MARK: element-wise

/// y ← max(y, 0); NaN stays NaN.
void lcw_relu(float *y, ptrdiff_t n);
/// g ← g where y > 0, else 0, with y the output of `lcw_relu`.
void lcw_relu_backward(float *g, const float *y, ptrdiff_t n);
/// y ← tanh(y), to 6 units in the last place and within ±1; NaN stays NaN.
void lcw_tanh(float *y, ptrdiff_t n);
/// g ← g (1 − y²), with y the output of `lcw_tanh`.
void lcw_tanh_backward(float *g, const float *y, ptrdiff_t n);
/// y ← y · m, the mask a vector of equal length.
void lcw_multiply(float *y, const float *m, ptrdiff_t n);
/// y ← a x + b y.
void lcw_axpby(float *y, float a, const float *x, float b, ptrdiff_t n);
/// The sum of (x − y)², in double precision.
double lcw_squared_distance(const float *x, const float *y, ptrdiff_t n);

// MARK: rows

/// Adds the bias to every row: y[i, j] ← y[i, j] + b[j], and clips at zero if `relu` is set.
void lcw_add_bias(float *y, const float *b, ptrdiff_t rows, ptrdiff_t columns, int relu);
/// Column sums: s[j] ← scale · s[j] + Σᵢ x[i, j].
void lcw_column_sums(float *s, float scale, const float *x, ptrdiff_t rows, ptrdiff_t columns);
/// out ← Σⱼ c[j] · bases[j] + shift + bias (may be null), clipped at zero if `relu` is set.
void lcw_combine(
    float *out, const float *_Nonnull const *_Nonnull bases, const float *c, ptrdiff_t count,
    float shift, const float *_Nullable bias, ptrdiff_t n, int relu);

/// The most outputs of `lcw_combined_dense`.
#define LCW_COMBINED_DENSE_OUTPUTS 16

/// A dense layer of few outputs over combined rows: with the rows
/// h[i] = Σⱼ c[j] · bases[j][i] + shifts[i] + bias, clipped at zero if `relu` is set,
/// out[i, o] ← ⟨h[i], weight[o]⟩ + weightBias[o]. Each basis is `[rows, width]`, `weight` is
/// `[outputs, width]`; `shifts`, `bias` and `weightBias` may be null.
void lcw_combined_dense(
    float *out, const float *_Nonnull const *_Nonnull bases, const float *c, ptrdiff_t count,
    const float *_Nullable shifts, const float *_Nullable bias, int relu, const float *weight,
    const float *_Nullable weightBias, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t outputs);

// MARK: losses

/// Softmax cross-entropy of each row of `logits` [rows, classes] against its label.
/// Adds the losses to `loss`, counts the rows whose largest logit (the first of equals) is the
/// label's in `correct`, and, where `gradient` is given, writes scale · (softmax − one-hot) there.
/// `gradient` may be `logits` itself. Rows with a NaN are never correct.
void lcw_softmax_cross_entropy(
    const float *logits, const int32_t *labels, ptrdiff_t rows, ptrdiff_t classes,
    double *loss, ptrdiff_t *correct, float *_Nullable gradient, float scale);

// MARK: optimisers

/// v holds momentum · v + gradient: v ← v + decay · w, then w ← w − rate · v.
void lcw_sgd_step(float *w, float *v, float rate, float decay, ptrdiff_t n);
/// One step of Adam (Kingma and Ba 2015) with L2 decay; `correction1` = 1 − β₁ᵗ, likewise 2.
void lcw_adam_step(
    float *w, float *m, float *v, const float *g, float rate, float decay, float beta1,
    float beta2, float correction1, float correction2, float epsilon, ptrdiff_t n);

// MARK: conversion

/// y ← x · scale + offset, from bytes.
void lcw_bytes_to_floats(float *y, const uint8_t *x, float scale, float offset, ptrdiff_t n);
/// IEEE half precision to single.
void lcw_half_to_float(float *y, const uint16_t *x, ptrdiff_t n);
/// Single precision to half, rounded to nearest even.
void lcw_float_to_half(uint16_t *y, const float *x, ptrdiff_t n);
/// bfloat16 to single precision.
void lcw_bfloat_to_float(float *y, const uint16_t *x, ptrdiff_t n);
/// Single precision to bfloat16, rounded to nearest even; NaN stays NaN.
void lcw_float_to_bfloat(uint16_t *y, const float *x, ptrdiff_t n);

// MARK: byte planes

/// Splits `n` little-endian words of `width` bytes (2, 4 or 8) into `width` planes of `n` bytes,
/// the most significant byte first; with `rotate` each word is first rotated left by one bit.
/// Plane k starts at `planes + k · stride`.
void lcw_split_planes(
    uint8_t *planes, ptrdiff_t stride, const uint8_t *words, ptrdiff_t n, int width, int rotate);
/// The inverse of `lcw_split_planes`.
void lcw_join_planes(
    uint8_t *words, const uint8_t *planes, ptrdiff_t stride, ptrdiff_t n, int width, int rotate);

#pragma clang assume_nonnull end
