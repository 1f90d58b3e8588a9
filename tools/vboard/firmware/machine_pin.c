// SPDX-License-Identifier: MIT
// Pins that keep the value they were given. Nothing is wired to them, so an input without pull
// reads 0 and no interrupt ever comes from outside.
#include "modmachine.h"
#include "py/runtime.h"

enum { MODE_IN = 1, MODE_OUT = 3, MODE_OPEN_DRAIN = 7 };
enum { PULL_DOWN = 1, PULL_UP = 2 };

#define PINS 40

typedef struct {
    mp_obj_base_t base;
    uint8_t mode, pull, value;
} machine_pin_obj_t;

static machine_pin_obj_t pins[PINS];

void vboard_pins_deinit(void) {
    for (int i = 0; i < PINS; i++) {
        pins[i] = (machine_pin_obj_t){{&machine_pin_type}, MODE_IN, 0, 0};
    }
}

static mp_int_t level(const machine_pin_obj_t *self) {
    return self->mode == MODE_IN ? self->pull == PULL_UP : self->value;
}

static void machine_pin_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    mp_printf(print, "Pin(%u)", (unsigned)((machine_pin_obj_t *)MP_OBJ_TO_PTR(self_in) - pins));
}

static mp_obj_t init(machine_pin_obj_t *self, size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    enum { ARG_mode, ARG_pull, ARG_value, ARG_drive, ARG_hold };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_mode, MP_ARG_OBJ, {.u_obj = mp_const_none} },
        { MP_QSTR_pull, MP_ARG_OBJ, {.u_obj = MP_OBJ_NEW_SMALL_INT(-1)} },
        { MP_QSTR_value, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL} },
        { MP_QSTR_drive, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL} },
        { MP_QSTR_hold, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_obj = MP_OBJ_NULL} },
    };
    mp_arg_val_t values[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, args, kw, MP_ARRAY_SIZE(allowed), allowed, values);
    if (values[ARG_value].u_obj != MP_OBJ_NULL) {
        self->value = mp_obj_is_true(values[ARG_value].u_obj);
    }
    if (values[ARG_mode].u_obj != mp_const_none) {
        mp_int_t mode = mp_obj_get_int(values[ARG_mode].u_obj);
        if (self - pins >= 34 && mode != MODE_IN) {
            mp_raise_ValueError(MP_ERROR_TEXT("pin can only be input"));
        }
        self->mode = mode;
    }
    if (values[ARG_pull].u_obj == mp_const_none) {
        self->pull = 0;
    } else if (values[ARG_pull].u_obj != MP_OBJ_NEW_SMALL_INT(-1)) {
        self->pull = mp_obj_get_int(values[ARG_pull].u_obj);
    }
    return mp_const_none;
}

int machine_pin_get_id(mp_obj_t pin) {
    if (mp_obj_is_type(pin, &machine_pin_type)) {
        return (machine_pin_obj_t *)MP_OBJ_TO_PTR(pin) - pins;
    }
    mp_int_t number = mp_obj_get_int(pin);
    if (number < 0 || number >= PINS || number == 24 || (number >= 28 && number <= 31)) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid pin"));
    }
    return number;
}

void vboard_pin_output(int pin) {
    pins[pin].mode = MODE_OUT;
}

void vboard_pin_write(int pin, int value) {
    pins[pin].value = value;
}

int vboard_pin_read(int pin) {
    return level(&pins[pin]);
}

static mp_obj_t machine_pin_make_new(
    const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, true);
    if (mp_obj_is_type(args[0], &machine_pin_type)) {
        return args[0];
    }
    machine_pin_obj_t *self = &pins[machine_pin_get_id(args[0])];
    self->base.type = &machine_pin_type;
    if (!self->mode) {
        self->mode = MODE_IN;
    }
    if (n_args > 1 || n_kw > 0) {
        mp_map_t kw;
        mp_map_init_fixed_table(&kw, n_kw, args + n_args);
        init(self, n_args - 1, args + 1, &kw);
    }
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t machine_pin_call(
    mp_obj_t self_in, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 1, false);
    machine_pin_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (n_args == 0) {
        return MP_OBJ_NEW_SMALL_INT(level(self));
    }
    self->value = mp_obj_is_true(args[0]);
    return mp_const_none;
}

