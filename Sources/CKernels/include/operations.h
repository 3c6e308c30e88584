// SPDX-License-Identifier: Apache-2.0
// The loops of single operations of networks.
#pragma once
#include "CKernels.h"

#pragma clang assume_nonnull begin

// MARK: activations

// Each changes `y` from input to output, or the gradient `g` from the one behind to the one before; the
// latter with the output `y` where that is enough, else with the input `x`.

/// y ← y where y ≥ 0, else slope · y.
void lcw_leaky_relu(float *y, float slope, ptrdiff_t n);
/// With the input, or with the output of a slope above 0.
void lcw_leaky_relu_backward(float *g, const float *x, float slope, ptrdiff_t n);
/// y ← min(max(y, lower), upper); NaN stays NaN.
void lcw_clip(float *y, float lower, float upper, ptrdiff_t n);
/// g stays where lower < y < upper.
void lcw_clip_backward(float *g, const float *y, float lower, float upper, ptrdiff_t n);
/// y ← 1 / (1 + exp(−y)).
void lcw_sigmoid(float *y, ptrdiff_t n);
void lcw_sigmoid_backward(float *g, const float *y, ptrdiff_t n);
/// y ← y · sigmoid(y).
void lcw_silu(float *y, ptrdiff_t n);
void lcw_silu_backward(float *g, const float *x, ptrdiff_t n);
/// y ← min(max(y / 6 + 1/2, 0), 1).
void lcw_hard_sigmoid(float *y, ptrdiff_t n);
void lcw_hard_sigmoid_backward(float *g, const float *y, ptrdiff_t n);
/// y ← y · hard_sigmoid(y).
void lcw_hard_swish(float *y, ptrdiff_t n);
void lcw_hard_swish_backward(float *g, const float *x, ptrdiff_t n);
/// y ← y · Φ(y), with the normal distribution function.
void lcw_gelu(float *y, ptrdiff_t n);
void lcw_gelu_backward(float *g, const float *x, ptrdiff_t n);
/// y ← y · (1 + tanh(√(2/π) (y + 0.044715 y³))) / 2.
void lcw_gelu_tanh(float *y, ptrdiff_t n);
void lcw_gelu_tanh_backward(float *g, const float *x, ptrdiff_t n);
/// y ← y where y ≥ 0, else alpha · (exp(y) − 1).
void lcw_elu(float *y, float alpha, ptrdiff_t n);
/// With the output of an alpha that is not negative.
void lcw_elu_backward(float *g, const float *y, float alpha, ptrdiff_t n);
/// The softmax of a block `[outer, n, inner]` over its second axis.
void lcw_softmax(float *y, ptrdiff_t outer, ptrdiff_t n, ptrdiff_t inner);
void lcw_softmax_backward(
    float *g, const float *y, ptrdiff_t outer, ptrdiff_t n, ptrdiff_t inner);

// MARK: normalisation of rows

// A block is `[rows, width]`, and each row is normalised by itself. Element i of row r has the scale
// and the shift number (r mod cycle) · width / each + i / each.

/// The mean of each row, and 1 / √(variance + epsilon).
void lcw_row_moments(
    float *mean, float *inverse, const float *x, ptrdiff_t rows, ptrdiff_t width,
    double epsilon);
/// y ← (x − mean) · inverse · scale + shift. The moments are those of the rows, of which the first is
/// number `first_row` of the block.
void lcw_row_normalise(
    float *y, const float *x, const float *mean, const float *inverse, const float *scale,
    const float *shift, ptrdiff_t rows, ptrdiff_t first_row, ptrdiff_t width, ptrdiff_t cycle,
    ptrdiff_t each);
/// Makes of the gradient of such rows that of `x`.
void lcw_row_normalise_backward(
    float *g, const float *x, const float *mean, const float *inverse, const float *scale,
    ptrdiff_t rows, ptrdiff_t first_row, ptrdiff_t width, ptrdiff_t cycle, ptrdiff_t each);
/// The gradients of `count` scales and shifts from number `first` on, summed over the rows of a block.
void lcw_row_scale_gradients(
    float *scale, float *shift, const float *g, const float *x, const float *mean,
    const float *inverse, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t cycle, ptrdiff_t each,
    ptrdiff_t first, ptrdiff_t count);
/// sums ← k + alpha / size · Σ x² over a window of `size` channels around each; y ← x · sums^−beta.
void lcw_local_response(
    float *y, float *sums, const float *x, ptrdiff_t samples, ptrdiff_t channels,
    ptrdiff_t positions, ptrdiff_t size, float alpha, float beta, float k);
