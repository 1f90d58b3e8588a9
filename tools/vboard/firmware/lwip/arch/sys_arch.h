// SPDX-License-Identifier: MIT
#pragma once

struct semaphore;
struct mailbox;

typedef struct semaphore *sys_sem_t;
typedef struct semaphore *sys_mutex_t;
typedef struct mailbox *sys_mbox_t;
typedef unsigned long sys_thread_t;

#define sys_sem_valid(sem) (*(sem) != NULL)
#define sys_sem_set_invalid(sem) (*(sem) = NULL)
#define sys_mutex_valid(mutex) (*(mutex) != NULL)
#define sys_mutex_set_invalid(mutex) (*(mutex) = NULL)
#define sys_mbox_valid(mbox) (*(mbox) != NULL)
#define sys_mbox_set_invalid(mbox) (*(mbox) = NULL)

sys_sem_t *sys_thread_sem(void);

#define LWIP_NETCONN_THREAD_SEM_GET() sys_thread_sem()
#define LWIP_NETCONN_THREAD_SEM_ALLOC()
#define LWIP_NETCONN_THREAD_SEM_FREE()