static mp_obj_t machine_pin_init(size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    return init(MP_OBJ_TO_PTR(args[0]), n_args - 1, args + 1, kw);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(machine_pin_init_obj, 1, machine_pin_init);

static mp_obj_t machine_pin_value(size_t n_args, const mp_obj_t *args) {
    return machine_pin_call(args[0], n_args - 1, 0, args + 1);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(machine_pin_value_obj, 1, 2, machine_pin_value);

static mp_obj_t machine_pin_on(mp_obj_t self_in) {
    ((machine_pin_obj_t *)MP_OBJ_TO_PTR(self_in))->value = 1;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(machine_pin_on_obj, machine_pin_on);

static mp_obj_t machine_pin_off(mp_obj_t self_in) {
    ((machine_pin_obj_t *)MP_OBJ_TO_PTR(self_in))->value = 0;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(machine_pin_off_obj, machine_pin_off);

static mp_obj_t machine_pin_toggle(mp_obj_t self_in) {
    ((machine_pin_obj_t *)MP_OBJ_TO_PTR(self_in))->value ^= 1;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(machine_pin_toggle_obj, machine_pin_toggle);

static mp_obj_t machine_pin_irq(size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    (void)n_args, (void)kw;
    return args[0];
}
static MP_DEFINE_CONST_FUN_OBJ_KW(machine_pin_irq_obj, 1, machine_pin_irq);

static const mp_rom_map_elem_t machine_pin_locals_dict_table[] = {
    { MP_ROM_QSTR(MP_QSTR_init), MP_ROM_PTR(&machine_pin_init_obj) },
    { MP_ROM_QSTR(MP_QSTR_value), MP_ROM_PTR(&machine_pin_value_obj) },
    { MP_ROM_QSTR(MP_QSTR_on), MP_ROM_PTR(&machine_pin_on_obj) },
    { MP_ROM_QSTR(MP_QSTR_off), MP_ROM_PTR(&machine_pin_off_obj) },
    { MP_ROM_QSTR(MP_QSTR_toggle), MP_ROM_PTR(&machine_pin_toggle_obj) },
    { MP_ROM_QSTR(MP_QSTR_irq), MP_ROM_PTR(&machine_pin_irq_obj) },
    { MP_ROM_QSTR(MP_QSTR_IN), MP_ROM_INT(MODE_IN) },
    { MP_ROM_QSTR(MP_QSTR_OUT), MP_ROM_INT(MODE_OUT) },
    { MP_ROM_QSTR(MP_QSTR_OPEN_DRAIN), MP_ROM_INT(MODE_OPEN_DRAIN) },
    { MP_ROM_QSTR(MP_QSTR_PULL_UP), MP_ROM_INT(PULL_UP) },
    { MP_ROM_QSTR(MP_QSTR_PULL_DOWN), MP_ROM_INT(PULL_DOWN) },
    { MP_ROM_QSTR(MP_QSTR_IRQ_RISING), MP_ROM_INT(1) },
    { MP_ROM_QSTR(MP_QSTR_IRQ_FALLING), MP_ROM_INT(2) },
    { MP_ROM_QSTR(MP_QSTR_WAKE_LOW), MP_ROM_INT(4) },
    { MP_ROM_QSTR(MP_QSTR_WAKE_HIGH), MP_ROM_INT(5) },
    { MP_ROM_QSTR(MP_QSTR_DRIVE_0), MP_ROM_INT(0) },
    { MP_ROM_QSTR(MP_QSTR_DRIVE_1), MP_ROM_INT(1) },
    { MP_ROM_QSTR(MP_QSTR_DRIVE_2), MP_ROM_INT(2) },
    { MP_ROM_QSTR(MP_QSTR_DRIVE_3), MP_ROM_INT(3) },
};
static MP_DEFINE_CONST_DICT(machine_pin_locals_dict, machine_pin_locals_dict_table);

MP_DEFINE_CONST_OBJ_TYPE(
    machine_pin_type,
    MP_QSTR_Pin,
    MP_TYPE_FLAG_NONE,
    make_new, machine_pin_make_new,
    print, machine_pin_print,
    call, machine_pin_call,
    locals_dict, &machine_pin_locals_dict
    );
