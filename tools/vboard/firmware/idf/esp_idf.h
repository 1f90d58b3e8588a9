// SPDX-License-Identifier: MIT
// The part of ESP-IDF's interface that the files of ports/esp32 need that are built here as they
// are. Values are ESP-IDF 5.4's, since programs see them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ESP_IDF_VERSION_VAL(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))
#define ESP_IDF_VERSION ESP_IDF_VERSION_VAL(5, 4, 2)

typedef int esp_err_t;

#define ESP_OK 0
#define ESP_ERR_NO_MEM 0x101
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_INVALID_SIZE 0x104
#define ESP_ERR_NOT_FOUND 0x105
#define ESP_ERR_NOT_SUPPORTED 0x106
#define ESP_ERR_TIMEOUT 0x107

void check_esp_err(esp_err_t code);
uint32_t host_random(void);
#define esp_random host_random
#define esp_psram_is_initialized() false

// Nobody reads a board's log here.
#define ESP_LOGE(tag, ...) ((void)(tag))
#define ESP_LOGI(tag, ...) ((void)(tag))
#define ESP_LOGD(tag, ...) ((void)(tag))
