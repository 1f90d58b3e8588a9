// SPDX-License-Identifier: MIT
// Boot, prompt, soft reset: in the order of ports/esp32/main.c.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_netif.h"
#include "host.h"
#include "modmachine.h"
#include "modnetwork_start.h"
#include "py/builtin.h"
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"
#include "tls_memory.h"

void vboard_serial_received(const uint8_t *data, size_t length);
void socket_events_deinit(void);
void vboard_native_free_all(void);

const char vboard_help_text[] =
    "Welcome to MicroPython on the virtual board!\n"
    "\n"
    "It stands in for an ESP32: the same socket, select and network modules on lwIP.\n"
    "For further help on a specific object, type help(obj).\n";

static size_t heap_used, heap_total;
// Parts of the heap that MicroPython has given back with an object in them.
static mp_state_mem_area_t *not_empty;

void *vboard_alloc_heap(size_t size) {
    size_t *area = malloc(size + 2 * sizeof(size_t));
    area[0] = size;
    heap_used += size;
    return area + 2;
}

// gc.c takes a part of the heap for empty whose last block in use is number 0, which it also is
// when one small object lies there, whose memory others would get (MicroPython 1.21 to 1.29).
void vboard_free_heap(void *pointer) {
    mp_state_mem_area_t *part = pointer;
    if (part->gc_alloc_table_start[0] & 3) {
        part->next = not_empty;
        not_empty = part;
        return;
    }
    size_t *area = (size_t *)pointer - 2;
    heap_used -= area[0];
    free(area);
}

size_t vboard_heap_total(void) {
    return heap_total;
}

// As on a board, TLS and what the Python heap may grow by are one memory: what the one has taken
// the other does not find. Its sizes are an ESP32's in the 64-bit build too.
size_t gc_get_max_new_split(void) {
    size_t rest = heap_total - heap_used, tls = vboard_tls_used();
    size_t taken = tls > options.tls_memory ? (tls - options.tls_memory) * VBOARD_WORDS : 0;
    return rest > taken ? rest - taken : 0;
}

size_t vboard_system_heap_free(void) {
    size_t rest = (heap_total - heap_used) / VBOARD_WORDS + options.tls_memory;
    size_t tls = vboard_tls_used();
    return rest > tls ? rest - tls : 0;
}

static void take_back(void) {
    mp_state_mem_area_t *last = &MP_STATE_MEM(area);
    while (last->next) {
        last = last->next;
    }
    last->next = not_empty;
    for (; not_empty; not_empty = not_empty->next) {
        not_empty->gc_last_free_atb_index = 0;
    }
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    mp_thread_gc_others();
    gc_collect_end();
    take_back();
}

void nlr_jump_fail(void *value) {
    fprintf(stderr, "firmware: an exception at %p that nobody catches\n", value);
    host_reset(RESET_HARD);
}

static void run_files(void) {
    pyexec_frozen_module("_boot.py", false);
    vboard_network_connect();
    int result = pyexec_file_if_exists("boot.py");
    if (result & PYEXEC_FORCED_EXIT) {
        return;
    }
    if (pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL && result != 0) {
        result = pyexec_file_if_exists("main.py");
        if (result & PYEXEC_FORCED_EXIT) {
            return;
        }
    }
    do {
        result = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl()
            : pyexec_friendly_repl();
    } while (result == 0);
}

int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        puts(MICROPY_VERSION_STRING);
        return 0;
    }
    options_parse(argc, argv);
    void *stack_top = __builtin_frame_address(0);
    mp_thread_init(stack_top);
    host_ignore_signals();
    host_report_crashes();
    host_start_serial(vboard_serial_received);
    // First of all, since the end of that line is the end of the board.
    esp_netif_init();
    vboard_tls_init();
    heap_total = options.heap ? options.heap : VBOARD_HEAP_SIZE;
    size_t first = MIN(heap_total, MICROPY_GC_INITIAL_HEAP_SIZE);
    char *heap = MP_PLAT_ALLOC_HEAP(first);
    for (;;) {
        mp_cstack_init_with_top(stack_top, MICROPY_TASK_STACK_SIZE);
        gc_init(heap, heap + first);
        mp_init();
        mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__slash_lib));
        readline_init0();
        run_files();
        vboard_machine_deinit();
        mp_thread_deinit();
        gc_sweep_all();
        vboard_native_free_all();
        mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
        socket_events_deinit();
        mp_deinit();
    }
}
