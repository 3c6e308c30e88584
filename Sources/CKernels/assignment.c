// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include <math.h>

// Every loop is written for both types of cost. Differences are always formed as
// (cost − potential) + base in double precision: rounding keeps order, so a bound on one part
// remains a bound after the sum.

// Results side by side, so that minima need no reduction across a vector.
#define LANES 32
#define BLOCKS 64

// The k-th smallest of n values, counted from 0, which change places (Hoare).
static double selected(double *x, ptrdiff_t n, ptrdiff_t k) {
  ptrdiff_t low = 0, high = n - 1;
  while (low < high) {
    const double pivot = x[low + (high - low) / 2];
    ptrdiff_t i = low, j = high;
    while (i <= j) {
      while (x[i] < pivot) i++;
      while (x[j] > pivot) j--;
      if (i <= j) {
        const double t = x[i];
        x[i++] = x[j];
        x[j--] = t;
      }
    }
    if (k <= j) {
      high = j;
    } else if (k >= i) {
      low = i;
    } else {
      break;
    }
  }
  return x[k];
}

#define MEASURE(NAME, TYPE)                                                                    \
  DISPATCHED double NAME(                                                                      \
      const TYPE *costs, ptrdiff_t row, ptrdiff_t columns, ptrdiff_t *refused) {               \
    const TYPE *c = costs + row * columns;                                                     \
    TYPE largest[LANES] = {0};                                                                 \
    int wrong = 0;                                                                             \
    const ptrdiff_t whole = columns / LANES * LANES;                                           \
    for (ptrdiff_t j = 0; j < whole; j += LANES)                                               \
      for (int b = 0; b < LANES; b++) {                                                        \
        const TYPE x = c[j + b], size = x < 0 ? -x : x;                                        \
        wrong |= !(x > (TYPE)-INFINITY);                                                       \
        largest[b] = size > largest[b] && size < (TYPE)INFINITY ? size : largest[b];           \
      }                                                                                        \
    for (ptrdiff_t j = whole; j < columns; j++) {                                              \
      const TYPE x = c[j], size = x < 0 ? -x : x;                                              \
      wrong |= !(x > (TYPE)-INFINITY);                                                         \
      largest[0] = size > largest[0] && size < (TYPE)INFINITY ? size : largest[0];             \
    }                                                                                          \
    *refused = -1;                                                                             \
    for (ptrdiff_t j = 0; wrong && *refused < 0; j++)                                          \
      if (!(c[j] > (TYPE)-INFINITY)) *refused = j;                                             \
    double result = 0;                                                                         \
    for (int b = 0; b < LANES; b++) result = largest[b] > result ? largest[b] : result;        \
    return result;                                                                             \
  }
MEASURE(lcw_costs_measure_f32, float)
MEASURE(lcw_costs_measure_f64, double)

#define COLUMN_MINIMA(NAME, TYPE)                                                              \
  DISPATCHED void NAME(                                                                        \
      const TYPE *costs, ptrdiff_t row, ptrdiff_t columns, double *minima, int32_t *rows) {    \
    const TYPE *c = costs + row * columns;                                                     \
    for (ptrdiff_t j = 0; j < columns; j++) {                                                  \
      const double x = c[j];                                                                   \
      const int less = x < minima[j];                                                          \
      minima[j] = less ? x : minima[j];                                                        \
      rows[j] = less ? (int32_t)row : rows[j];                                                 \
    }                                                                                          \
  }
COLUMN_MINIMA(lcw_costs_column_minima_f32, float)
COLUMN_MINIMA(lcw_costs_column_minima_f64, double)

// The smallest of each of 64 interleaved parts of the row: the k-th smallest of these has at least
// k columns at or below it, and few more, so that one more pass finds the candidates.
#define CANDIDATES(NAME, TYPE)                                                                 \
  DISPATCHED ptrdiff_t NAME(                                                                   \
      const TYPE *costs, ptrdiff_t row, ptrdiff_t columns, const double *potentials,           \
      double *listCosts, int32_t *listColumns, double *bound, double *scratch,                 \
      int32_t *scratchColumns) {                                                               \
    const TYPE *c = costs + row * columns;                                                     \
    if (columns <= LCW_CANDIDATES) {                                                           \
      for (ptrdiff_t j = 0; j < columns; j++) {                                                \
        listCosts[j] = c[j];                                                                   \
        listColumns[j] = (int32_t)j;                                                           \
      }                                                                                        \
      *bound = INFINITY;                                                                       \
      return columns;                                                                          \
    }                                                                                          \
    double parts[BLOCKS];                                                                      \
    for (int b = 0; b < BLOCKS; b++) parts[b] = INFINITY;                                      \
    ptrdiff_t j = 0;                                                                           \
    for (; j + BLOCKS <= columns; j += BLOCKS)                                                 \
      for (int b = 0; b < BLOCKS; b++) {                                                       \
        const double h = (double)c[j + b] - potentials[j + b];                                 \
        parts[b] = h < parts[b] ? h : parts[b];                                                \
      }                                                                                        \
    for (int b = 0; j + b < columns; b++) {                                                    \
      const double h = (double)c[j + b] - potentials[j + b];                                   \
      parts[b] = h < parts[b] ? h : parts[b];                                                  \
    }                                                                                          \
    const double level = selected(parts, BLOCKS, LCW_CANDIDATES - 1);                          \
    ptrdiff_t found = 0;                                                                       \
    for (j = 0; j < columns; j += LANES) {                                                     \
      const ptrdiff_t end = j + LANES < columns ? j + LANES : columns;                         \
      int any = end - j < LANES;                                                               \
      if (!any)                                                                                \
        for (int b = 0; b < LANES; b++) any |= (double)c[j + b] - potentials[j + b] <= level;  \
      for (ptrdiff_t k = j; any && k < end; k++) {                                             \
        const double h = (double)c[k] - potentials[k];                                         \
        if (h <= level) {                                                                      \
          scratch[found] = h;                                                                  \
          scratchColumns[found++] = (int32_t)k;                                                \
        }                                                                                      \
      }                                                                                        \
    }                                                                                          \
    double limit = level;                                                                      \
    if (found > LCW_CANDIDATES) {                                                              \
      limit = selected(scratch, found, LCW_CANDIDATES);                                        \
    }                                                                                          \
    /* Those below the limit first; of those at the limit the first columns, while there is    \
       room. */                                                                                \
    ptrdiff_t count = 0;                                                                       \
    for (int at = 0; at < 2; at++)                                                             \
      for (ptrdiff_t k = 0; k < found && count < LCW_CANDIDATES; k++) {                        \
        const int32_t column = scratchColumns[k];                                              \
        const double h = (double)c[column] - potentials[column];                               \
        if (at ? h == limit : h < limit) {                                                     \
          listCosts[count] = c[column];                                                        \
          listColumns[count++] = column;                                                       \
        }                                                                                      \
      }                                                                                        \
    *bound = limit;                                                                            \
    return count;                                                                              \
  }
