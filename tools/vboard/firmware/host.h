// SPDX-License-Identifier: MIT
// What the firmware asks of the machine that it runs on. The files behind it (host_*.c) know
// nothing of MicroPython and keep the host's errno numbers.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESET_POWER_ON = 1, RESET_HARD, RESET_WATCHDOG, RESET_DEEP_SLEEP, RESET_SOFT };

struct options {
    int serial, net, flash;
    size_t heap, tls_memory;
    uint8_t ip[4], netmask[4], gateway[4];
    uint8_t ip6[16], gateway6[16];
    uint8_t dns[4];
    uint16_t dns_port;
    bool has_dns, has_wifi, has_ip6, ethernet;
    char ssid[33], key[65];
    uint8_t mac[6];
    int reset_cause;
};

extern struct options options;
void options_parse(int argc, char **argv);
// Start over as after a reset: the process becomes itself anew, with the same descriptors.
void host_reset(int cause) __attribute__((noreturn));
// Across resets, too: the state of the link, the clock's distance from the host's, the memory of
// the clock.
extern bool host_link_up;
extern size_t host_largest;     // the largest block of memory that lwIP finds; 0 for any size
extern int64_t host_clock_offset_us;
extern uint8_t host_rtc_memory[2048];
extern size_t host_rtc_length;

int64_t host_now_us(void);      // monotonic, from start
int64_t host_clock_us(void);    // what the board's clock shows, since its epoch
void host_clock_set(int64_t us);
void host_yield(void);
void host_sleep_us(int64_t us);
uint32_t host_random(void);
void *host_malloc(size_t size);
void *host_calloc(size_t count, size_t size);

// Ctrl-C in a terminal and its end are meant for the owner of the board.
void host_ignore_signals(void);

// A crash says on standard error where it was, before the process dies of it. Each thread in which
// a stack may overflow has another for that.
void host_report_crashes(void);
void host_crash_stack(void);

// One waiter (the main thread), any number of wakers.
void host_wake(void);
void host_wait(int64_t until_us);
void host_lock(void);           // recursive: stands for disabled interrupts
void host_unlock(void);

void host_start_serial(void (*received)(const uint8_t *, size_t));
void host_serial_write(const uint8_t *data, size_t length);

void host_start_net(void (*received)(const uint8_t *, size_t));
bool host_net_send(const uint8_t *data, size_t length);

size_t host_flash_size(void);
bool host_flash_read(size_t offset, void *data, size_t length);
bool host_flash_write(size_t offset, const void *data, size_t length);

// Memory for machine code: first it is written, then it can be run.
void *host_code_alloc(size_t length);
void host_code_seal(void *code, size_t length);
void host_code_free(void *code, size_t length);

// A thread that nobody joins.
void host_thread(void *(*entry)(void *), void *argument);
