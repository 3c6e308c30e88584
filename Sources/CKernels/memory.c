// SPDX-License-Identifier: Apache-2.0
#include "CKernels.h"
#if defined(__linux__)
#include <sys/mman.h>
#endif
#if defined(__GLIBC__)
#include <limits.h>
#include <malloc.h>
#endif

void lcw_advise_large_pages(void *bytes, size_t n) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  const uintptr_t page = (uintptr_t)1 << 21;
  if (n < page / 2) return;
  // The large pages at both ends as well: what lies besides in them keeps its content. The system
  // is free to do otherwise, so its answer does not matter.
  const uintptr_t start = (uintptr_t)bytes & ~(page - 1);
  const uintptr_t end = ((uintptr_t)bytes + n + page - 1) & ~(page - 1);
  madvise((void *)start, end - start, MADV_HUGEPAGE);
#else
  (void)bytes;
  (void)n;
#endif
}

void lcw_keep_freed_memory(void) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, INT_MAX);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}
