// SPDX-License-Identifier: MIT
#pragma once

#include "esp_idf.h"

typedef const char *esp_event_base_t;
typedef void (*esp_event_handler_t)(
    void *argument, esp_event_base_t base, int32_t id, void *data);

#define ESP_EVENT_ANY_ID (-1)
extern esp_event_base_t const IP_EVENT;
enum { IP_EVENT_STA_GOT_IP, IP_EVENT_ETH_GOT_IP = 4 };

esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id,
    esp_event_handler_t handler, void *argument);
esp_err_t esp_event_handler_instance_register(esp_event_base_t base, int32_t id,
    esp_event_handler_t handler, void *argument, void *instance);

// Every handler of that base gets it.
void vboard_event(esp_event_base_t base, int32_t id, void *data);
