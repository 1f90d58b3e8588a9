// SPDX-License-Identifier: MIT
#pragma once

#include "esp_idf.h"

// modsocket.c includes this after <fcntl.h> and lwIP. On an ESP32 newlib's fcntl passes the numbers
// of sockets on to lwIP; here they would reach the host.
#include "lwip/sockets.h"
#define fcntl(fd, ...) idf_fcntl(fd, __VA_ARGS__, 0)
static inline int idf_fcntl(int fd, int command, int value, ...) {
    return lwip_fcntl(fd, command, value);
}
