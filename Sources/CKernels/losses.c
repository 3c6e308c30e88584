// SPDX-License-Identifier: Apache-2.0
#include "dispatch.h"
#include <math.h>

DISPATCHED void lcw_softmax_cross_entropy(
    const float *logits, const int32_t *labels, ptrdiff_t rows, ptrdiff_t classes, double *loss,
    ptrdiff_t *correct, float *gradient, float scale) {
  double total = 0;
  ptrdiff_t hits = 0;
  for (ptrdiff_t i = 0; i < rows; i++) {
    const float *z = logits + i * classes;
    const int32_t label = labels[i];
    float largest = z[0];
    ptrdiff_t best = 0;
    int unordered = z[0] != z[0];
    for (ptrdiff_t j = 1; j < classes; j++) {
      unordered |= z[j] != z[j];
      if (z[j] > largest) {
        largest = z[j];
        best = j;
      }
    }
    const float target = z[label];
    float sum = 0;
    if (gradient) {
      float *g = gradient + i * classes;
      for (ptrdiff_t j = 0; j < classes; j++) {
        float e = expf(z[j] - largest);
        g[j] = e;
        sum += e;
      }
      const float factor = scale / sum;
      for (ptrdiff_t j = 0; j < classes; j++) g[j] *= factor;
      g[label] -= scale;
    } else {
      for (ptrdiff_t j = 0; j < classes; j++) sum += expf(z[j] - largest);
    }
    // The difference first: next to a large logit the logarithm would be lost.
    total += ((double)largest - (double)target) + log((double)sum);
    hits += best == label && !unordered;
  }
  *loss += total;
  *correct += hits;
}
