// SPDX-License-Identifier: MIT
#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/types.h>

#define LWIP_ERRNO_STDINCLUDE 1
// As CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_DISABLE of MicroPython's sdkconfig has it.
#define LWIP_NOASSERT

typedef unsigned int sys_prot_t;

uint32_t host_random(void);
void *host_malloc(size_t size);
void *host_calloc(size_t count, size_t size);
