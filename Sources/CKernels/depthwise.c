// SPDX-License-Identifier: Apache-2.0
#include "phases.h"

// Loops run to a multiple of this, into what follows.
#define STEP 16
#define TAPS 9

static inline ptrdiff_t rounded(ptrdiff_t n) { return (n + STEP - 1) / STEP * STEP; }

// Images that a channel is taken of at once, so that loops are long where images are small: those of
// each phase follow each other.
static inline ptrdiff_t images_at_once(const layout_t *l) {
  const ptrdiff_t images = 1024 / l->size;
  return images < 1 ? 1 : images;
}

// Where the elements of a window lie: the phase of each, and behind them its place there.
static ptrdiff_t *tap_table(float *scratch, const lcw_windows_t *w, const layout_t *l) {
  ptrdiff_t *table = (ptrdiff_t *)scratch;
  const ptrdiff_t area = w->kernel_height * w->kernel_width;
  for (ptrdiff_t k = 0; k < area; k++) {
    const ptrdiff_t ky = k / w->kernel_width, kx = k % w->kernel_width;
    table[k] = phase_of(w, ky, kx);
    table[area + k] = place_of(w, l, ky, kx);
  }
  return table;
}
static inline ptrdiff_t table_size(const lcw_windows_t *w) {
  return 2 * w->kernel_height * w->kernel_width * (ptrdiff_t)(sizeof(ptrdiff_t) / sizeof(float));
}

// The parts of the memory behind that table: the phases, outputs with room before them, and a phase.
static inline ptrdiff_t outputs_start(const layout_t *l) {
  return l->phases * images_at_once(l) * l->size + STEP + l->reach;
}
static inline ptrdiff_t phase_start(const layout_t *l) {
  return outputs_start(l) + rounded(images_at_once(l) * l->size) + STEP;
}

ptrdiff_t lcw_depthwise_scratch(const lcw_windows_t *w) {
  const layout_t l = layout(w);
  return table_size(w) + phase_start(&l) + rounded(images_at_once(&l) * l.size);
}

// out ← start + Σ w[k] · p[k], or out + Σ w[k] · p[k] if `adds` is set. `n` is a multiple of STEP.
INLINED void nine_taps(
    float *restrict out, const float *const *p, const float *w, ptrdiff_t n, float start,
    const int adds) {
  FUSED
  __builtin_assume(n % STEP == 0);
  const float *p0 = p[0], *p1 = p[1], *p2 = p[2], *p3 = p[3], *p4 = p[4], *p5 = p[5];
  const float *p6 = p[6], *p7 = p[7], *p8 = p[8];
  const float w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3], w4 = w[4], w5 = w[5], w6 = w[6];
  const float w7 = w[7], w8 = w[8];
  for (ptrdiff_t i = 0; i < n; i++) {
    float v = adds ? out[i] : start;
    v += w0 * p0[i];
    v += w1 * p1[i];
    v += w2 * p2[i];
    v += w3 * p3[i];
    v += w4 * p4[i];
    v += w5 * p5[i];
    v += w6 * p6[i];
    v += w7 * p7[i];
    v += w8 * p8[i];
    out[i] = v;
  }
}

INLINED void three_taps(
    float *restrict out, const float *const *p, const float *w, ptrdiff_t n, float start,
    const int adds) {
  FUSED
  __builtin_assume(n % STEP == 0);
  const float *p0 = p[0], *p1 = p[1], *p2 = p[2];
  const float w0 = w[0], w1 = w[1], w2 = w[2];
  for (ptrdiff_t i = 0; i < n; i++) {
    float v = adds ? out[i] : start;
    v += w0 * p0[i];
    v += w1 * p1[i];
    v += w2 * p2[i];
    out[i] = v;
  }
}

INLINED void one_tap(
    float *restrict out, const float *p, float w, ptrdiff_t n, float start, const int adds) {
  FUSED
  __builtin_assume(n % STEP == 0);
  for (ptrdiff_t i = 0; i < n; i++) out[i] = (adds ? out[i] : start) + w * p[i];
}

