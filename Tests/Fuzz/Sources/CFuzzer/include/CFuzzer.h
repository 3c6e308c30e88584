// SPDX-License-Identifier: Apache-2.0
// What libFuzzer offers to programs that have a main function of their own.
#ifndef LCW_CFUZZER_H
#define LCW_CFUZZER_H

#include <stddef.h>
#include <stdint.h>

/// Runs the fuzzer with a program's arguments.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));

/// Changes bytes in place as libFuzzer by itself would, and gives their new number.
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#endif
