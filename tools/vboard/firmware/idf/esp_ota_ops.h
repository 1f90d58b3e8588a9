// SPDX-License-Identifier: MIT
// Partitions: one for the application, which is not really there, and "vfs", the flash file.
#pragma once

#include "esp_idf.h"

#define ESP_PARTITION_TYPE_APP 0
#define ESP_PARTITION_TYPE_DATA 1
#define ESP_PARTITION_SUBTYPE_ANY 0xff

typedef struct {
    uint8_t type, subtype;
    uint32_t address, size;
    char label[17];
    bool encrypted;
} esp_partition_t;

typedef const esp_partition_t **esp_partition_iterator_t;

const esp_partition_t *esp_partition_find_first(int type, int subtype, const char *label);
esp_partition_iterator_t esp_partition_find(int type, int subtype, const char *label);
#define esp_partition_get(iterator) (*(iterator))
esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator);
#define esp_partition_iterator_release(iterator) ((void)(iterator))
esp_err_t esp_partition_read(const esp_partition_t *part, size_t offset, void *data, size_t size);
esp_err_t esp_partition_write(
    const esp_partition_t *part, size_t offset, const void *data, size_t size);
esp_err_t esp_partition_erase_range(const esp_partition_t *part, size_t offset, size_t size);

const esp_partition_t *esp_ota_get_running_partition(void);
#define esp_ota_get_boot_partition() esp_ota_get_running_partition()
#define esp_ota_get_next_update_partition(part) ((void)(part), (esp_partition_t *)NULL)
#define esp_ota_set_boot_partition(part) ((void)(part), ESP_ERR_NOT_SUPPORTED)
#define esp_ota_mark_app_valid_cancel_rollback() ESP_ERR_NOT_SUPPORTED
