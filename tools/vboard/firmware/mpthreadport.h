// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

// First come, first served: the GIL goes round, as it does among FreeRTOS tasks of one priority.
typedef struct {
    uint32_t next, serving;
} mp_thread_mutex_t;

void mp_thread_init(void *stack_top);
void mp_thread_gc_others(void);
void mp_thread_deinit(void);
bool vboard_is_main_thread(void);
