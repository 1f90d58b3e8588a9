// SPDX-License-Identifier: MIT
// The air around the board: one access point, that of --wifi, or one that takes everybody; none
// where the network comes by --ethernet. A thread stands for the WLAN task: it connects, and tells
// network_wlan.c by events.
#include <pthread.h>
#include <string.h>

#include "esp_netif.h"
#include "esp_wifi_ap_get_sta_list.h"
#include "host.h"

#define CONNECT_US 100000
// A scan of all channels.
#define SCAN_US 2000000

esp_event_base_t const WIFI_EVENT = "WIFI_EVENT";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static wifi_mode_t mode;
static bool running, connecting, connected;
static wifi_config_t configs[2] = {[WIFI_IF_AP] = {.ap = {.channel = 1, .max_connection = 4}}};
static uint8_t channel = 1, protocols[2] = {7, 7};
static int8_t power = 80;
static wifi_ps_type_t power_save = WIFI_PS_MIN_MODEM;

static void tell(int32_t id, uint8_t reason) {
    wifi_event_sta_disconnected_t data = {reason};
    vboard_event(WIFI_EVENT, id, &data);
}

// Which connect this is.
static unsigned attempt;

// Why the access point would not have this board; 0 if it does.
static uint8_t refusal(const wifi_sta_config_t *config) {
    if (!host_link_up || options.ethernet) {
        return WIFI_REASON_NO_AP_FOUND;
    }
    if (options.has_wifi) {
        if (strncmp((const char *)config->ssid, options.ssid, sizeof(config->ssid))) {
            return WIFI_REASON_NO_AP_FOUND;
        }
        if (strncmp((const char *)config->password, options.key, sizeof(config->password))) {
            return WIFI_REASON_AUTH_FAIL;
        }
    }
    return 0;
}

static void *work(void *unused) {
    (void)unused;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (!connecting) {
            pthread_cond_wait(&changed, &lock);
        }
        wifi_sta_config_t config = configs[WIFI_IF_STA].sta;
        unsigned mine = attempt;
        pthread_mutex_unlock(&lock);
        uint8_t reason = refusal(&config);
        host_sleep_us(reason == WIFI_REASON_NO_AP_FOUND ? SCAN_US : CONNECT_US);
        reason = refusal(&config);
        pthread_mutex_lock(&lock);
        // Given up, and perhaps begun anew, in the meantime.
        bool wanted = connecting && attempt == mine;
        if (wanted) {
            connecting = false;
            connected = !reason;
        }
        pthread_mutex_unlock(&lock);
        if (wanted && !reason) {
            vboard_netif_set_up(ESP_IF_WIFI_STA, true);
            tell(WIFI_EVENT_STA_CONNECTED, 0);
            vboard_event(IP_EVENT, IP_EVENT_STA_GOT_IP, NULL);
        } else if (wanted) {
            // The handler asks to try again, if the program wants that.
            tell(WIFI_EVENT_STA_DISCONNECTED, reason);
        }
    }
    return NULL;
}

static bool leave(void) {
    pthread_mutex_lock(&lock);
    bool was = connected || connecting;
    connected = connecting = false;
    attempt++;
    pthread_mutex_unlock(&lock);
    if (was) {
        vboard_netif_set_up(ESP_IF_WIFI_STA, false);
    }
    return was;
}

static void *lose(void *unused) {
    (void)unused;
    if (connected && leave()) {
        tell(WIFI_EVENT_STA_DISCONNECTED, WIFI_REASON_BEACON_TIMEOUT);
    }
    return NULL;
}

void vboard_wifi_link_changed(bool up) {
    if (!up) {
        host_thread(lose, NULL);
    }
}

esp_err_t esp_wifi_init(const wifi_init_config_t *config) {
    (void)config;
    esp_netif_init();
    host_thread(work, NULL);
    return ESP_OK;
}

esp_err_t esp_wifi_set_storage(int storage) {
    (void)storage;
    return ESP_OK;
}

static void apply(wifi_mode_t before, wifi_mode_t after) {
    if (before & ~after & WIFI_MODE_STA) {
        leave();
        tell(WIFI_EVENT_STA_STOP, 0);
    }
    if (after & ~before & WIFI_MODE_STA) {
        tell(WIFI_EVENT_STA_START, 0);
    }
    if ((before ^ after) & WIFI_MODE_AP) {
        vboard_netif_set_up(ESP_IF_WIFI_AP, after & WIFI_MODE_AP);
        tell(after & WIFI_MODE_AP ? WIFI_EVENT_AP_START : WIFI_EVENT_AP_STOP, 0);
    }
}

esp_err_t esp_wifi_start(void) {
    running = true;
    apply(WIFI_MODE_NULL, mode);
    return ESP_OK;
}

esp_err_t esp_wifi_stop(void) {
    running = false;
    apply(mode, WIFI_MODE_NULL);
    return ESP_OK;
}

esp_err_t esp_wifi_get_mode(wifi_mode_t *result) {
    *result = mode;
    return ESP_OK;
}

esp_err_t esp_wifi_set_mode(wifi_mode_t next) {
    wifi_mode_t before = mode;
    mode = next;
    if (running) {
        apply(before, next);
    }
    return ESP_OK;
}