// The sum over some taps. The first ones start from `start`.
INLINED void add_taps(
    float *out, const float *const *p, const float *w, ptrdiff_t count, ptrdiff_t n, float start,
    int adds) {
  if (count == TAPS) {
    if (adds) nine_taps(out, p, w, n, start, 1);
    else nine_taps(out, p, w, n, start, 0);
    return;
  }
  ptrdiff_t k = 0;
  for (; k + 3 <= count; k += 3, adds = 1) {
    if (adds) three_taps(out, p + k, w + k, n, start, 1);
    else three_taps(out, p + k, w + k, n, start, 0);
  }
  for (; k < count; k++, adds = 1) {
    if (adds) one_tap(out, p[k], w[k], n, start, 1);
    else one_tap(out, p[k], w[k], n, start, 0);
  }
}

// sums[k] ← sums[k] + ⟨g, p[k]⟩ for nine taps or fewer.
INLINED void add_products(
    float *sums, const float *g, const float *const *p, ptrdiff_t count, ptrdiff_t n) {
  FAST_SUMS
  __builtin_assume(n % STEP == 0);
  ptrdiff_t k = 0;
  for (; k + 3 <= count; k += 3) {
    const float *p0 = p[k], *p1 = p[k + 1], *p2 = p[k + 2];
    float s0 = 0, s1 = 0, s2 = 0;
    for (ptrdiff_t i = 0; i < n; i++) {
      s0 += g[i] * p0[i];
      s1 += g[i] * p1[i];
      s2 += g[i] * p2[i];
    }
    sums[k] += s0;
    sums[k + 1] += s1;
    sums[k + 2] += s2;
  }
  for (; k < count; k++) {
    const float *q = p[k];
    float s = 0;
    for (ptrdiff_t i = 0; i < n; i++) s += g[i] * q[i];
    sums[k] += s;
  }
}

DISPATCHED void lcw_depthwise(
    float *y, const float *x, const float *weight, const float *bias, const lcw_windows_t *w,
    ptrdiff_t multiplier, ptrdiff_t samples, ptrdiff_t first, ptrdiff_t count, int relu,
    float *scratch) {
  const layout_t l = layout(w);
  const ptrdiff_t area = w->kernel_height * w->kernel_width, most = images_at_once(&l);
  const ptrdiff_t positions = w->out_height * w->out_width, plane = w->height * w->width;
  const ptrdiff_t stride = most * l.size;
  memset(scratch, 0, sizeof(float) * (size_t)lcw_depthwise_scratch(w));
  const ptrdiff_t *phase_numbers = tap_table(scratch, w, &l), *table = phase_numbers + area;
  scratch += table_size(w);
  float *sums = scratch + outputs_start(&l);
  for (ptrdiff_t c = first; c < first + count; c++) {
    for (ptrdiff_t start = 0; start < samples; start += most) {
      const ptrdiff_t images = samples - start < most ? samples - start : most;
      const ptrdiff_t n = rounded((images - 1) * l.size + l.count);
      for (ptrdiff_t s = 0; s < images; s++)
        pack(
            scratch + s * l.size, stride, x + ((start + s) * w->channels + c) * plane, w, &l);
      for (ptrdiff_t m = 0; m < multiplier; m++) {
        const ptrdiff_t filter = c * multiplier + m;
        const float *taps = weight + filter * area;
        const float *p[TAPS];
        ptrdiff_t held = 0, done = 0;
        for (ptrdiff_t k = 0; k < area; k++) {
          p[held++] = scratch + phase_numbers[k] * stride + table[k];
          if (held < TAPS && k + 1 < area) continue;
          add_taps(sums, p, taps + done, held, n, bias ? bias[filter] : 0, done > 0);
          done += held;
          held = 0;
        }
        for (ptrdiff_t s = 0; s < images; s++) {
          float *to = y
              + (((start + s) * w->channels + c) * multiplier + m) * positions;
          for (ptrdiff_t row = 0; row < w->out_height; row++, to += w->out_width) {
            const float *from = sums + s * l.size + row * l.width;
            if (relu) {
              for (ptrdiff_t i = 0; i < w->out_width; i++) to[i] = from[i] < 0 ? 0 : from[i];
            } else {
              for (ptrdiff_t i = 0; i < w->out_width; i++) to[i] = from[i];
            }
          }
        }
      }
    }
  }
}

