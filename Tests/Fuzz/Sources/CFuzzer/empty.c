// SPDX-License-Identifier: Apache-2.0
// SwiftPM wants a source file in each C target; the functions are those of libFuzzer.
#include "CFuzzer.h"
