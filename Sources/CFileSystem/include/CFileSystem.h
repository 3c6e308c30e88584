// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Exchanges the names of two files in one step. Returns 0, or -1 with errno, which is ENOSYS where
/// the system has no such call.
int lcw_exchange_names(const char *a, const char *b);
