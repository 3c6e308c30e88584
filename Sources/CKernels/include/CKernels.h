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

// MARK: convolution and pooling

/// The windows of a convolution or pooling over one image `[channels, height, width]`. Neighbouring
/// windows are `down` and `across` apart, and neighbouring elements of one are `spread_height` and
/// `spread_width` apart.
typedef struct {
  ptrdiff_t channels, height, width;
  ptrdiff_t kernel_height, kernel_width, down, across;
  ptrdiff_t top, left, bottom, right;
  ptrdiff_t spread_height, spread_width;
  ptrdiff_t out_height, out_width;
} lcw_windows_t;

/// The patches of some rows of output positions, as a matrix `[channels · kernel, positions]`
/// whose rows start `leading` elements apart; padding is zero.
void lcw_patches(
    float *patches, ptrdiff_t leading, const float *image, const lcw_windows_t *w,
    ptrdiff_t first_row, ptrdiff_t rows);
/// Adds patches to the places of the image they would be taken from. Overwrites with zeros what
/// lies in the padding.
void lcw_add_patches(
    float *image, float *patches, ptrdiff_t leading, const lcw_windows_t *w,
    ptrdiff_t first_row, ptrdiff_t rows);
/// The patches of `count` positions of an image, `[count, channels · kernel]`; padding is zero. They are
/// the first ones if `positions` is null.
void lcw_patch_rows(
    float *rows, const float *image, const lcw_windows_t *w, const int32_t *_Nullable positions,
    ptrdiff_t count);
/// y[p, i] ← x[p, i] + bias[p] (none if null), clipped at zero if `relu` is set, for planes of n
/// elements that start `leading` and `leading_x` elements apart; `y` may be `x`.
void lcw_add_plane_bias(
    float *y, ptrdiff_t leading, const float *x, ptrdiff_t leading_x, const float *_Nullable bias,
    ptrdiff_t planes, ptrdiff_t n, int relu);
/// s[r] ← s[r] + Σᵢ x[r, i], for rows of n elements that start `leading` elements apart.
void lcw_add_row_sums(
    float *s, const float *x, ptrdiff_t leading, ptrdiff_t rows, ptrdiff_t n);

/// y[c, r] ← x[r, c] for a matrix of rows and columns; the rows of each start `leading` elements apart.
void lcw_transpose(
    float *y, ptrdiff_t leading_y, const float *x, ptrdiff_t leading_x, ptrdiff_t rows,
    ptrdiff_t columns);
/// y[r, c] ← carry · y[r, c] + Σ x[part][c, r] over some parts that start `part_stride` elements apart,
/// added in order; the rows of y follow each other. With a carry of 0 the old values are not read.
void lcw_add_transposed(
    float *y, float carry, const float *x, ptrdiff_t leading_x, ptrdiff_t part_stride,
    ptrdiff_t parts, ptrdiff_t rows, ptrdiff_t columns);

// Winograd's minimal filtering F(4×4, 3×3) of windows 3×3 at stride 1, with a padding of 2 at most:
// transforms of filters and of patches are multiplied as matrices, one for each of 36 points. A tile
// is 4×4 outputs; an image has as many as cover its positions.

/// The transforms `[36, filters, channels]` of some filters of `weight`, `[filters, channels, 3, 3]`.
/// If `reversed` is set, `weight` is `[channels, filters, 3, 3]` and each filter is turned around.
/// Of all pairs of a filter and a channel, takes `count` from `first` on.
void lcw_winograd_filters(
    float *transformed, const float *weight, ptrdiff_t filters, ptrdiff_t channels, int reversed,
    ptrdiff_t first, ptrdiff_t count);
/// The transforms `[36, channels, samples · tiles]` of the patches of some images. `scratch` has room
/// for a channel of each image with its padding, (4 · tiles + 2) high and wide.
void lcw_winograd_patches(
    float *transformed, const float *images, const lcw_windows_t *w, ptrdiff_t samples,
    float *scratch);
/// The outputs `[samples, filters, height, width]` from the products `[36, filters,
/// samples · tiles]`, with a bias for each filter (none if null), clipped at zero if `relu` is set.
void lcw_winograd_output(
    float *y, const float *products, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples, const float *_Nullable bias, int relu);

