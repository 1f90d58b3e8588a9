// SPDX-License-Identifier: MIT
// Where a crash was: the thread's calls, innermost first, with the lines of the source if the
// machine has addr2line, which comes with the compiler.
#include <execinfo.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

#define CALLS 48

extern const char __executable_start[];

static void say(const char *text) {
    if (write(2, text, strlen(text)) < 0) {
        // Nobody listens.
    }
}

// No fork, which waits for locks of the C library that the thread may hold which has crashed.
static void say_lines(void *const *calls, int count) {
    static char texts[CALLS][2 * sizeof(void *) + 3], file[32];
    char *words[CALLS + 5] = {"addr2line", "-afipe", file};
    snprintf(file, sizeof file, "/proc/%d/exe", (int)getpid());
    for (int i = 0; i < count; i++) {
        // Below the signal's own two, what is noted is where a call returns to: the line before.
        uintptr_t at = (uintptr_t)calls[i] - (i > 2);
        #ifdef __PIE__
        at -= (uintptr_t)__executable_start;
        #endif
        snprintf(texts[i], sizeof texts[i], "%#lx", (unsigned long)at);
        words[i + 3] = texts[i];
    }
    pid_t child = vfork();
    if (child == 0) {
        dup2(2, 1);
        execvp(words[0], words);
        _exit(127);
    }
    if (child > 0) {
        waitpid(child, NULL, 0);
    }
}

static const struct {
    int number;
    const char *name;
} faults[] = {
    {SIGSEGV, "SIGSEGV"},
    {SIGBUS, "SIGBUS"},
    {SIGFPE, "SIGFPE"},
    {SIGILL, "SIGILL"},
    {SIGABRT, "SIGABRT"},
};

static void report(int number, siginfo_t *info, void *context) {
    (void)context;
    static char text[96];
    static void *calls[CALLS];
    // One that crashes while another reports waits to die with it.
    static volatile int reporting;
    if (__sync_lock_test_and_set(&reporting, 1)) {
        for (;;) {
            pause();
        }
    }
    const char *name = "";
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        name = faults[i].number == number ? faults[i].name : name;
    }
    snprintf(text, sizeof text, "firmware: %s at address %p; the calls, innermost first:\n", name,
        info->si_addr);
    say(text);
    int count = backtrace(calls, CALLS);
    backtrace_symbols_fd(calls, count, 2);
    say_lines(calls, count);
    raise(number);
}

void host_crash_stack(void) {
    // Of the thread, and goes with it.
    static __thread char memory[16 * 1024];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory};
    sigaltstack(&stack, NULL);
}

void host_report_crashes(void) {
    // The first loads a library, for which a crash is no time.
    void *call;
    backtrace(&call, 1);
    host_crash_stack();
    struct sigaction action = {
        .sa_sigaction = report, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        sigaction(faults[i].number, &action, NULL);
    }
}
