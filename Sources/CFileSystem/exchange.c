// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CFileSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

int lcw_exchange_names(const char *a, const char *b) {
#if defined(SYS_renameat2)
  // 2 is RENAME_EXCHANGE of linux/fs.h.
  return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2);
#else
  (void)a;
  (void)b;
  errno = ENOSYS;
  return -1;
#endif
}
