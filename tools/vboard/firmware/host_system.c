// SPDX-License-Identifier: MIT
// Time, waiting, chance, the flash file.
#include <sched.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

static pthread_mutex_t wait_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wait_condition;
static bool woken;
static pthread_mutex_t critical = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int64_t started_us;

static int64_t clock_us(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

__attribute__((constructor)) static void start(void) {
    started_us = clock_us(CLOCK_MONOTONIC);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&wait_condition, &attributes);
}

int64_t host_now_us(void) {
    return clock_us(CLOCK_MONOTONIC) - started_us;
}

int64_t host_clock_us(void) {
    return clock_us(CLOCK_REALTIME) - host_clock_offset_us;
}

void host_clock_set(int64_t us) {
    host_clock_offset_us = clock_us(CLOCK_REALTIME) - us;
}

size_t host_largest;

void *host_malloc(size_t size) {
    return host_largest && size > host_largest ? NULL : malloc(size);
}

void *host_calloc(size_t count, size_t size) {
    return host_largest && count * size > host_largest ? NULL : calloc(count, size);
}

// The linker brings every gettimeofday of the firmware here: its clock is the board's.
int __wrap_gettimeofday(struct timeval *now, void *zone) {
    int64_t us = host_clock_us();
    (void)zone;
    now->tv_sec = us / 1000000;
    now->tv_usec = us % 1000000;
    return 0;
}

static struct timespec at(int64_t us) {
    us += started_us;
    return (struct timespec){us / 1000000, us % 1000000 * 1000};
}

void host_yield(void) {
    sched_yield();
}

void host_sleep_us(int64_t us) {
    struct timespec until = at(host_now_us() + us);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR) {
    }
}

void host_ignore_signals(void) {
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

void host_wake(void) {
    pthread_mutex_lock(&wait_mutex);
    woken = true;
    pthread_cond_signal(&wait_condition);
    pthread_mutex_unlock(&wait_mutex);
}

void host_wait(int64_t until_us) {
    struct timespec until = at(until_us);
    pthread_mutex_lock(&wait_mutex);
    while (!woken && pthread_cond_timedwait(&wait_condition, &wait_mutex, &until) != ETIMEDOUT) {
    }
    woken = false;
    pthread_mutex_unlock(&wait_mutex);
}

void host_lock(void) {
    pthread_mutex_lock(&critical);
}

void host_unlock(void) {
    pthread_mutex_unlock(&critical);
}

uint32_t host_random(void) {
    uint32_t value = 0;
    while (getrandom(&value, sizeof value, 0) != sizeof value) {
    }
    return value;
}

size_t host_flash_size(void) {
    struct stat status;
    return fstat(options.flash, &status) ? 0 : status.st_size / 4096 * 4096;
}

bool host_flash_read(size_t offset, void *data, size_t length) {
    return pread(options.flash, data, length, offset) == (ssize_t)length;
}

bool host_flash_write(size_t offset, const void *data, size_t length) {
    return pwrite(options.flash, data, length, offset) == (ssize_t)length;
}

void *host_code_alloc(size_t length) {
    void *code = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return code == MAP_FAILED ? NULL : code;
}

void host_code_seal(void *code, size_t length) {
    mprotect(code, length, PROT_READ | PROT_EXEC);
}

void host_code_free(void *code, size_t length) {
    munmap(code, length);
}

void host_thread(void *(*entry)(void *), void *argument) {
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    // Only the main thread dies of signals, and each of its own faults.
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_create(&thread, &attributes, entry, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
}
