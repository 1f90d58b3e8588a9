// SPDX-License-Identifier: MIT
// What mbedTLS takes from ESP-IDF on a board: memory of the system's heap, which is also where
// the Python heap grows into, chance, and a clock of which certificates know.
#include <stdlib.h>
#include <sys/time.h>

#include "board.h"
#include "esp_random.h"
#include "host.h"
#include "mbedtls/entropy.h"
#include "mbedtls/platform_time.h"
#include "py/mpconfig.h"
#include "shared/timeutils/timeutils.h"
#include "tls_memory.h"

// Of ESP-IDF's heap: what it keeps with each block, and of what sizes these are multiples.
#define OVERHEAD 4
#define UNIT 4

static size_t used;

size_t vboard_tls_used(void) {
    return used;
}

void *vboard_tls_calloc(size_t count, size_t size) {
    size_t bytes = (count * size + UNIT - 1) / UNIT * UNIT + OVERHEAD;
    void *block = NULL;
    host_lock();
    if (bytes <= vboard_system_heap_free()) {
        size_t *area = calloc(1, bytes + 2 * sizeof(size_t));
        area[0] = bytes;
        used += bytes;
        block = area + 2;
    }
    host_unlock();
    return block;
}

void vboard_tls_free(void *block) {
    if (block) {
        size_t *area = (size_t *)block - 2;
        host_lock();
        used -= area[0];
        host_unlock();
        free(area);
    }
}

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen) {
    (void)data;
    for (size_t i = 0; i < len; i++) {
        output[i] = esp_random();
    }
    *olen = len;
    return 0;
}

// The board's clock counts from 2000.
static mbedtls_time_t seconds_since_1970(mbedtls_time_t *result) {
    struct timeval now;
    gettimeofday(&now, NULL);
    mbedtls_time_t seconds = now.tv_sec + TIMEUTILS_SECONDS_1970_TO_2000;
    if (result) {
        *result = seconds;
    }
    return seconds;
}

void vboard_tls_init(void) {
    mbedtls_platform_set_time(seconds_since_1970);
}