esp_err_t esp_wifi_connect(void) {
    if (!running) {
        return ESP_ERR_WIFI_NOT_STARTED;
    }
    if (!(mode & WIFI_MODE_STA)) {
        return ESP_ERR_WIFI_MODE;
    }
    pthread_mutex_lock(&lock);
    if (!connected) {
        connecting = true;
        pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&lock);
    return ESP_OK;
}

esp_err_t esp_wifi_disconnect(void) {
    if (!running) {
        return ESP_ERR_WIFI_NOT_STARTED;
    }
    if (leave()) {
        tell(WIFI_EVENT_STA_DISCONNECTED, WIFI_REASON_ASSOC_LEAVE);
    }
    return ESP_OK;
}

esp_err_t esp_wifi_get_config(int interface, wifi_config_t *config) {
    *config = configs[interface];
    return ESP_OK;
}

esp_err_t esp_wifi_set_config(int interface, wifi_config_t *config) {
    esp_err_t error = ESP_OK;
    pthread_mutex_lock(&lock);
    if (interface == WIFI_IF_STA && connecting) {
        error = ESP_ERR_WIFI_STATE;
    } else {
        configs[interface] = *config;
    }
    pthread_mutex_unlock(&lock);
    return error;
}

esp_err_t esp_wifi_get_mac(int interface, uint8_t *mac) {
    vboard_netif_mac(interface, mac);
    return ESP_OK;
}

esp_err_t esp_wifi_set_mac(int interface, const uint8_t *mac) {
    if (mac[0] & 1) {
        return ESP_ERR_WIFI_MAC;
    }
    vboard_netif_set_mac(interface, mac);
    return ESP_OK;
}

esp_err_t esp_wifi_get_channel(uint8_t *primary, wifi_second_chan_t *second) {
    *primary = channel;
    *second = WIFI_SECOND_CHAN_NONE;
    return ESP_OK;
}

esp_err_t esp_wifi_set_channel(uint8_t primary, wifi_second_chan_t second) {
    (void)second;
    if (primary < 1 || primary > 13) {
        return ESP_ERR_INVALID_ARG;
    }
    channel = primary;
    return ESP_OK;
}

esp_err_t esp_wifi_get_max_tx_power(int8_t *result) {
    *result = power;
    return ESP_OK;
}

esp_err_t esp_wifi_set_max_tx_power(int8_t next) {
    if (next < 8 || next > 84) {
        return ESP_ERR_INVALID_ARG;
    }
    power = next;
    return ESP_OK;
}

esp_err_t esp_wifi_get_protocol(int interface, uint8_t *result) {
    *result = protocols[interface];
    return ESP_OK;
}

esp_err_t esp_wifi_set_protocol(int interface, uint8_t next) {
    protocols[interface] = next;
    return ESP_OK;
}

esp_err_t esp_wifi_get_ps(wifi_ps_type_t *type) {
    *type = power_save;
    return ESP_OK;
}

esp_err_t esp_wifi_set_ps(wifi_ps_type_t type) {
    power_save = type;
    return ESP_OK;
}

static void describe(wifi_ap_record_t *record) {
    const char *ssid = options.has_wifi ? options.ssid : "vboard";
    *record = (wifi_ap_record_t){
        .bssid = {0x52, 0x55, 0x0a, 0x00, 0x02, 0x02},
        .primary = 1,
        .rssi = -40,
        .authmode = options.has_wifi && options.key[0] ? WIFI_AUTH_WPA2_PSK : WIFI_AUTH_OPEN,
    };
    strncpy((char *)record->ssid, ssid, sizeof(record->ssid) - 1);
}

esp_err_t esp_wifi_scan_start(const wifi_scan_config_t *config, bool block) {
    (void)config, (void)block;
    if (!running) {
        return ESP_ERR_WIFI_NOT_STARTED;
    }
    host_sleep_us(CONNECT_US);
    return ESP_OK;
}

esp_err_t esp_wifi_scan_get_ap_num(uint16_t *count) {
    *count = host_link_up && !options.ethernet;
    return ESP_OK;
}

esp_err_t esp_wifi_scan_get_ap_records(uint16_t *count, wifi_ap_record_t *records) {
    *count = host_link_up && !options.ethernet;
    describe(records);
    return ESP_OK;
}

esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *record) {
    describe(record);
    return connected ? ESP_OK : ESP_ERR_WIFI_NOT_CONNECT;
}

esp_err_t esp_wifi_ap_get_sta_list(wifi_sta_list_t *list) {
    list->num = 0;
    return ESP_OK;
}

esp_err_t esp_wifi_ap_get_sta_list_with_ip(
    const wifi_sta_list_t *stations, wifi_sta_mac_ip_list_t *list) {
    list->num = stations->num;
    return ESP_OK;
}

// Nothing here is on the air.
esp_err_t esp_wifi_get_bandwidth(int interface, wifi_bandwidth_t *bandwidth) {
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_wifi_set_bandwidth(int interface, wifi_bandwidth_t bandwidth) {
    return ESP_ERR_NOT_SUPPORTED;
}
