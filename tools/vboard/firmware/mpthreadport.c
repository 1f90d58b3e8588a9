// SPDX-License-Identifier: MIT
// Python threads are POSIX threads under the GIL. A thread that gives the GIL away notes its stack
// and registers, so that the collector finds what it holds. At a soft reset the others are asked
// to end and do so where they next wait for a lock, the GIL included.
#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>

#include "host.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/mpthread.h"
#include "py/runtime.h"

#define MIN_STACK_SIZE (4 * 1024 * VBOARD_WORDS)
#define DEFAULT_STACK_SIZE (MIN_STACK_SIZE + MICROPY_STACK_CHECK_MARGIN)
// What Python may use is checked; the C code below it may need more than on a board.
#define REAL_STACK_SIZE (512 * 1024)
// Registers that a function may save, and all that two of them may have on the stack.
#define OWN 8
#define SAVED 48

typedef struct thread {
    struct thread *next;
    mp_state_thread_t *state;
    void *(*entry)(void *);
    void *argument;
    // Where Python values may be while this thread is without the GIL.
    void *stack_top, *stack_pointer;
    jmp_buf registers;
    uintptr_t saved[SAVED];
    jmp_buf end;
    bool ending;
} thread_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static thread_t main_thread;
static thread_t *threads;
static __thread thread_t *self;

void mp_thread_init(void *stack_top) {
    self = &main_thread;
    main_thread.next = NULL;
    main_thread.stack_top = stack_top;
    main_thread.stack_pointer = NULL;
    threads = &main_thread;
    mp_thread_set_state(&mp_state_ctx.thread);
}

bool vboard_is_main_thread(void) {
    return self == &main_thread;
}

mp_state_thread_t *mp_thread_get_state(void) {
    return self->state;
}

void mp_thread_set_state(mp_state_thread_t *state) {
    self->state = state;
}

mp_uint_t mp_thread_get_id(void) {
    return (mp_uint_t)self;
}

void mp_thread_gc_others(void) {
    pthread_mutex_lock(&lock);
    for (thread_t *th = threads; th; th = th->next) {
        gc_collect_root(&th->argument, 1);
        if (th != self && th->stack_pointer) {
            gc_collect_root((void **)&th->registers, sizeof(th->registers) / (sizeof(void *)));
            gc_collect_root((void **)th->saved, SAVED);
            gc_collect_root(th->stack_pointer,
                ((uintptr_t)th->stack_top - (uintptr_t)th->stack_pointer) / sizeof(void *));
        }
    }
    pthread_mutex_unlock(&lock);
}

static void *run(void *argument) {
    self = argument;
    host_crash_stack();
    self->stack_top = __builtin_frame_address(0);
    if (!setjmp(self->end)) {
        self->entry(self->argument);
    }
    pthread_mutex_lock(&lock);
    thread_t **th = &threads;
    while (*th != self) {
        th = &(*th)->next;
    }
    *th = self->next;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    free(self);
    return NULL;
}

mp_uint_t mp_thread_create(void *(*entry)(void *), void *argument, size_t *stack_size) {
    if (*stack_size == 0) {
        *stack_size = DEFAULT_STACK_SIZE;
    } else if (*stack_size < MIN_STACK_SIZE) {
        *stack_size = MIN_STACK_SIZE;
    }
    thread_t *th = calloc(1, sizeof(*th));
    th->entry = entry;
    th->argument = argument;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, *stack_size + REAL_STACK_SIZE);
    pthread_mutex_lock(&lock);
    pthread_t id;
    int failed = pthread_create(&id, &attributes, run, th);
    if (!failed) {
        th->next = threads;
        threads = th;
    }
    pthread_mutex_unlock(&lock);
    pthread_attr_destroy(&attributes);
    if (failed) {
        free(th);
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("can't create thread"));
    }
    return (mp_uint_t)th;
}

void mp_thread_start(void) {
}

void mp_thread_finish(void) {
    // Nothing of it is looked at any more.
    self->stack_top = NULL;
}

void mp_thread_deinit(void) {
    pthread_mutex_lock(&lock);
    for (thread_t *th = threads; th; th = th->next) {
        th->ending = th != &main_thread;
    }
    pthread_cond_broadcast(&changed);
    // They may be in a call of lwIP, which nothing interrupts before its time is over.
    while (threads != &main_thread) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

void mp_thread_mutex_init(mp_thread_mutex_t *mutex) {
    mutex->next = mutex->serving = 0;
}

int mp_thread_mutex_lock(mp_thread_mutex_t *mutex, int wait) {
    pthread_mutex_lock(&lock);
    if (!wait && mutex->next != mutex->serving) {
        pthread_mutex_unlock(&lock);
        return 0;
    }
    uint32_t ticket = mutex->next++;
    while (mutex->serving != ticket && !self->ending) {
        pthread_cond_wait(&changed, &lock);
    }
    if (self->ending) {
        pthread_mutex_unlock(&lock);
        longjmp(self->end, 1);
    }
    if (mutex == &MP_STATE_VM(gil_mutex)) {
        self->stack_pointer = NULL;
    }
    pthread_mutex_unlock(&lock);
    return 1;
}

// The registers of who gives the GIL away, which also are where the functions from here to `top`
// saved them before they took them for themselves, `top` included: the frame pointer's, of which
// setjmp keeps a changed copy. What is called next writes over that, so it is copied.
static __attribute__((noinline)) void note_registers(uintptr_t *top) {
    setjmp(self->registers);
    uintptr_t *from = (uintptr_t *)((uintptr_t)__builtin_frame_address(0)) - OWN;
    for (int i = 0; i < SAVED; i++) {
        self->saved[i] = from + i <= top ? from[i] : 0;
    }
}

void mp_thread_mutex_unlock(mp_thread_mutex_t *mutex) {
    if (mutex == &MP_STATE_VM(gil_mutex) && self->stack_top) {
        note_registers(__builtin_frame_address(0));
        self->stack_pointer = __builtin_frame_address(0);
    }
    pthread_mutex_lock(&lock);
    mutex->serving++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}
