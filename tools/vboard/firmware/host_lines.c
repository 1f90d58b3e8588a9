// SPDX-License-Identifier: MIT
// The two lines to the outside: the serial line (a pseudo-terminal) and the network (packets).
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

// As long as a USB serial port waits for somebody who reads.
#define FULL_MS 500

static void (*serial_received)(const uint8_t *, size_t);
static void (*net_received)(const uint8_t *, size_t);

static void *read_serial(void *unused) {
    (void)unused;
    uint8_t data[512];
    for (;;) {
        struct pollfd line = {options.serial, POLLIN, 0};
        poll(&line, 1, -1);
        ssize_t length = read(options.serial, data, sizeof data);
        if (length > 0) {
            serial_received(data, length);
        } else if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
            // Nobody has the other end open, which the owner of the board prevents.
            host_sleep_us(50000);
        }
    }
    return NULL;
}

void host_start_serial(void (*received)(const uint8_t *, size_t)) {
    serial_received = received;
    fcntl(options.serial, F_SETFL, fcntl(options.serial, F_GETFL) | O_NONBLOCK);
    host_thread(read_serial, NULL);
}

void host_serial_write(const uint8_t *data, size_t length) {
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
    static bool full;
    pthread_mutex_lock(&one_at_a_time);
    while (length) {
        ssize_t done = write(options.serial, data, length);
        if (done > 0) {
            full = false;
            data += done;
            length -= done;
        } else if (done < 0 && errno == EINTR) {
            continue;
        } else {
            struct pollfd line = {options.serial, POLLOUT, 0};
            if (full || errno != EAGAIN || poll(&line, 1, FULL_MS) == 0) {
                full = true;
                break;
            }
        }
    }
    pthread_mutex_unlock(&one_at_a_time);
}

static void *read_net(void *unused) {
    (void)unused;
    static uint8_t data[2048];
    for (;;) {
        ssize_t length = recv(options.net, data, sizeof data, 0);
        if (length > 0) {
            net_received(data, length);
        } else if (length == 0 || (errno != EAGAIN && errno != EINTR)) {
            // The owner of the board is gone.
            _exit(0);
        } else {
            struct pollfd line = {options.net, POLLIN, 0};
            poll(&line, 1, -1);
        }
    }
    return NULL;
}

void host_start_net(void (*received)(const uint8_t *, size_t)) {
    net_received = received;
    host_thread(read_net, NULL);
}

bool host_net_send(const uint8_t *data, size_t length) {
    return send(options.net, data, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length;
}
