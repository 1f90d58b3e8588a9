// SPDX-License-Identifier: MIT
#pragma once

#include "host.h"
#include "py/ringbuf.h"
#include "shared/runtime/interrupt_char.h"

#define MICROPY_PLATFORM_VERSION "vboard"
#define MICROPY_PY_STRING_TX_GIL_THRESHOLD (20)

extern ringbuf_t stdin_ringbuf;

static inline mp_uint_t vboard_begin_atomic(void) {
    host_lock();
    return 0;
}

static inline void vboard_end_atomic(mp_uint_t state) {
    (void)state;
    host_unlock();
}

#define MICROPY_BEGIN_ATOMIC_SECTION() vboard_begin_atomic()
#define MICROPY_END_ATOMIC_SECTION(state) vboard_end_atomic(state)

void mp_hal_set_interrupt_char(int c);

static inline mp_uint_t mp_hal_ticks_cpu(void) {
    return (uint32_t)(host_now_us() * 240);
}
