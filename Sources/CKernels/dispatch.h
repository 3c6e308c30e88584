// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "CKernels.h"

// One body, compiled for each instruction set and chosen when the program starts. Elsewhere than
// on x86-64 Linux the compiler's baseline has the vectors that matter already.
#if defined(__x86_64__) && defined(__linux__)
#define DISPATCHED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DISPATCHED
#endif

// Products and sums may fuse, and sums may be reordered: the order is fixed by the build, so that
// results repeat on one machine. Which product of a sum fuses may differ between a vector loop and the
// scalar one that runs where pointers could overlap; so the pointers of such loops are `restrict`, or
// the bits would depend on where arrays lie.
#define FAST_SUMS _Pragma("clang fp contract(fast) reassociate(on)")
#define FUSED _Pragma("clang fp contract(fast)")