/// The transforms `[36, filters, samples · tiles]` of the gradients of some outputs: their products with
/// the transforms of the patches, summed over tiles, are those of the gradient of the filters.
void lcw_winograd_gradients(
    float *transformed, const float *gradient, const lcw_windows_t *w, ptrdiff_t filters,
    ptrdiff_t samples);
/// gradient ← carry · gradient + the gradient of the filters, `[filters, channels, 3, 3]`, from such
/// sums, `[parts, 36, pairs]`, which are added up in order. With a carry of 0 the old gradient is not
/// read. Of all pairs of a filter and a channel, takes `count` from `first` on.
void lcw_winograd_filter_gradient(
    float *gradient, float carry, const float *sums, ptrdiff_t parts, ptrdiff_t pairs,
    ptrdiff_t first, ptrdiff_t count);

/// The largest value of each window; padding counts as −infinity, a NaN as larger than all.
/// `channels` is not read: there are `planes`, whatever images they belong to.
void lcw_max_pool(float *y, const float *x, const lcw_windows_t *w, ptrdiff_t planes);
/// Overwrites `dx` with the gradients of `lcw_max_pool` of `x`: each goes to the first of the
/// window's largest values. A plane has fewer than 2³¹ elements.
void lcw_max_pool_backward(
    float *dx, const float *dy, const float *x, const lcw_windows_t *w, ptrdiff_t planes);
/// The sum of each window over the number of its values, those in the padding, which are zero, among
/// them if `padding_counts` is set. What a window has beyond the padding never counts.
void lcw_average_pool(
    float *y, const float *x, const lcw_windows_t *w, ptrdiff_t planes, int padding_counts);
/// Overwrites `dx` with the gradients of `lcw_average_pool`.
void lcw_average_pool_backward(
    float *dx, const float *dy, const lcw_windows_t *w, ptrdiff_t planes, int padding_counts);
/// y[p] ← the mean of n values of a plane.
void lcw_plane_means(float *y, const float *x, ptrdiff_t planes, ptrdiff_t n);
/// Overwrites `dx`, planes of n values, with the gradients of `lcw_plane_means`.
void lcw_plane_means_backward(float *dx, const float *dy, ptrdiff_t planes, ptrdiff_t n);

// MARK: normalisation

// Blocks `[samples, channels, positions]`; a vector has one position. Sums over samples and positions
// are in double precision.

/// The mean of each of `count` channels from `first_channel` on, and the mean of the squares around it.
void lcw_norm_moments(
    float *mean, float *variance, const float *x, ptrdiff_t samples, ptrdiff_t channels,
    ptrdiff_t positions, ptrdiff_t first_channel, ptrdiff_t count);
/// y ← x · factor + summand, which each channel has its own of, clipped at zero if `relu` is set.
void lcw_norm_scale(
    float *y, const float *x, const float *factor, const float *summand, ptrdiff_t samples,
    ptrdiff_t channels, ptrdiff_t positions, int relu);
/// Σ g and Σ g · (x − mean) of each of `count` channels from `first_channel` on.
void lcw_norm_backward_sums(
    float *sums, float *products, const float *g, const float *x, const float *mean,
    ptrdiff_t samples, ptrdiff_t channels, ptrdiff_t positions, ptrdiff_t first_channel,
    ptrdiff_t count);
/// g ← g · factor + (x · slope + summand), which each channel has its own of.
void lcw_norm_backward(
    float *g, const float *x, const float *factor, const float *slope, const float *summand,
    ptrdiff_t samples, ptrdiff_t channels, ptrdiff_t positions);

// MARK: losses

/// Softmax cross-entropy of each row of `logits` [rows, classes] against its label.
/// Adds the losses to `loss`, counts the rows whose largest logit (the first of equals) is the
/// label's in `correct`, and, where `gradient` is given, writes scale · (softmax − one-hot) there.
/// `gradient` may be `logits` itself. Rows with a NaN are never correct.
void lcw_softmax_cross_entropy(
    const float *logits, const int32_t *labels, ptrdiff_t rows, ptrdiff_t classes,
    double *loss, ptrdiff_t *correct, float *_Nullable gradient, float scale);

// MARK: assignment

// Costs are a matrix of rows one after another, of which each function takes one. A reduced cost
// is cost − potential of the column.

/// The most columns in a list of candidates.
#define LCW_CANDIDATES 16

