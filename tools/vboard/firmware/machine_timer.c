// SPDX-License-Identifier: MIT
// Timer and WDT: threads that wait.
#include <stdlib.h>

#include "host.h"
#include "modmachine.h"
#include "py/mphal.h"
#include "py/runtime.h"

#define TIMERS 4

typedef struct {
    mp_obj_base_t base;
    bool repeat, active;
    // A thread of an earlier setting sees another number here and ends.
    uint32_t setting;
    int64_t period_us, started_us;
} machine_timer_obj_t;

typedef struct {
    int number;
    uint32_t setting;
} timer_run_t;

static machine_timer_obj_t timers[TIMERS];
MP_REGISTER_ROOT_POINTER(mp_obj_t vboard_timer_callbacks[4]);

static void stop(machine_timer_obj_t *self) {
    host_lock();
    self->setting++;
    self->active = false;
    host_unlock();
}

void vboard_timers_deinit(void) {
    for (int i = 0; i < TIMERS; i++) {
        stop(&timers[i]);
        MP_STATE_VM(vboard_timer_callbacks)[i] = mp_const_none;
    }
}

static void *run(void *argument) {
    timer_run_t run = *(timer_run_t *)argument;
    free(argument);
    machine_timer_obj_t *self = &timers[run.number];
    int64_t next = self->started_us;
    for (;;) {
        next += self->period_us;
        int64_t left;
        while ((left = next - host_now_us()) > 0 && self->setting == run.setting) {
            // Not for long, so that a timer that was stopped leaves no thread behind.
            host_sleep_us(MIN(left, 100000));
        }
        host_lock();
        bool current = self->setting == run.setting;
        if (current) {
            mp_obj_t callback = MP_STATE_VM(vboard_timer_callbacks)[run.number];
            if (callback != mp_const_none) {
                mp_sched_schedule(callback, MP_OBJ_FROM_PTR(self));
            }
            self->active = self->repeat;
        }
        host_unlock();
        if (!current || !self->repeat) {
            return NULL;
        }
    }
}

static void machine_timer_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    machine_timer_obj_t *self = MP_OBJ_TO_PTR(self_in);
    qstr mode = self->repeat ? MP_QSTR_PERIODIC : MP_QSTR_ONE_SHOT;
    mp_printf(print, "Timer(%u, mode=%q, period=%u)", (unsigned)(self - timers), mode,
        (unsigned)(self->period_us / 1000));
}

static mp_obj_t init(
    machine_timer_obj_t *self, size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    enum { ARG_mode, ARG_callback, ARG_period, ARG_tick_hz, ARG_freq, ARG_hard };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_mode, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = true} },
        { MP_QSTR_callback, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE} },
        { MP_QSTR_period, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 0xffffffff} },
        { MP_QSTR_tick_hz, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 1000} },
        { MP_QSTR_freq, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE} },
        { MP_QSTR_hard, MP_ARG_KW_ONLY | MP_ARG_BOOL, {.u_bool = false} },
    };
    mp_arg_val_t values[MP_ARRAY_SIZE(allowed)];
    stop(self);
    mp_arg_parse_all(n_args, args, kw, MP_ARRAY_SIZE(allowed), allowed, values);
    if (values[ARG_freq].u_obj != mp_const_none) {
        self->period_us = (int64_t)(1000000 / mp_obj_get_float(values[ARG_freq].u_obj));
    } else {
        self->period_us = (int64_t)(uint32_t)values[ARG_period].u_int * 1000000
            / values[ARG_tick_hz].u_int;
    }
    self->repeat = values[ARG_mode].u_int;
    timer_run_t *run_of = malloc(sizeof(*run_of));
    host_lock();
    run_of->number = self - timers;
    run_of->setting = self->setting;
    MP_STATE_VM(vboard_timer_callbacks)[run_of->number] = values[ARG_callback].u_obj;
    self->started_us = host_now_us();
    self->active = true;
    host_unlock();
    host_thread(run, run_of);
    return mp_const_none;
}

