// SPDX-License-Identifier: MIT
#pragma once

#include "esp_idf.h"

enum { ESP_MAC_WIFI_STA, ESP_MAC_WIFI_SOFTAP, ESP_MAC_BT, ESP_MAC_ETH };

esp_err_t esp_read_mac(uint8_t *mac, int kind);