/// The largest finite magnitude in a row. `refused` becomes the first column with NaN or −infinity,
/// or −1.
double lcw_costs_measure_f32(
    const float *costs, ptrdiff_t row, ptrdiff_t columns, ptrdiff_t *refused);
/// As `lcw_costs_measure_f32`.
double lcw_costs_measure_f64(
    const double *costs, ptrdiff_t row, ptrdiff_t columns, ptrdiff_t *refused);

/// Lowers the minima of the columns to the costs of a row, and notes the row where it did.
void lcw_costs_column_minima_f32(
    const float *costs, ptrdiff_t row, ptrdiff_t columns, double *minima, int32_t *rows);
/// As `lcw_costs_column_minima_f32`.
void lcw_costs_column_minima_f64(
    const double *costs, ptrdiff_t row, ptrdiff_t columns, double *minima, int32_t *rows);

/// Lists the columns of a row's smallest reduced costs, with their costs, and returns how many:
/// `LCW_CANDIDATES`, or all if there are no more. No other column's is below `bound`. Both
/// scratches have room for a row.
ptrdiff_t lcw_costs_candidates_f32(
    const float *costs, ptrdiff_t row, ptrdiff_t columns, const double *potentials,
    double *listCosts, int32_t *listColumns, double *bound, double *scratch,
    int32_t *scratchColumns);
/// As `lcw_costs_candidates_f32`.
ptrdiff_t lcw_costs_candidates_f64(
    const double *costs, ptrdiff_t row, ptrdiff_t columns, const double *potentials,
    double *listCosts, int32_t *listColumns, double *bound, double *scratch,
    int32_t *scratchColumns);

/// Two reduced costs and their columns, infinity and −1 for want of one.
typedef struct {
  double first, second;
  int32_t first_column, second_column;
} lcw_two_smallest_t;
/// The two smallest finite reduced costs of `count` entries from `start` on, of equals the first.
lcw_two_smallest_t lcw_two_smallest(
    const double *listCosts, const int32_t *listColumns, ptrdiff_t start, ptrdiff_t count,
    const double *potentials);

/// A step of Dijkstra's search: lowers each column's key to max(reduced cost + base, least) where
/// that is less and makes the row its predecessor there. Returns the smallest key, with the first
/// column that has it. Columns of potential −infinity and key infinity are out of the search.
double lcw_costs_relax_f32(
    const float *costs, ptrdiff_t row, ptrdiff_t columns, const double *potentials, double base,
    double least, double *keys, int32_t *predecessors, ptrdiff_t *column);
/// As `lcw_costs_relax_f32`.
double lcw_costs_relax_f64(
    const double *costs, ptrdiff_t row, ptrdiff_t columns, const double *potentials, double base,
    double least, double *keys, int32_t *predecessors, ptrdiff_t *column);

/// The first place in a list of columns whose key is at most `bound`, or `count`.
ptrdiff_t lcw_first_at_most(
    const double *keys, const int32_t *columns, ptrdiff_t count, double bound);

/// x ← max(x + norm + norms, 0), which makes squared distances of −2 times the inner products.
void lcw_distances_from_products(float *products, float norm, const float *norms, ptrdiff_t n);

// MARK: optimisers

/// v holds momentum · v + gradient: v ← v + decay · w, then w ← w − rate · v.
void lcw_sgd_step(float *w, float *v, float rate, float decay, ptrdiff_t n);

/// v ← momentum · v + share · g + decay · w, then w ← w − rate · v.
void lcw_shared_sgd_step(
    float *w, float *v, const float *g, float share, float momentum, float rate, float decay,
    ptrdiff_t n);
/// One step of Adam (Kingma and Ba 2015) with L2 decay; `correction1` = 1 − β₁ᵗ, likewise 2.
void lcw_adam_step(
    float *w, float *m, float *v, const float *g, float rate, float decay, float beta1,
    float beta2, float correction1, float correction2, float epsilon, ptrdiff_t n);

// MARK: conversion

/// y ← x · scale + offset, from bytes.
void lcw_bytes_to_floats(float *y, const uint8_t *x, float scale, float offset, ptrdiff_t n);
/// y = x · scale + offset, with a scale and an offset for each element.
void lcw_bytes_to_floats_each(
    float *y, const uint8_t *x, const float *scale, const float *offset, ptrdiff_t n);
