// SPDX-License-Identifier: MIT
// The command line. A mistake is one sentence and status 2.
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

struct options options = {
    .serial = -1,
    .net = -1,
    .flash = -1,
    .mac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56},
    .dns_port = 53,
    .reset_cause = RESET_POWER_ON,
    // What ESP-IDF of an ESP32 without SPIRAM has left, with Wi-Fi, when the Python heap has grown
    // as far as it does: enough for one connection.
    .tls_memory = 40 * 1024,
};

bool host_link_up = true;
int64_t host_clock_offset_us;
uint8_t host_rtc_memory[2048];
size_t host_rtc_length;

static char **arguments;

static void refuse(const char *text, ...) {
    va_list list;
    va_start(list, text);
    fputs("firmware: ", stderr);
    vfprintf(stderr, text, list);
    fputc('\n', stderr);
    exit(2);
}

static long number(const char *name, const char *text, long low, long high) {
    char *end;
    long value = strtol(text, &end, 10);
    if (!*text || *end || value < low || value > high) {
        refuse("%s %s is not a number from %ld to %ld", name, text, low, high);
    }
    return value;
}

static void address(const char *name, int family, const char *text, void *result) {
    if (inet_pton(family, text, result) != 1) {
        refuse("%s %s is not an address", name, text);
    }
}

// ADDRESS/PREFIX
static long network(const char *name, int family, const char *text, void *result) {
    char copy[64] = "";
    const char *slash = strchr(text, '/');
    if (!slash || slash - text >= (long)sizeof copy) {
        refuse("%s %s is not ADDRESS/PREFIX", name, text);
    }
    memcpy(copy, text, slash - text);
    address(name, family, copy, result);
    return number(name, slash + 1, 1, family == AF_INET ? 30 : 128);
}

static void set(const char *name, const char *value) {
    struct options *o = &options;
    if (!strcmp(name, "--serial")) {
        o->serial = number(name, value, 0, 1 << 20);
    } else if (!strcmp(name, "--net")) {
        o->net = number(name, value, 0, 1 << 20);
    } else if (!strcmp(name, "--flash")) {
        o->flash = number(name, value, 0, 1 << 20);
    } else if (!strcmp(name, "--heap")) {
        o->heap = number(name, value, 16 * 1024, 1L << 30);
    } else if (!strcmp(name, "--tls-memory")) {
        o->tls_memory = number(name, value, 0, 1L << 30);
    } else if (!strcmp(name, "--ip")) {
        uint32_t mask = htonl(0xffffffffu << (32 - network(name, AF_INET, value, o->ip)));
        memcpy(o->netmask, &mask, 4);
    } else if (!strcmp(name, "--gateway")) {
        address(name, AF_INET, value, o->gateway);
    } else if (!strcmp(name, "--ip6")) {
        if (network(name, AF_INET6, value, o->ip6) != 64) {
            refuse("%s %s: lwIP knows only prefixes of 64 bits", name, value);
        }
        o->has_ip6 = true;
    } else if (!strcmp(name, "--gateway6")) {
        address(name, AF_INET6, value, o->gateway6);
    } else if (!strcmp(name, "--dns")) {
        char copy[64] = "";
        const char *colon = strchr(value, ':');
        size_t length = colon ? (size_t)(colon - value) : strlen(value);
        if (length >= sizeof copy) {
            refuse("%s %s is not ADDRESS:PORT", name, value);
        }
        memcpy(copy, value, length);
        address(name, AF_INET, copy, o->dns);
        if (colon) {
            o->dns_port = number(name, colon + 1, 1, 65535);
        }
        o->has_dns = true;
    } else if (!strcmp(name, "--ethernet")) {
        o->ethernet = number(name, value, 0, 1);
    } else if (!strcmp(name, "--mac")) {
        int used = 0;
        uint8_t *m = o->mac;
        if (sscanf(value, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", m, m + 1, m + 2, m + 3, m + 4,
                m + 5, &used) != 6 || value[used] || (m[0] & 1)) {
            refuse("%s %s is not the address of one interface", name, value);
        }
    } else if (!strcmp(name, "--reset-cause")) {
        o->reset_cause = number(name, value, 0, RESET_SOFT);
    } else {
        refuse("there is no option %s", name);
    }
}

// The access point in reach: not an argument, which everybody on the machine could read.
static void set_wifi(const char *ssid, const char *key) {
    if (!*ssid || strlen(ssid) >= sizeof options.ssid || !key
        || strlen(key) >= sizeof options.key) {
        refuse("VBOARD_SSID and VBOARD_KEY are no network and its key");
    }
    memset(options.ssid, 0, sizeof options.ssid);
    memcpy(options.ssid, ssid, strlen(ssid));
    strcpy(options.key, key);
    options.has_wifi = true;
}

void options_parse(int argc, char **argv) {
    arguments = argv;
    set("--ip", "10.0.2.15/24");
    set("--gateway", "10.0.2.2");
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc) {
            refuse("%s needs a value", argv[i]);
        }
        set(argv[i], argv[i + 1]);
    }
    if (options.serial < 0 || options.net < 0 || options.flash < 0) {
        refuse("--serial, --net and --flash must be given");
    }
    if (getenv("VBOARD_SSID")) {
        set_wifi(getenv("VBOARD_SSID"), getenv("VBOARD_KEY"));
    }
    const char *memory = getenv("VBOARD_RTC");
    while (memory && sscanf(memory, "%2hhx", host_rtc_memory + host_rtc_length) == 1) {
        host_rtc_length++;
        memory += 2;
    }
    if (getenv("VBOARD_LINK")) {
        host_link_up = atoi(getenv("VBOARD_LINK"));
    }
    if (getenv("VBOARD_CLOCK")) {
        host_clock_offset_us = atoll(getenv("VBOARD_CLOCK"));
    } else {
        host_clock_set(0);
    }
}

void host_reset(int cause) {
    char text[24];
    snprintf(text, sizeof text, "%d", host_link_up);
    setenv("VBOARD_LINK", text, 1);
    snprintf(text, sizeof text, "%lld", (long long)host_clock_offset_us);
    setenv("VBOARD_CLOCK", text, 1);
    char memory[2 * sizeof host_rtc_memory + 1] = "";
    for (size_t i = 0; i < host_rtc_length; i++) {
        sprintf(memory + 2 * i, "%02x", host_rtc_memory[i]);
    }
    setenv("VBOARD_RTC", memory, 1);
    snprintf(text, sizeof text, "%d", cause);
    int count = 1;
    while (arguments[count]) {
        if (!strcmp(arguments[count], "--reset-cause")) {
            arguments[count + 1] = text;
            break;
        }
        count += 2;
    }
    char *longer[count + 3];
    char **next = arguments;
    if (!arguments[count]) {
        memcpy(longer, arguments, count * sizeof *longer);
        longer[count] = "--reset-cause";
        longer[count + 1] = text;
        longer[count + 2] = NULL;
        next = longer;
    }
    execv("/proc/self/exe", next);
    _exit(3);
}