/// Overwrites `dx` with the gradient of `lcw_local_response`, and the sums with what it needs.
void lcw_local_response_backward(
    float *dx, const float *g, const float *x, float *sums, ptrdiff_t samples,
    ptrdiff_t channels, ptrdiff_t positions, ptrdiff_t size, float alpha, float beta);

// MARK: blocks

/// y ← y + x.
void lcw_add(float *y, const float *x, ptrdiff_t n);
/// y ← a + b.
void lcw_add_both(float *y, const float *a, const float *b, ptrdiff_t n);
/// y ← max(a + b, 0); NaN stays NaN.
void lcw_add_relu(float *y, const float *a, const float *b, ptrdiff_t n);
/// Σ x · y, in double precision.
double lcw_dot(const float *x, const float *y, ptrdiff_t n);
/// y[p, i] ← factor[p] · x[p, i], for planes of n values; `y` may be `x`.
void lcw_scale_planes(
    float *y, const float *x, const float *factor, ptrdiff_t planes, ptrdiff_t n);
/// s[p] ← Σᵢ x[p, i] · y[p, i], for planes of n values.
void lcw_plane_products(
    float *s, const float *x, const float *y, ptrdiff_t planes, ptrdiff_t n);

// MARK: direct convolution

// Of images of a size such that what belongs to one of them fits the caches. `offsets` has room for as
// many numbers as there are weights of one row of the product: channels · kernel forward, filters ·
// kernel backward. The gradient of the bias, and the clipping of gradients, are the caller's.

/// The floats of the filters packed for one of the directions.
ptrdiff_t lcw_direct_weights_size(const lcw_windows_t *w, ptrdiff_t filters, int backward);
/// Packs filters `[filters, channels, kernel]` for one of the directions.
void lcw_direct_weights(
    float *packed, const float *weight, const lcw_windows_t *w, ptrdiff_t filters, int backward);
/// The floats of memory that either direction works in.
ptrdiff_t lcw_direct_scratch(const lcw_windows_t *w, ptrdiff_t filters);
/// The outputs of some images, with a bias for each filter (none if null), clipped at zero if `relu` is
/// set.
void lcw_direct(
    float *y, const float *x, const float *packed, const float *_Nullable bias,
    const lcw_windows_t *w, ptrdiff_t filters, ptrdiff_t samples, int relu, float *scratch,
    ptrdiff_t *offsets);
/// Overwrites `dx` with the gradients of the images from those of the outputs.
void lcw_direct_backward(
    float *dx, const float *g, const float *packed, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, float *scratch, ptrdiff_t *offsets);
/// The floats of memory that the gradient of the filters needs for each image that is taken together.
ptrdiff_t lcw_direct_sums_scratch(const lcw_windows_t *w, ptrdiff_t filters);
/// Adds the gradient of the filters, `[filters, channels, kernel]`, summed over some images, `together`
/// at a time.
void lcw_direct_sums(
    float *sums, const float *x, const float *g, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, ptrdiff_t together, float *scratch, ptrdiff_t *offsets);

// MARK: depthwise convolution

/// The floats of memory that a depthwise convolution works in.
ptrdiff_t lcw_depthwise_scratch(const lcw_windows_t *w);
/// Convolves `count` channels from `first` on of a block `[samples, channels, height, width]`. Each becomes
/// `multiplier` planes, of filters `[channels · multiplier, kernel]`, with a bias for each (none if
/// null), clipped at zero if `relu` is set.
void lcw_depthwise(
    float *y, const float *x, const float *weight, const float *_Nullable bias,
    const lcw_windows_t *w, ptrdiff_t multiplier, ptrdiff_t samples, ptrdiff_t first,
    ptrdiff_t count, int relu, float *scratch);
/// The gradients of some channels from `first` on, over all samples. The gradient `g` of the output
/// counts where `clipped`, the output, is positive, if it is not null. Adds to the gradients of filters
/// and bias of these channels, and overwrites those of the images, unless they are null.
void lcw_depthwise_backward(
    float *_Nullable dx, float *weight_gradient, float *_Nullable bias_gradient, const float *g,
    const float *_Nullable clipped, const float *x, const float *weight, const lcw_windows_t *w,
    ptrdiff_t multiplier, ptrdiff_t samples, ptrdiff_t first, ptrdiff_t count, float *scratch);

#pragma clang assume_nonnull end
