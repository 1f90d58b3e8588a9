// SPDX-License-Identifier: MIT
// Serial line and time as the interpreter wants them.
#include <errno.h>

#include "esp_random.h"
#include "extmod/misc.h"
#include "mpthreadport.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"

#define TICK_US 10000

// An UART has no flow control: what does not fit is lost. This is more than a board has, as a host
// is faster than a line.
static uint8_t stdin_data[65535];
ringbuf_t stdin_ringbuf = {stdin_data, sizeof(stdin_data), 0, 0};

void vboard_serial_received(const uint8_t *data, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (data[i] == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            ringbuf_put(&stdin_ringbuf, data[i]);
        }
    }
    host_wake();
}

// Only the main thread is woken by events; others sleep to the tick's end.
static void wait_until(int64_t until_us) {
    if (vboard_is_main_thread()) {
        host_wait(until_us);
    } else {
        host_sleep_us(until_us - host_now_us());
    }
}

void vboard_wait_tick(void) {
    wait_until((host_now_us() / TICK_US + 1) * TICK_US);
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    uintptr_t ready = mp_os_dupterm_poll(flags) | (flags & MP_STREAM_POLL_WR);
    if ((flags & MP_STREAM_POLL_RD) && ringbuf_peek(&stdin_ringbuf) != -1) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = ringbuf_get(&stdin_ringbuf);
        if (c != -1) {
            return c;
        }
        MICROPY_EVENT_POLL_HOOK
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *text, size_t length) {
    bool release = length > MICROPY_PY_STRING_TX_GIL_THRESHOLD;
    if (release) {
        MP_THREAD_GIL_EXIT();
    }
    host_serial_write((const uint8_t *)text, length);
    if (release) {
        MP_THREAD_GIL_ENTER();
    }
    int taken = mp_os_dupterm_tx_strn(text, length);
    return taken >= 0 ? MIN((mp_uint_t)taken, length) : length;
}

// Its argument is of another type in MicroPython 1.28, with the same two values.
void vboard_handle_pending(void) {
    mp_handle_pending(true);
}

void mp_hal_get_random(size_t n, uint8_t *buf) {
    while (n--) {
        *buf++ = esp_random();
    }
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (uint32_t)(host_now_us() / 1000);
}

mp_uint_t mp_hal_ticks_us(void) {
    return (uint32_t)host_now_us();
}

void mp_hal_delay_ms(mp_uint_t ms) {
    int64_t until = host_now_us() + ms * 1000LL;
    for (;;) {
        vboard_handle_pending();
        MICROPY_PY_SOCKET_EVENTS_HANDLER
        int64_t tick = (host_now_us() / TICK_US + 1) * TICK_US;
        MP_THREAD_GIL_EXIT();
        if (until < tick) {
            host_yield();
        }
        if (host_now_us() < until) {
            wait_until(MIN(tick, until));
        }
        MP_THREAD_GIL_ENTER();
        if (host_now_us() >= until) {
            return;
        }
    }
}

void mp_hal_delay_us(mp_uint_t us) {
    int64_t until = host_now_us() + us;
    while (until - host_now_us() > 10000) {
        vboard_handle_pending();
        host_sleep_us(5000);
    }
    while (host_now_us() < until) {
        // A sleep would last longer.
    }
}

uint64_t mp_hal_time_ns(void) {
    return host_clock_us() * 1000;
}