static mp_obj_t machine_timer_make_new(
    const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, true);
    mp_int_t number = mp_obj_get_int(args[0]);
    if (number < 0 || number >= TIMERS) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid Timer number"));
    }
    machine_timer_obj_t *self = &timers[number];
    self->base.type = &machine_timer_type;
    if (n_args > 1 || n_kw > 0) {
        mp_map_t kw;
        mp_map_init_fixed_table(&kw, n_kw, args + n_args);
        init(self, n_args - 1, args + 1, &kw);
    }
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t machine_timer_init(size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    return init(MP_OBJ_TO_PTR(args[0]), n_args - 1, args + 1, kw);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(machine_timer_init_obj, 1, machine_timer_init);

static mp_obj_t machine_timer_deinit(mp_obj_t self_in) {
    stop(MP_OBJ_TO_PTR(self_in));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(machine_timer_deinit_obj, machine_timer_deinit);

static mp_obj_t machine_timer_value(mp_obj_t self_in) {
    machine_timer_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (!self->active) {
        return MP_OBJ_NEW_SMALL_INT(0);
    }
    int64_t passed = host_now_us() - self->started_us;
    return mp_obj_new_int_from_uint(passed % self->period_us / 1000);
}
static MP_DEFINE_CONST_FUN_OBJ_1(machine_timer_value_obj, machine_timer_value);

static const mp_rom_map_elem_t machine_timer_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_deinit), MP_ROM_PTR(&machine_timer_deinit_obj) },
    { MP_ROM_QSTR(MP_QSTR_init), MP_ROM_PTR(&machine_timer_init_obj) },
    { MP_ROM_QSTR(MP_QSTR_value), MP_ROM_PTR(&machine_timer_value_obj) },
    { MP_ROM_QSTR(MP_QSTR_ONE_SHOT), MP_ROM_INT(false) },
    { MP_ROM_QSTR(MP_QSTR_PERIODIC), MP_ROM_INT(true) },
};
static MP_DEFINE_CONST_DICT(machine_timer_locals_dict, machine_timer_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    machine_timer_type,
    MP_QSTR_Timer,
    MP_TYPE_FLAG_NONE,
    make_new, machine_timer_make_new,
    print, machine_timer_print,
    locals_dict, &machine_timer_locals_dict
    );

// The watchdog, once started, is never stopped.

static int64_t watchdog_us, fed_at_us;
static const mp_obj_base_t watchdog = {&vboard_wdt_type};

static void *watch(void *unused) {
    (void)unused;
    while (host_now_us() - fed_at_us < watchdog_us) {
        host_sleep_us(10000);
    }
    host_reset(RESET_WATCHDOG);
}

static mp_obj_t wdt_make_new(
    const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *all_args) {
    (void)type;
    enum { ARG_id, ARG_timeout };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_id, MP_ARG_INT, {.u_int = 0} },
        { MP_QSTR_timeout, MP_ARG_INT, {.u_int = 5000} },
    };
    mp_arg_val_t values[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all_kw_array(
        n_args, n_kw, all_args, MP_ARRAY_SIZE(allowed), allowed, values);
    if (values[ARG_id].u_int != 0) {
        mp_raise_ValueError(NULL);
    }
    if (values[ARG_timeout].u_int <= 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("WDT timeout too short"));
    }
    bool first = !watchdog_us;
    fed_at_us = host_now_us();
    watchdog_us = values[ARG_timeout].u_int * 1000LL;
    if (first) {
        host_thread(watch, NULL);
    }
    return MP_OBJ_FROM_PTR(&watchdog);
}

static mp_obj_t wdt_feed(mp_obj_t self_in) {
    (void)self_in;
    fed_at_us = host_now_us();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(wdt_feed_obj, wdt_feed);

static const mp_rom_map_elem_t wdt_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_feed), MP_ROM_PTR(&wdt_feed_obj) },
};
static MP_DEFINE_CONST_DICT(wdt_locals_dict, wdt_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    vboard_wdt_type,
    MP_QSTR_WDT,
    MP_TYPE_FLAG_NONE,
    make_new, wdt_make_new,
    locals_dict, &wdt_locals_dict
    );
