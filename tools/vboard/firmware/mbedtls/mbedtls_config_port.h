// SPDX-License-Identifier: MIT
// MicroPython 1.27 and later ask for it by this name, where they would have randomness themselves.
#include "board.h"

#undef MBEDTLS_ENTROPY_HARDWARE_ALT  // tls_memory.c
