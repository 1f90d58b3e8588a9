// SPDX-License-Identifier: MIT
#pragma once

#include "py/obj.h"

extern const mp_obj_type_t machine_pin_type, machine_rtc_type, machine_timer_type;
extern const mp_obj_type_t vboard_wdt_type;

// Soft reset: timers stop, pins are inputs again.
void vboard_machine_deinit(void);
void vboard_timers_deinit(void);
void vboard_pins_deinit(void);
