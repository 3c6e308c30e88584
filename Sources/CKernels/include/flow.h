// SPDX-License-Identifier: Apache-2.0
// The loops of invertible transformations; see LCWFlows. Part of CKernels.h.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// MARK: columns

/// y[i, j] ← (x[i, order[j]] − before[j]) · scale[j] + after[j], for rows that start `columns`
/// elements apart.
void lcw_gather_affine(
    float *y, const float *x, const int32_t *order, const float *before, const float *scale,
    const float *after, ptrdiff_t rows, ptrdiff_t columns);
/// Copies a rectangle between rows that start `leading_y` and `leading_x` elements apart.
void lcw_copy_columns(
    float *y, ptrdiff_t leading_y, const float *x, ptrdiff_t leading_x, ptrdiff_t rows,
    ptrdiff_t columns);
/// Turns each row around: the last column becomes the first.
void lcw_reverse_columns(float *y, ptrdiff_t rows, ptrdiff_t columns);
/// s[j] ← scale · s[j] + factor · Σᵢ x[i, j].
void lcw_scaled_column_sums(
    float *s, float scale, float factor, const float *x, ptrdiff_t rows, ptrdiff_t columns);

// MARK: affine transformations of coordinates
//
// A network's outputs are rows of 2 · width values in blocks: for `block` coordinates (the last
// block may have fewer) first their raw scales u, then their shifts m. With the bound a the scale is
// s = a · tanh(u / a), so that a coordinate grows or shrinks by the factor eᵃ at most. After a
// pass the outputs hold s and eˢ.

/// y ← tanh(y + bias), row by row.
void lcw_bias_tanh(float *y, const float *bias, ptrdiff_t rows, ptrdiff_t columns);
/// x ← x · eˢ + m for rows of `width` coordinates that start `leading` elements apart. `bias` is
/// added to the outputs first. Adds Σ s of each row to `logs`.
void lcw_affine(
    float *x, ptrdiff_t leading, float *outputs, const float *bias, double *logs, float bound,
    ptrdiff_t rows, ptrdiff_t width, ptrdiff_t block);
/// x ← (x − m) · e⁻ˢ: the inverse of `lcw_affine`.
void lcw_affine_inverse(
    float *x, ptrdiff_t leading, float *outputs, const float *bias, float bound, ptrdiff_t rows,
    ptrdiff_t width, ptrdiff_t block);
/// The gradients of `lcw_affine`: g becomes that of x, and the outputs that of u and m. `x` holds
/// what was transformed; `log_gradients` has the gradient of each row's Σ s.
void lcw_affine_backward(
    float *g, ptrdiff_t leading, float *outputs, const float *x, ptrdiff_t leading_x,
    const float *log_gradients, float bound, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t block);
/// The gradients of `lcw_affine_inverse`, whose results are `x`: g becomes that of what was
/// transformed, and the outputs the negative of that of u and m.
void lcw_affine_inverse_backward(
    float *g, ptrdiff_t leading, float *outputs, const float *x, ptrdiff_t leading_x, float bound,
    ptrdiff_t rows, ptrdiff_t width, ptrdiff_t block);

// MARK: autoregressive inverses
//
// A block of coordinates of an autoregressive transformation and the hidden units that become known
// with them. Weights within the block lie one after another: for each hidden layer a matrix [units,
// inputs] (the first layer's inputs are the coordinates, another's the units before it) and the
// units' biases; then the matrix [2 · coordinates, units] of the outputs and their biases.

/// A block: see above.
typedef struct {
  /// The coordinates.
  ptrdiff_t coordinates;
  /// The hidden units of each layer.
  ptrdiff_t units;
  /// The hidden layers, at most LCW_FLOW_LAYERS.
  ptrdiff_t layers;
  /// How many units of a layer are known once 0, 1, …, `coordinates` coordinates are.
  const int32_t *known;
  /// The weights and biases.
  const float *weights;
  /// The bound of the scales.
  float bound;
} lcw_flow_block_t;

/// The most hidden layers.
#define LCW_FLOW_LAYERS 8

/// The floats that the two functions below need as `scratch`.
ptrdiff_t lcw_flow_scratch(const lcw_flow_block_t *b);
/// Solves x · eˢ + m = z for one block. On entry `x` holds z, `hidden` and `outputs` what earlier
/// blocks contribute to units and outputs, without biases; on return x, the units' values, and s and
/// eˢ. Each has rows of its own distance.
void lcw_flow_solve(
    float *x, ptrdiff_t leading_x, float *_Nonnull const *_Nonnull hidden,
    ptrdiff_t leading_hidden, float *outputs, ptrdiff_t leading_outputs,
    const lcw_flow_block_t *b, ptrdiff_t rows, float *scratch);
/// Solves Jᵀ g' = g for one block, J the derivative of x · eˢ + m. On entry `g` holds g less what later
/// units contribute, `gradients` what later units and outputs contribute to the units' values,
/// `hidden` the units' values and `outputs` s and eˢ; on return g', the gradients before the
/// units' tanh, and the gradients of the outputs before the bound.
void lcw_flow_solve_transposed(
    float *g, ptrdiff_t leading_g, const float *x, ptrdiff_t leading_x,
    float *_Nonnull const *_Nonnull gradients, ptrdiff_t leading_gradients,
    const float *_Nonnull const *_Nonnull hidden, ptrdiff_t leading_hidden, float *outputs,
    ptrdiff_t leading_outputs, const lcw_flow_block_t *b, ptrdiff_t rows, float *scratch);

#pragma clang assume_nonnull end
