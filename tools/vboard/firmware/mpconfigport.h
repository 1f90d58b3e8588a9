// SPDX-License-Identifier: MIT
// What the interpreter offers: the values of ports/esp32/mpconfigport.h, less what stands on
// hardware (I2C, SPI, ADC, Bluetooth ...).
#pragma once

#include <alloca.h>
#include <stdint.h>
#include <sys/types.h>

#include "esp_random.h"

#define MICROPY_CONFIG_ROM_LEVEL (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#define MICROPY_OBJ_REPR (MICROPY_OBJ_REPR_A)
#define MICROPY_ALLOC_PATH_MAX (128)

// Sizes are those of an ESP32 without SPIRAM, doubled where pointers and frames are.
#define VBOARD_WORDS (sizeof(void *) / 4)
#define MICROPY_GC_INITIAL_HEAP_SIZE (56 * 1024 * VBOARD_WORDS)
#define VBOARD_HEAP_SIZE (112 * 1024 * VBOARD_WORDS)
#define MICROPY_TASK_STACK_SIZE (16 * 1024 * VBOARD_WORDS)

#define MICROPY_PERSISTENT_CODE_LOAD (1)
#define MICROPY_OPT_COMPUTED_GOTO (1)

// @micropython.native and viper: code for the host, as an ESP32 makes it for the ESP32.
#if defined(__x86_64__)
#define MICROPY_EMIT_X64 (1)
#elif defined(__i386__)
#define MICROPY_EMIT_X86 (1)
#endif
#define MP_PLAT_COMMIT_EXEC(code, length, reloc) vboard_native_commit(code, length, reloc)
void *vboard_native_commit(void *code, size_t length, void *reloc);

#define MICROPY_READER_VFS (1)
#define MICROPY_ENABLE_GC (1)
#define MICROPY_STACK_CHECK_MARGIN (1024)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF (1)
#define MICROPY_LONGINT_IMPL (MICROPY_LONGINT_IMPL_MPZ)
#define MPZ_DIG_SIZE (16)
#define MICROPY_ERROR_REPORTING (MICROPY_ERROR_REPORTING_NORMAL)
#define MICROPY_WARNINGS (1)
#define MICROPY_FLOAT_IMPL (MICROPY_FLOAT_IMPL_FLOAT)
#define MICROPY_STREAMS_POSIX_API (1)
#define MICROPY_USE_INTERNAL_ERRNO (0)
#define MICROPY_USE_INTERNAL_PRINTF (0)
#define MICROPY_SCHEDULER_DEPTH (8)
#define MICROPY_SCHEDULER_STATIC_NODES (1)
#define MICROPY_VFS (1)

#define MICROPY_PY_STR_BYTES_CMP_WARN (1)
#define MICROPY_PY_ALL_INPLACE_SPECIAL_METHODS (1)
#define MICROPY_PY_BUILTINS_HELP_TEXT vboard_help_text
#define MICROPY_PY_IO_BUFFEREDWRITER (1)
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS (1)
#define MICROPY_PY_TIME_INCLUDEFILE "ports/esp32/modtime.c"
// As with small integers of 31 bits, in the 64-bit build too.
#define MICROPY_PY_TIME_TICKS_PERIOD (1UL << 30)
#define MICROPY_PY_THREAD (1)
#define MICROPY_PY_THREAD_GIL (1)
#define MICROPY_PY_THREAD_GIL_VM_DIVISOR (32)

#define MICROPY_GC_SPLIT_HEAP (1)
#define MICROPY_GC_SPLIT_HEAP_AUTO (1)
#define MP_PLAT_ALLOC_HEAP(size) vboard_alloc_heap(size)
#define MP_PLAT_FREE_HEAP(area) vboard_free_heap(area)
void *vboard_alloc_heap(size_t size);
void vboard_free_heap(void *area);

