// SPDX-License-Identifier: MIT
#pragma once

#include <stddef.h>

void vboard_tls_init(void);
size_t vboard_tls_used(void);
// What TLS finds: the system's own, and what the Python heap has not grown into.
size_t vboard_system_heap_free(void);
