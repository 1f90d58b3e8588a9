// SPDX-License-Identifier: MIT
// The modules esp and esp32: what programs ask of them without hardware.
#include "esp_idf.h"
#include "host.h"
#include "modmachine.h"
#include "py/gc.h"
#include "py/mperrno.h"
#include "py/objstr.h"
#include "py/runtime.h"

// ESP-IDF's kinds of memory.
enum { HEAP_EXEC = 1, HEAP_DATA = 4 };

extern const mp_obj_type_t esp32_partition_type;
size_t vboard_heap_total(void);

void check_esp_err(esp_err_t code) {
    if (code == ESP_OK) {
        return;
    }
    static const struct {
        esp_err_t code;
        int error;
        const char *name;
    } known[] = {
        {ESP_ERR_NO_MEM, -MP_ENOMEM, "ESP_ERR_NO_MEM"},
        {ESP_ERR_TIMEOUT, -MP_ETIMEDOUT, "ESP_ERR_TIMEOUT"},
        {ESP_ERR_NOT_SUPPORTED, -MP_EOPNOTSUPP, "ESP_ERR_NOT_SUPPORTED"},
        {ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_ARG, "ESP_ERR_INVALID_ARG"},
        {ESP_ERR_INVALID_SIZE, ESP_ERR_INVALID_SIZE, "ESP_ERR_INVALID_SIZE"},
        {ESP_ERR_NOT_FOUND, ESP_ERR_NOT_FOUND, "ESP_ERR_NOT_FOUND"},
    };
    const char *name = "UNKNOWN ERROR";
    for (size_t i = 0; i < MP_ARRAY_SIZE(known); i++) {
        if (known[i].code == code) {
            code = known[i].error;
            name = known[i].name;
            break;
        }
    }
    mp_obj_t args[2] = {MP_OBJ_NEW_SMALL_INT(-code), mp_obj_new_str_from_cstr(name)};
    nlr_raise(mp_obj_exception_make_new(&mp_type_OSError, 2, 0, args));
}

static mp_obj_t esp_osdebug(size_t n_args, const mp_obj_t *args) {
    (void)n_args, (void)args;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(esp_osdebug_obj, 1, 2, esp_osdebug);

static mp_obj_t esp_flash_size(void) {
    return mp_obj_new_int_from_uint(0x200000 + host_flash_size());
}
static MP_DEFINE_CONST_FUN_OBJ_0(esp_flash_size_obj, esp_flash_size);

static mp_obj_t esp_flash_user_start(void) {
    return MP_OBJ_NEW_SMALL_INT(0x200000);
}
static MP_DEFINE_CONST_FUN_OBJ_0(esp_flash_user_start_obj, esp_flash_user_start);

static const mp_rom_map_elem_t esp_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_esp) },
    { MP_ROM_QSTR(MP_QSTR_osdebug), MP_ROM_PTR(&esp_osdebug_obj) },
    { MP_ROM_QSTR(MP_QSTR_flash_size), MP_ROM_PTR(&esp_flash_size_obj) },
    { MP_ROM_QSTR(MP_QSTR_flash_user_start), MP_ROM_PTR(&esp_flash_user_start_obj) },
    { MP_ROM_QSTR(MP_QSTR_LOG_NONE), MP_ROM_INT(0) },
    { MP_ROM_QSTR(MP_QSTR_LOG_ERROR), MP_ROM_INT(1) },
    { MP_ROM_QSTR(MP_QSTR_LOG_WARNING), MP_ROM_INT(2) },
    { MP_ROM_QSTR(MP_QSTR_LOG_INFO), MP_ROM_INT(3) },
    { MP_ROM_QSTR(MP_QSTR_LOG_DEBUG), MP_ROM_INT(4) },
    { MP_ROM_QSTR(MP_QSTR_LOG_VERBOSE), MP_ROM_INT(5) },
};
static MP_DEFINE_CONST_DICT(esp_globals, esp_globals_table);

const mp_obj_module_t esp_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&esp_globals,
};

MP_REGISTER_MODULE(MP_QSTR_esp, esp_module);

// One area: what the heap of Python may still grow by.
static mp_obj_t esp32_idf_heap_info(mp_obj_t capabilities) {
    mp_obj_t list = mp_obj_new_list(0, NULL);
    if (mp_obj_get_int(capabilities) == HEAP_DATA) {
        mp_obj_t left = mp_obj_new_int_from_uint(gc_get_max_new_split());
        mp_obj_t total = mp_obj_new_int_from_uint(vboard_heap_total());
        mp_obj_t area[4] = {total, left, left, left};
        mp_obj_list_append(list, mp_obj_new_tuple(4, area));
    }
    return list;
}
static MP_DEFINE_CONST_FUN_OBJ_1(esp32_idf_heap_info_obj, esp32_idf_heap_info);

static const mp_rom_map_elem_t esp32_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_esp32) },
    { MP_ROM_QSTR(MP_QSTR_idf_heap_info), MP_ROM_PTR(&esp32_idf_heap_info_obj) },
    { MP_ROM_QSTR(MP_QSTR_Partition), MP_ROM_PTR(&esp32_partition_type) },
    { MP_ROM_QSTR(MP_QSTR_HEAP_DATA), MP_ROM_INT(HEAP_DATA) },
    { MP_ROM_QSTR(MP_QSTR_HEAP_EXEC), MP_ROM_INT(HEAP_EXEC) },
};
static MP_DEFINE_CONST_DICT(esp32_globals, esp32_globals_table);

const mp_obj_module_t esp32_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&esp32_globals,
};

MP_REGISTER_MODULE(MP_QSTR_esp32, esp32_module);