#define MICROPY_PY_HASHLIB_MD5 (1)
#define MICROPY_PY_HASHLIB_SHA1 (1)
#define MICROPY_PY_HASHLIB_SHA256 (1)
#define MICROPY_PY_CRYPTOLIB (1)
#define MICROPY_PY_SSL (1)
#define MICROPY_SSL_MBEDTLS (1)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC (esp_random())
#if __has_include("ports/esp32/modos.c")
// Before MicroPython 1.28, which asks mp_hal_get_random instead.
#define MICROPY_PY_OS_INCLUDEFILE "ports/esp32/modos.c"
#endif
#define MICROPY_PY_OS_DUPTERM (1)
#define MICROPY_PY_OS_DUPTERM_NOTIFY (1)
#define MICROPY_PY_OS_SYNC (1)
#define MICROPY_PY_OS_UNAME (1)
#define MICROPY_PY_OS_URANDOM (1)
#define MICROPY_PY_WEBSOCKET (1)
#define MICROPY_PY_WEBREPL (1)
#define MICROPY_PY_SOCKET_EVENTS (MICROPY_PY_WEBREPL)

#define MICROPY_PY_MACHINE (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE "machine_include.h"
#define MICROPY_PY_MACHINE_RESET (1)
#define MICROPY_PY_MACHINE_BARE_METAL_FUNCS (1)
#define MICROPY_PY_MACHINE_DISABLE_IRQ_ENABLE_IRQ (1)
#define MICROPY_PY_MACHINE_PIN_BASE (0)
#define MICROPY_PY_MACHINE_SIGNAL (0)
#define MICROPY_PY_MACHINE_PULSE (0)
#define MICROPY_PY_MACHINE_BITSTREAM (0)
#define MICROPY_PY_MACHINE_MEMX (0)

#define MICROPY_PY_NETWORK (1)
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT "mpy-esp32"
#define MICROPY_PY_NETWORK_INCLUDEFILE "ports/esp32/modnetwork.h"
#define MICROPY_PY_NETWORK_MODULE_GLOBALS_INCLUDEFILE "ports/esp32/modnetwork_globals.h"
#define MICROPY_PY_NETWORK_WLAN (1)
#define MICROPY_PY_NETWORK_LAN (1)
// The MAC is an ESP32's own; modules on SPI are left out.
#define CONFIG_IDF_TARGET_ESP32 (1)
#define MICROPY_HW_ENABLE_MDNS_QUERIES (0)
#define MICROPY_HW_ENABLE_MDNS_RESPONDER (0)

#define MICROPY_FATFS_ENABLE_LFN (1)
#define MICROPY_FATFS_RPATH (2)
#define MICROPY_FATFS_MAX_SS (4096)
#define MICROPY_FATFS_LFN_CODE_PAGE 437

#define MICROPY_PY_SYS_PLATFORM "esp32"
#define MICROPY_HW_BOARD_NAME "Virtual board"
#define MICROPY_HW_MCU_NAME "ESP32"

#define MP_STATE_PORT MP_STATE_VM
#define MP_SSIZE_MAX (0x7fffffff)
typedef intptr_t mp_int_t;
typedef uintptr_t mp_uint_t;
typedef long mp_off_t;

#if MICROPY_PY_SOCKET_EVENTS
#define MICROPY_PY_SOCKET_EVENTS_HANDLER \
    extern void socket_events_handler(void); \
    socket_events_handler();
#else
#define MICROPY_PY_SOCKET_EVENTS_HANDLER
#endif

// A callback that was scheduled ends the wait of the main thread.
#define MICROPY_SCHED_HOOK_SCHEDULED host_wake()
void host_wake(void);

// As FreeRTOS has it: until something happens, but no longer than to the next tick.
#define MICROPY_EVENT_POLL_HOOK \
    do { \
        extern void vboard_handle_pending(void); \
        extern void vboard_wait_tick(void); \
        vboard_handle_pending(); \
        MICROPY_PY_SOCKET_EVENTS_HANDLER \
        MP_THREAD_GIL_EXIT(); \
        vboard_wait_tick(); \
        MP_THREAD_GIL_ENTER(); \
    } while (0);
