// SPDX-License-Identifier: MIT
// The machine module, as far as there is a machine. Included by extmod/modmachine.c.
#include "host.h"
#include "modmachine.h"
#include "py/mphal.h"

#ifndef MP_NORETURN
// MicroPython 1.25.
#define MP_NORETURN NORETURN
#endif

// As ESP-IDF numbers what wakes from sleep.
enum { WAKE_PIN = 2, WAKE_EXT1, WAKE_TIMER, WAKE_TOUCHPAD, WAKE_ULP };

static bool soft_reset;
static mp_int_t frequency = 160000000;

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_sleep), MP_ROM_PTR(&machine_lightsleep_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_Pin), MP_ROM_PTR(&machine_pin_type) }, \
    { MP_ROM_QSTR(MP_QSTR_RTC), MP_ROM_PTR(&machine_rtc_type) }, \
    { MP_ROM_QSTR(MP_QSTR_Timer), MP_ROM_PTR(&machine_timer_type) }, \
    { MP_ROM_QSTR(MP_QSTR_WDT), MP_ROM_PTR(&vboard_wdt_type) }, \
    { MP_ROM_QSTR(MP_QSTR_wake_reason), MP_ROM_PTR(&machine_wake_reason_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_SLEEP), MP_ROM_INT(2) }, \
    { MP_ROM_QSTR(MP_QSTR_DEEPSLEEP), MP_ROM_INT(4) }, \
    { MP_ROM_QSTR(MP_QSTR_HARD_RESET), MP_ROM_INT(RESET_HARD) }, \
    { MP_ROM_QSTR(MP_QSTR_PWRON_RESET), MP_ROM_INT(RESET_POWER_ON) }, \
    { MP_ROM_QSTR(MP_QSTR_WDT_RESET), MP_ROM_INT(RESET_WATCHDOG) }, \
    { MP_ROM_QSTR(MP_QSTR_DEEPSLEEP_RESET), MP_ROM_INT(RESET_DEEP_SLEEP) }, \
    { MP_ROM_QSTR(MP_QSTR_SOFT_RESET), MP_ROM_INT(RESET_SOFT) }, \
    { MP_ROM_QSTR(MP_QSTR_PIN_WAKE), MP_ROM_INT(WAKE_PIN) }, \
    { MP_ROM_QSTR(MP_QSTR_EXT0_WAKE), MP_ROM_INT(WAKE_PIN) }, \
    { MP_ROM_QSTR(MP_QSTR_EXT1_WAKE), MP_ROM_INT(WAKE_EXT1) }, \
    { MP_ROM_QSTR(MP_QSTR_TIMER_WAKE), MP_ROM_INT(WAKE_TIMER) }, \
    { MP_ROM_QSTR(MP_QSTR_TOUCHPAD_WAKE), MP_ROM_INT(WAKE_TOUCHPAD) }, \
    { MP_ROM_QSTR(MP_QSTR_ULP_WAKE), MP_ROM_INT(WAKE_ULP) },

void vboard_machine_deinit(void) {
    vboard_timers_deinit();
    vboard_pins_deinit();
    soft_reset = true;
}

static mp_obj_t mp_machine_get_freq(void) {
    return mp_obj_new_int(frequency);
}

static void mp_machine_set_freq(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    mp_int_t mhz = mp_obj_get_int(args[0]) / 1000000;
    if (mhz != 20 && mhz != 40 && mhz != 80 && mhz != 160 && mhz != 240) {
        mp_raise_ValueError(
            MP_ERROR_TEXT("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz"));
    }
    frequency = mhz * 1000000;
}

// Without a time nothing wakes the board but the reset button.
static void sleep_for(size_t n_args, const mp_obj_t *args) {
    int64_t ms = n_args ? mp_obj_get_int(args[0]) : INT32_MAX;
    MP_THREAD_GIL_EXIT();
    host_sleep_us(ms * 1000);
    MP_THREAD_GIL_ENTER();
}

static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    sleep_for(n_args, args);
}

MP_NORETURN static void mp_machine_deepsleep(size_t n_args, const mp_obj_t *args) {
    sleep_for(n_args, args);
    host_reset(RESET_DEEP_SLEEP);
}

MP_NORETURN static void mp_machine_reset(void) {
    host_reset(RESET_HARD);
}

static mp_int_t mp_machine_reset_cause(void) {
    return soft_reset ? RESET_SOFT : options.reset_cause;
}

static mp_obj_t machine_wake_reason(void) {
    bool slept = options.reset_cause == RESET_DEEP_SLEEP;
    return MP_OBJ_NEW_SMALL_INT(slept ? WAKE_TIMER : 0);
}
static MP_DEFINE_CONST_FUN_OBJ_0(machine_wake_reason_obj, machine_wake_reason);

static mp_obj_t mp_machine_unique_id(void) {
    return mp_obj_new_bytes(options.mac, 6);
}

static void mp_machine_idle(void) {
    MP_THREAD_GIL_EXIT();
    MP_THREAD_GIL_ENTER();
}
