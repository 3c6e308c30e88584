// SPDX-License-Identifier: Apache-2.0
// Matrix products in single precision on vectors of 512 bits (AVX-512). Part of CKernels.h.
//
// The right operand is packed by the caller, a block at a time; the left one is packed here, a few
// lines at a time, just before they are multiplied. Every element of the result is one chain of fused
// products and sums along the block's inner dimension, wherever it lies in the result.
#pragma once
#include <stddef.h>

#pragma clang assume_nonnull begin

/// Columns of the right operand that are packed together.
#define LCW_VECTORS_PANEL 32
/// The most steps of the inner dimension in a block.
#define LCW_VECTORS_DEPTH 384
/// Values of the memory in which lines of the left operand are packed.
#define LCW_VECTORS_LEFT_COUNT (16 * LCW_VECTORS_DEPTH)

/// Whether the processor has these vectors.
int lcw_vectors_available(void);

/// The values of a packed block, with whole panels.
ptrdiff_t lcw_vectors_packed_count(ptrdiff_t columns, ptrdiff_t inner);

/// Packs a block of the right operand, of at most `LCW_VECTORS_DEPTH` steps. `packed` starts at a
/// multiple of 64 bytes.
///
/// Element k of column j is source[j · leading + k] if `contiguous` is set, else
/// source[k · leading + j].
void lcw_vectors_pack(
    float *packed, const float *source, ptrdiff_t leading, ptrdiff_t columns, ptrdiff_t inner,
    int contiguous);

/// c ← alpha · left · right + beta · c for `rows` × `columns` values. With beta = 0 the previous
/// values are not read.
///
/// Element (i, j) of the result is c[i · leading + j], or c[j · leading + i] if `transposed` is set.
/// Element k of the left operand's line i is left[i · leftLeading + k] if `contiguous` is set, else
/// left[k · leftLeading + i]. `right` is packed. `lines` has `LCW_VECTORS_LEFT_COUNT` values and
/// starts at a multiple of 64 bytes.
void lcw_vectors_multiply(
    float *c, ptrdiff_t leading, int transposed, const float *left, ptrdiff_t leftLeading,
    int contiguous, const float *right, ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t inner,
    float alpha, float beta, float *lines);

#pragma clang assume_nonnull end
