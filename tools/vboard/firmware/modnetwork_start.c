// SPDX-License-Identifier: MIT
#include "modnetwork_start.h"

#include "host.h"
#include "py/mphal.h"
#include "py/runtime.h"

extern const mp_obj_type_t esp_network_wlan_type;

static mp_obj_t call(mp_obj_t object, qstr method, mp_obj_t argument) {
    mp_obj_t all[3];
    mp_load_method(object, method, all);
    all[2] = argument;
    return mp_call_method_n_kw(argument != MP_OBJ_NULL, 0, all);
}

void vboard_network_connect(void) {
    static bool done;
    if (done || options.has_wifi || options.ethernet) {
        return;
    }
    done = true;
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_obj_t sta = mp_call_function_0(MP_OBJ_FROM_PTR(&esp_network_wlan_type));
        call(sta, MP_QSTR_active, mp_const_true);
        call(sta, MP_QSTR_connect, MP_OBJ_NULL);
        // That takes a moment, and for ever while the link is down.
        while (host_link_up && !mp_obj_is_true(call(sta, MP_QSTR_isconnected, MP_OBJ_NULL))) {
            mp_hal_delay_ms(5);
        }
        nlr_pop();
    }
}