/// IEEE half precision to single.
void lcw_half_to_float(float *y, const uint16_t *x, ptrdiff_t n);
/// Single precision to half, rounded to nearest even.
void lcw_float_to_half(uint16_t *y, const float *x, ptrdiff_t n);
/// bfloat16 to single precision.
void lcw_bfloat_to_float(float *y, const uint16_t *x, ptrdiff_t n);
/// Single precision to bfloat16, rounded to nearest even; NaN stays NaN.
void lcw_float_to_bfloat(uint16_t *y, const float *x, ptrdiff_t n);

// MARK: images of bytes

/// The image `[channels, height, width]` mirrored left to right if `flipped` is set, then seen through
/// a window of its own size that is moved by some rows and columns; outside of it is zero.
void lcw_shift_image(
    uint8_t *y, const uint8_t *x, ptrdiff_t channels, ptrdiff_t height, ptrdiff_t width,
    ptrdiff_t down, ptrdiff_t right, int flipped);

// MARK: byte planes

/// Splits `n` little-endian words of `width` bytes (2, 4 or 8) into `width` planes of `n` bytes,
/// the most significant byte first; with `rotate` each word is first rotated left by one bit.
/// Plane k starts at `planes + k · stride`.
void lcw_split_planes(
    uint8_t *planes, ptrdiff_t stride, const uint8_t *words, ptrdiff_t n, int width, int rotate);
/// The inverse of `lcw_split_planes`, of planes that may lie anywhere.
void lcw_join_planes(
    uint8_t *words, const uint8_t *_Nonnull const *_Nonnull planes, ptrdiff_t n, int width,
    int rotate);

/// Splits `n` words of 4 or 2 bytes with 8 bits of exponent (f32, bf16) as the transform `exp5`
/// does: `planes` has room for `width` planes of n bytes, of which all but the last are results,
/// `nibbles` for (n + 1) / 2 bytes, `signs` for (n + 7) / 8, and `escapes` for n + 1.
/// `base` is from 0 to 225. Returns the number of escapes.
ptrdiff_t lcw_split_exp5(
    uint8_t *planes, uint8_t *nibbles, uint8_t *signs, uint8_t *escapes, const uint8_t *words,
    ptrdiff_t n, int width, int base);
/// The inverse of `lcw_split_exp5`. Returns 0 if the number of escapes is not what the first plane
/// needs, and the words are of no use; otherwise 1.
int lcw_join_exp5(
    uint8_t *words, const uint8_t *_Nonnull const *_Nonnull planes, const uint8_t *nibbles,
    const uint8_t *signs, const uint8_t *escapes, ptrdiff_t escape_count, ptrdiff_t n,
    int width, int base);

// MARK: zstd frames without compression

/// The length of the frame that `lcw_write_stored_frame` makes of so many bytes, below 2³².
size_t lcw_stored_frame_length(size_t content);
/// Writes a zstd frame that holds the bytes as they are, with their number and their checksum.
void lcw_write_stored_frame(uint8_t *frame, const uint8_t *content, size_t n, uint32_t checksum);

/// Where a frame whose header is as the archive wants it, and states `content` bytes, holds them in one block as
/// they are; nothing for another frame, which libzstd has to read. The checksum is not looked at.
const uint8_t *_Nullable lcw_stored_content(const uint8_t *frame, size_t length, size_t content);

/// The checksums that zstd frames of `n` contents have: the lower 32 bits of XXH64 with seed 0.
void lcw_checksums(
    uint32_t *sums, const uint8_t *_Nonnull const *_Nonnull contents, const size_t *counts, size_t n);

// MARK: processor

/// The width of the vectors that the processor and the system have: 512 with AVX-512 as a Skylake server
/// has it, 256 with AVX2 and FMA, else 128; 128 on all that is not x86-64.
int lcw_vector_bits(void);

// MARK: memory

/// Asks the system for large pages where the bytes are about to be written for the first time.
void lcw_advise_large_pages(void *bytes, size_t n);
/// Lets the allocator keep what is freed, where it can be told so.
void lcw_keep_freed_memory(void);

#pragma clang assume_nonnull end

#include "flow.h"
#include "operations.h"
#include "tiles.h"
#include "vectors.h"
#include "direct_parts.h"
