// SPDX-License-Identifier: Apache-2.0
// Matrix products on the tile registers (AMX) of x86-64 processors. Part of CKernels.h.
//
// Tiles multiply numbers of bfloat16, which have 8 significant bits, and sum in single precision.
// So an operand is split into a sum of 2 or 3 parts, of which each holds 8 more bits: x = x₀ + x₁ + x₂.
// The product sums the products of parts xᵢ yⱼ with i + j below the number of parts: 3 of 2 parts,
// 6 of 3 parts.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Rows or columns of an operand that are packed together.
#define LCW_TILES_PANEL 32
/// Steps of the inner dimension that are packed together.
#define LCW_TILES_STEP 32

/// Whether the processor has tiles of bfloat16 and the system lets this process use them.
int lcw_tiles_available(void);

/// The values of a packed operand, with whole panels and steps.
ptrdiff_t lcw_tiles_packed_count(ptrdiff_t lines, ptrdiff_t inner, ptrdiff_t parts);

/// Packs rows of a left operand or columns of a right one, `lines` of them; rows and columns beyond
/// are zeros. `packed` starts at a multiple of 64 bytes, and `parts` is 2 or 3.
///
/// Element k of line i is source[i · leading + k] if `contiguous` is set, else source[k · leading + i].
/// Returns 0, with values that are of no use, if an element is not finite or so large (some 3.39e38)
/// that it has no bfloat16; otherwise 1.
int lcw_tiles_pack(
    uint16_t *packed, const float *source, ptrdiff_t leading, ptrdiff_t lines, ptrdiff_t inner,
    int contiguous, int right, ptrdiff_t parts);

/// c ← alpha · left · right + beta · c for `rows` × `columns` values whose rows start `leading`
/// elements apart. With beta = 0 the previous values are not read.
///
/// `sums` has `rows` × `columns` values, both rounded up to whole panels.
void lcw_tiles_multiply(
    float *c, ptrdiff_t leading, const uint16_t *left, const uint16_t *right, ptrdiff_t rows,
    ptrdiff_t columns, ptrdiff_t inner, ptrdiff_t parts, float alpha, float beta, float *sums);

#pragma clang assume_nonnull end
