// SPDX-License-Identifier: MIT
// Events go to their handlers at once, in the thread that they come from.
#include "esp_event.h"

#define HANDLERS 8

esp_event_base_t const IP_EVENT = "IP_EVENT";

static struct {
    esp_event_base_t base;
    esp_event_handler_t handler;
} handlers[HANDLERS];

esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id,
    esp_event_handler_t handler, void *argument) {
    (void)id, (void)argument;
    for (int i = 0; i < HANDLERS; i++) {
        // Again, as after a LAN() that failed, is the same handler.
        if (!handlers[i].handler || (handlers[i].base == base && handlers[i].handler == handler)) {
            handlers[i].base = base;
            handlers[i].handler = handler;
            return ESP_OK;
        }
    }
    return ESP_ERR_NO_MEM;
}

esp_err_t esp_event_handler_instance_register(esp_event_base_t base, int32_t id,
    esp_event_handler_t handler, void *argument, void *instance) {
    (void)instance;
    return esp_event_handler_register(base, id, handler, argument);
}

void vboard_event(esp_event_base_t base, int32_t id, void *data) {
    for (int i = 0; i < HANDLERS && handlers[i].handler; i++) {
        if (handlers[i].base == base) {
            handlers[i].handler(NULL, base, id, data);
        }
    }
}
