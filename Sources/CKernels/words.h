// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

// Words stand in little-endian order whatever the host's.
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FROM_LITTLE(type, word) (word)
#else
#define FROM_LITTLE(type, word) swapped_##type(word)
static inline uint16_t swapped_uint16_t(uint16_t word) { return __builtin_bswap16(word); }
static inline uint32_t swapped_uint32_t(uint32_t word) { return __builtin_bswap32(word); }
static inline uint64_t swapped_uint64_t(uint64_t word) { return __builtin_bswap64(word); }
#endif
