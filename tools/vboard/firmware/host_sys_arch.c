// SPDX-License-Identifier: MIT
// lwIP's threads, semaphores and mailboxes. A mailbox holds as many messages as lwIP asks for: the
// lengths of the receive queues are part of what a board does. One lock serves all of them.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "host.h"
#include "lwip/sys.h"
#include "lwip/tcpip.h"

struct semaphore {
    pthread_cond_t changed;
    unsigned count;
};

struct mailbox {
    pthread_cond_t changed;
    unsigned size, first, used, waiting;
    bool deleted;
    void *messages[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t protection = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_key_t thread_semaphore;

static void init_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static struct timespec deadline(u32_t ms) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_nsec -= 1000000000L;
        at.tv_sec++;
    }
    return at;
}

// False if the time is over. ms 0 is for ever.
static bool wait(pthread_cond_t *condition, u32_t ms, const struct timespec *until) {
    if (!ms) {
        return !pthread_cond_wait(condition, &lock);
    }
    return pthread_cond_timedwait(condition, &lock, until) != ETIMEDOUT;
}

err_t sys_sem_new(sys_sem_t *sem, u8_t count) {
    *sem = malloc(sizeof **sem);
    init_condition(&(*sem)->changed);
    (*sem)->count = count;
    return ERR_OK;
}

void sys_sem_signal(sys_sem_t *sem) {
    pthread_mutex_lock(&lock);
    // Binary, as FreeRTOS's: two signals are one.
    (*sem)->count = 1;
    pthread_cond_signal(&(*sem)->changed);
    pthread_mutex_unlock(&lock);
}

u32_t sys_arch_sem_wait(sys_sem_t *sem, u32_t ms) {
    struct timespec until = deadline(ms);
    bool in_time = true;
    pthread_mutex_lock(&lock);
    while (!(*sem)->count && (in_time = wait(&(*sem)->changed, ms, &until))) {
    }
    in_time = (*sem)->count;
    (*sem)->count = 0;
    pthread_mutex_unlock(&lock);
    return in_time ? 0 : SYS_ARCH_TIMEOUT;
}

void sys_sem_free(sys_sem_t *sem) {
    pthread_cond_destroy(&(*sem)->changed);
    free(*sem);
}

err_t sys_mutex_new(sys_mutex_t *mutex) {
    return sys_sem_new(mutex, 1);
}

void sys_mutex_lock(sys_mutex_t *mutex) {
    sys_arch_sem_wait(mutex, 0);
}

void sys_mutex_unlock(sys_mutex_t *mutex) {
    sys_sem_signal(mutex);
}

void sys_mutex_free(sys_mutex_t *mutex) {
    sys_sem_free(mutex);
}

err_t sys_mbox_new(sys_mbox_t *mbox, int size) {
    *mbox = calloc(1, sizeof **mbox + size * sizeof(void *));
    init_condition(&(*mbox)->changed);
    (*mbox)->size = size;
    return ERR_OK;
}

static void put(struct mailbox *box, void *message) {
    box->messages[(box->first + box->used++) % box->size] = message;
    pthread_cond_broadcast(&box->changed);
}

void sys_mbox_post(sys_mbox_t *mbox, void *message) {
    struct mailbox *box = *mbox;
    pthread_mutex_lock(&lock);
    while (box->used == box->size) {
        pthread_cond_wait(&box->changed, &lock);
    }
    put(box, message);
    pthread_mutex_unlock(&lock);
}

err_t sys_mbox_trypost(sys_mbox_t *mbox, void *message) {
    err_t result = ERR_MEM;
    pthread_mutex_lock(&lock);
    if ((*mbox)->used < (*mbox)->size) {
        put(*mbox, message);
        result = ERR_OK;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

err_t sys_mbox_trypost_fromisr(sys_mbox_t *mbox, void *message) {
    return sys_mbox_trypost(mbox, message);
}

static void discard(struct mailbox *box) {
    pthread_cond_destroy(&box->changed);
    free(box);
}

// Called with the lock held.
static bool take(struct mailbox *box, void **message) {
    if (!box->used) {
        return false;
    }
    void *first = box->messages[box->first];
    box->first = (box->first + 1) % box->size;
    box->used--;
    if (message) {
        *message = first;
    }
    pthread_cond_broadcast(&box->changed);
    return true;
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mbox, void **message, u32_t ms) {
    struct mailbox *box = *mbox;
    struct timespec until = deadline(ms);
    pthread_mutex_lock(&lock);
    bool done;
    box->waiting++;
    while (!(done = take(box, message)) && !box->deleted && wait(&box->changed, ms, &until)) {
    }
    box->waiting--;
    if (!done && message) {
        *message = NULL;
    }
    if (box->deleted && !box->waiting) {
        discard(box);
    }
    pthread_mutex_unlock(&lock);
    return done ? 0 : SYS_ARCH_TIMEOUT;
}

u32_t sys_arch_mbox_tryfetch(sys_mbox_t *mbox, void **message) {
    pthread_mutex_lock(&lock);
    bool done = take(*mbox, message);
    pthread_mutex_unlock(&lock);
    return done ? 0 : SYS_MBOX_EMPTY;
}

void sys_mbox_free(sys_mbox_t *mbox) {
    pthread_mutex_lock(&lock);
    if ((*mbox)->waiting) {
        (*mbox)->deleted = true;
        pthread_cond_broadcast(&(*mbox)->changed);
    } else {
        discard(*mbox);
    }
    pthread_mutex_unlock(&lock);
}

static void free_semaphore(void *semaphore) {
    sys_sem_t sem = semaphore;
    sys_sem_free(&sem);
}

sys_sem_t *sys_thread_sem(void) {
    static __thread sys_sem_t own;
    if (!own) {
        sys_sem_new(&own, 0);
        pthread_setspecific(thread_semaphore, own);
    }
    return &own;
}

struct start {
    lwip_thread_fn function;
    void *argument;
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    start.function(start.argument);
    return NULL;
}

sys_thread_t sys_thread_new(
    const char *name, lwip_thread_fn function, void *argument, int stack_size, int priority) {
    (void)name, (void)stack_size, (void)priority;
    struct start *start = malloc(sizeof *start);
    *start = (struct start){function, argument};
    host_thread(run, start);
    return 1;
}

void sys_init(void) {
    pthread_key_create(&thread_semaphore, free_semaphore);
}

u32_t sys_now(void) {
    return host_now_us() / 1000;
}

u32_t sys_jiffies(void) {
    return sys_now();
}

sys_prot_t sys_arch_protect(void) {
    pthread_mutex_lock(&protection);
    return 0;
}

void sys_arch_unprotect(sys_prot_t level) {
    (void)level;
    pthread_mutex_unlock(&protection);
}