CANDIDATES(lcw_costs_candidates_f32, float)
CANDIDATES(lcw_costs_candidates_f64, double)

lcw_two_smallest_t lcw_two_smallest(
    const double *listCosts, const int32_t *listColumns, ptrdiff_t start, ptrdiff_t count,
    const double *potentials) {
  lcw_two_smallest_t r = {INFINITY, INFINITY, -1, -1};
  for (ptrdiff_t k = start; k < start + count; k++) {
    const int32_t column = listColumns[k];
    const double h = listCosts[k] - potentials[column];
    if (h < r.first) {
      r.second = r.first;
      r.second_column = r.first_column;
      r.first = h;
      r.first_column = column;
    } else if (h < r.second) {
      r.second = h;
      r.second_column = column;
    }
  }
  return r;
}

#define RELAX(NAME, TYPE)                                                                      \
  DISPATCHED double NAME(                                                                      \
      const TYPE *costs, ptrdiff_t row, ptrdiff_t columns, const double *restrict potentials,  \
      double base, double least, double *restrict keys, int32_t *restrict predecessors,        \
      ptrdiff_t *column) {                                                                     \
    const TYPE *restrict c = costs + row * columns;                                            \
    const int32_t i = (int32_t)row;                                                            \
    double smallest[LANES];                                                                    \
    for (int b = 0; b < LANES; b++) smallest[b] = INFINITY;                                    \
    const ptrdiff_t whole = columns / LANES * LANES;                                           \
    for (ptrdiff_t j = 0; j < whole; j += LANES)                                               \
      for (int b = 0; b < LANES; b++) {                                                        \
        double h = ((double)c[j + b] - potentials[j + b]) + base;                              \
        h = h < least ? least : h;                                                             \
        const double key = keys[j + b], next = h < key ? h : key;                              \
        predecessors[j + b] = h < key ? i : predecessors[j + b];                               \
        keys[j + b] = next;                                                                    \
        smallest[b] = next < smallest[b] ? next : smallest[b];                                 \
      }                                                                                        \
    for (ptrdiff_t j = whole; j < columns; j++) {                                              \
      double h = ((double)c[j] - potentials[j]) + base;                                        \
      h = h < least ? least : h;                                                               \
      const double key = keys[j], next = h < key ? h : key;                                    \
      predecessors[j] = h < key ? i : predecessors[j];                                         \
      keys[j] = next;                                                                          \
      smallest[0] = next < smallest[0] ? next : smallest[0];                                   \
    }                                                                                          \
    double result = INFINITY;                                                                  \
    for (int b = 0; b < LANES; b++) result = smallest[b] < result ? smallest[b] : result;      \
    ptrdiff_t j = 0;                                                                           \
    for (; j < whole; j += LANES) {                                                            \
      int any = 0;                                                                             \
      for (int b = 0; b < LANES; b++) any |= keys[j + b] == result;                            \
      if (any) break;                                                                          \
    }                                                                                          \
    while (j < columns && keys[j] != result) j++;                                              \
    *column = j;                                                                               \
    return result;                                                                             \
  }
RELAX(lcw_costs_relax_f32, float)
RELAX(lcw_costs_relax_f64, double)

DISPATCHED ptrdiff_t lcw_first_at_most(
    const double *keys, const int32_t *columns, ptrdiff_t count, double bound) {
  ptrdiff_t k = 0;
  for (; k + LANES <= count; k += LANES) {
    int any = 0;
    for (int b = 0; b < LANES; b++) any |= keys[columns[k + b]] <= bound;
    if (any) break;
  }
  while (k < count && keys[columns[k]] > bound) k++;
  return k;
}

DISPATCHED void lcw_distances_from_products(
    float *products, float norm, const float *norms, ptrdiff_t n) {
  for (ptrdiff_t j = 0; j < n; j++) {
    const float x = products[j] + (norm + norms[j]);
    products[j] = x < 0 ? 0 : x;
  }
}