// Writes the gradients of one filter of some images, and returns their sum.
INLINED float widen_images(
    float *to, const float *g, const float *clipped, ptrdiff_t start, ptrdiff_t step,
    ptrdiff_t images, const lcw_windows_t *w, const layout_t *l) {
  float sum = 0;
  for (ptrdiff_t s = 0; s < images; s++) {
    const ptrdiff_t at = start + s * step;
    sum += widen(to + s * l->size, g + at, clipped ? clipped + at : NULL, w, l);
  }
  // Images of an earlier part that had more of them.
  const ptrdiff_t end = images * l->size, most = rounded(images_at_once(l) * l->size);
  if (images < images_at_once(l)) memset(to + end, 0, sizeof(float) * (size_t)(most - end));
  return sum;
}

DISPATCHED void lcw_depthwise_backward(
    float *dx, float *weight_gradient, float *bias_gradient, const float *g, const float *clipped,
    const float *x, const float *weight, const lcw_windows_t *w, ptrdiff_t multiplier,
    ptrdiff_t samples, ptrdiff_t first, ptrdiff_t count, float *scratch) {
  const layout_t l = layout(w);
  const ptrdiff_t area = w->kernel_height * w->kernel_width, most = images_at_once(&l);
  const ptrdiff_t positions = w->out_height * w->out_width, plane = w->height * w->width;
  const ptrdiff_t stride = most * l.size, step = w->channels * multiplier * positions;
  memset(scratch, 0, sizeof(float) * (size_t)lcw_depthwise_scratch(w));
  const ptrdiff_t *phase_numbers = tap_table(scratch, w, &l), *table = phase_numbers + area;
  scratch += table_size(w);
  float *outputs = scratch + outputs_start(&l), *phase = scratch + phase_start(&l);
  const float *p[TAPS];
  float taps[TAPS];
  for (ptrdiff_t c = first; c < first + count; c++) {
    for (ptrdiff_t start = 0; start < samples; start += most) {
      const ptrdiff_t images = samples - start < most ? samples - start : most;
      const ptrdiff_t n = rounded(images * l.size);
      const ptrdiff_t number = start * w->channels + c;
      for (ptrdiff_t s = 0; s < images; s++)
        pack(scratch + s * l.size, stride, x + (number + s * w->channels) * plane, w, &l);
      for (ptrdiff_t m = 0; m < multiplier; m++) {
        const ptrdiff_t filter = c * multiplier + m;
        const float sum = widen_images(
            outputs, g, clipped, (number * multiplier + m) * positions, step, images, w, &l);
        if (bias_gradient) bias_gradient[filter] += sum;
        ptrdiff_t held = 0, done = 0;
        for (ptrdiff_t k = 0; k < area; k++) {
          p[held++] = scratch + phase_numbers[k] * stride + table[k];
          if (held < TAPS && k + 1 < area) continue;
          add_products(
              weight_gradient + filter * area + done, outputs, p, held,
              rounded((images - 1) * l.size + l.count));
          done += held;
          held = 0;
        }
      }
      if (!dx) continue;
      for (ptrdiff_t each = 0; each < l.phases; each++) {
        int adds = 0;
        for (ptrdiff_t m = 0; m < multiplier; m++) {
          const ptrdiff_t filter = c * multiplier + m;
          if (multiplier > 1)
            widen_images(
                outputs, g, clipped, (number * multiplier + m) * positions, step, images, w, &l);
          ptrdiff_t held = 0;
          for (ptrdiff_t k = 0; k < area; k++) {
            if (phase_numbers[k] == each) {
              p[held] = outputs - table[k];
              taps[held++] = weight[filter * area + k];
            }
            if (held == TAPS || (k == area - 1 && held > 0)) {
              add_taps(phase, p, taps, held, n, 0, adds);
              adds = 1;
              held = 0;
            }
          }
        }
        if (!adds) memset(phase, 0, sizeof(float) * (size_t)n);
        for (ptrdiff_t s = 0; s < images; s++)
          unpack(
              dx + (number + s * w->channels) * plane, phase + s * l.size, each, w, &l);
      }
    }
  }
}
