// SPDX-License-Identifier: MIT
// The partition table and flash memory: erased bytes are 0xff, writing only clears bits.
#include <string.h>

#include "esp_ota_ops.h"
#include "host.h"
#include "py/mpconfig.h"
#include "py/misc.h"

#define SECTOR 4096

static esp_partition_t partitions[] = {
    {ESP_PARTITION_TYPE_APP, 0, 0x10000, 0x1f0000, "factory", false},
    {ESP_PARTITION_TYPE_DATA, 0x81, 0x200000, 0, "vfs", false},
};

static bool matches(const esp_partition_t *part, int type, int subtype, const char *label) {
    return part->type == type && (subtype == ESP_PARTITION_SUBTYPE_ANY || part->subtype == subtype)
        && (!label || !strcmp(part->label, label));
}

esp_partition_iterator_t esp_partition_find(int type, int subtype, const char *label) {
    // One search at a time: the caller holds the GIL from here to the end.
    static const esp_partition_t *found[MP_ARRAY_SIZE(partitions) + 1];
    size_t count = 0;
    partitions[1].size = host_flash_size();
    for (size_t i = 0; i < MP_ARRAY_SIZE(partitions); i++) {
        if (matches(&partitions[i], type, subtype, label)) {
            found[count++] = &partitions[i];
        }
    }
    found[count] = NULL;
    return count ? found : NULL;
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator) {
    return iterator[1] ? iterator + 1 : NULL;
}

const esp_partition_t *esp_partition_find_first(int type, int subtype, const char *label) {
    esp_partition_iterator_t iterator = esp_partition_find(type, subtype, label);
    return iterator ? *iterator : NULL;
}

const esp_partition_t *esp_ota_get_running_partition(void) {
    return &partitions[0];
}

static esp_err_t check(const esp_partition_t *part, size_t offset, size_t size) {
    if (part != &partitions[1]) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (offset > part->size) {
        return ESP_ERR_INVALID_ARG;
    }
    return size > part->size - offset ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

esp_err_t esp_partition_read(const esp_partition_t *part, size_t offset, void *data, size_t size) {
    esp_err_t error = check(part, offset, size);
    if (!error && !host_flash_read(offset, data, size)) {
        error = ESP_ERR_TIMEOUT;
    }
    return error;
}

esp_err_t esp_partition_write(
    const esp_partition_t *part, size_t offset, const void *data, size_t size) {
    esp_err_t error = check(part, offset, size);
    while (!error && size) {
        uint8_t sector[SECTOR];
        size_t now = MIN(size, sizeof(sector));
        if (!host_flash_read(offset, sector, now)) {
            return ESP_ERR_TIMEOUT;
        }
        for (size_t i = 0; i < now; i++) {
            sector[i] &= ((const uint8_t *)data)[i];
        }
        if (!host_flash_write(offset, sector, now)) {
            return ESP_ERR_TIMEOUT;
        }
        data = (const uint8_t *)data + now;
        offset += now;
        size -= now;
    }
    return error;
}

esp_err_t esp_partition_erase_range(const esp_partition_t *part, size_t offset, size_t size) {
    esp_err_t error = check(part, offset, size);
    if (!error && (offset % SECTOR || size % SECTOR)) {
        error = ESP_ERR_INVALID_ARG;
    }
    uint8_t erased[SECTOR];
    memset(erased, 0xff, sizeof(erased));
    for (; !error && size; size -= SECTOR, offset += SECTOR) {
        if (!host_flash_write(offset, erased, SECTOR)) {
            error = ESP_ERR_TIMEOUT;
        }
    }
    return error;
}
