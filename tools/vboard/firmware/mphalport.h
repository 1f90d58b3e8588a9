// SPDX-License-Identifier: MIT
#pragma once

#include "host.h"
#include "py/obj.h"
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
void mp_hal_get_random(size_t n, uint8_t *buf);

static inline mp_uint_t mp_hal_ticks_cpu(void) {
    return (uint32_t)(host_now_us() * 240);
}

// network_lan.c: the pins of a PHY, as on an ESP32 by their numbers.
#define mp_hal_pin_obj_t int
#define mp_hal_get_pin_obj machine_pin_get_id
#define mp_hal_pin_read vboard_pin_read
#define mp_hal_pin_write vboard_pin_write
#define mp_hal_pin_output vboard_pin_output
int machine_pin_get_id(mp_obj_t pin);
int vboard_pin_read(int pin);
void vboard_pin_write(int pin, int value);
void vboard_pin_output(int pin);
