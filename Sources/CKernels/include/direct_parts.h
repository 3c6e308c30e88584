// SPDX-License-Identifier: Apache-2.0
// The direct convolution on tile registers: numbers are sums of two of bfloat16, and products the sums of
// three; see tiles.h. For processors where `lcw_tiles_available` says so. Part of CKernels.h.
//
// Functions, arguments and results are those of `lcw_direct` and its companions. A value that is infinite, or
// too large for bfloat16, makes what reads it NaN.
#pragma once

#pragma clang assume_nonnull begin

/// The values that the filters take in the order in which they are multiplied.
ptrdiff_t lcw_direct_parts_weights_size(
    const lcw_windows_t *windows, ptrdiff_t filters, int backward);
/// Brings filters `[filters, channels, height, width]` into that order.
void lcw_direct_parts_weights(
    float *packed, const float *weight, const lcw_windows_t *windows, ptrdiff_t filters,
    int backward);
/// The values of scratch memory of `lcw_direct_parts` and `lcw_direct_parts_backward`.
ptrdiff_t lcw_direct_parts_scratch(const lcw_windows_t *windows, ptrdiff_t filters);
/// Convolves images; `starts` has room for the elements of a window.
void lcw_direct_parts(
    float *y, const float *x, const float *packed, const float *_Nullable bias,
    const lcw_windows_t *windows, ptrdiff_t filters, ptrdiff_t samples, int relu, float *scratch,
    ptrdiff_t *starts);
/// The gradients of images from those of the outputs.
void lcw_direct_parts_backward(
    float *dx, const float *g, const float *packed, const lcw_windows_t *windows,
    ptrdiff_t filters, ptrdiff_t samples, float *scratch, ptrdiff_t *starts);
/// The values of scratch memory of `lcw_direct_parts_sums`.
ptrdiff_t lcw_direct_parts_sums_scratch(const lcw_windows_t *windows, ptrdiff_t filters);
/// Adds the gradients of the filters over images.
void lcw_direct_parts_sums(
    float *sums, const float *x, const float *g, const lcw_windows_t *windows, ptrdiff_t filters,
    ptrdiff_t samples, float *scratch, ptrdiff_t *starts);

#pragma clang assume_nonnull end
