// SPDX-License-Identifier: MIT
#pragma once

#include "esp_event.h"
#include "esp_idf.h"

#define ESP_ERR_WIFI_NOT_INIT 0x3001
#define ESP_ERR_WIFI_NOT_STARTED 0x3002
#define ESP_ERR_WIFI_NOT_STOPPED 0x3003
#define ESP_ERR_WIFI_IF 0x3004
#define ESP_ERR_WIFI_MODE 0x3005
#define ESP_ERR_WIFI_STATE 0x3006
#define ESP_ERR_WIFI_CONN 0x3007
#define ESP_ERR_WIFI_NVS 0x3008
#define ESP_ERR_WIFI_MAC 0x3009
#define ESP_ERR_WIFI_SSID 0x300a
#define ESP_ERR_WIFI_PASSWORD 0x300b
#define ESP_ERR_WIFI_TIMEOUT 0x300c
#define ESP_ERR_WIFI_WAKE_FAIL 0x300d
#define ESP_ERR_WIFI_WOULD_BLOCK 0x300e
#define ESP_ERR_WIFI_NOT_CONNECT 0x300f

typedef enum { WIFI_IF_STA, WIFI_IF_AP } wifi_interface_t;

enum { WIFI_MODE_NULL, WIFI_MODE_STA, WIFI_MODE_AP, WIFI_MODE_APSTA };
typedef int wifi_mode_t;

enum {
    WIFI_AUTH_OPEN,
    WIFI_AUTH_WEP,
    WIFI_AUTH_WPA_PSK,
    WIFI_AUTH_WPA2_PSK,
    WIFI_AUTH_WPA_WPA2_PSK,
    WIFI_AUTH_WPA2_ENTERPRISE,
    WIFI_AUTH_WPA3_PSK,
    WIFI_AUTH_WPA2_WPA3_PSK,
    WIFI_AUTH_WAPI_PSK,
    WIFI_AUTH_OWE,
    WIFI_AUTH_WPA3_ENT_192,
    WIFI_AUTH_WPA3_EXT_PSK,
    WIFI_AUTH_WPA3_EXT_PSK_MIXED_MODE,
    WIFI_AUTH_DPP,
    WIFI_AUTH_WPA3_ENTERPRISE,
    WIFI_AUTH_WPA2_WPA3_ENTERPRISE,
    WIFI_AUTH_MAX,
};

enum { WIFI_PROTOCOL_11B = 1, WIFI_PROTOCOL_11G = 2, WIFI_PROTOCOL_11N = 4, WIFI_PROTOCOL_LR = 8 };

typedef enum { WIFI_PS_NONE, WIFI_PS_MIN_MODEM, WIFI_PS_MAX_MODEM } wifi_ps_type_t;
typedef enum { WIFI_SECOND_CHAN_NONE, WIFI_SECOND_CHAN_ABOVE, WIFI_SECOND_CHAN_BELOW }
wifi_second_chan_t;

typedef enum {
    WIFI_REASON_UNSPECIFIED = 1,
    WIFI_REASON_ASSOC_LEAVE = 8,
    WIFI_REASON_BEACON_TIMEOUT = 200,
    WIFI_REASON_NO_AP_FOUND,
    WIFI_REASON_AUTH_FAIL,
    WIFI_REASON_ASSOC_FAIL,
    WIFI_REASON_HANDSHAKE_TIMEOUT,
    WIFI_REASON_CONNECTION_FAIL,
    WIFI_REASON_NO_AP_FOUND_W_COMPATIBLE_SECURITY = 210,
    WIFI_REASON_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD,
    WIFI_REASON_NO_AP_FOUND_IN_RSSI_THRESHOLD,
} wifi_err_reason_t;

typedef struct {
    uint8_t ssid[32], password[64];
    bool bssid_set;
    uint8_t bssid[6], channel;
} wifi_sta_config_t;

typedef struct {
    uint8_t ssid[32], password[64], ssid_len, channel, authmode, ssid_hidden, max_connection;
} wifi_ap_config_t;

typedef union {
    wifi_sta_config_t sta;
    wifi_ap_config_t ap;
} wifi_config_t;

typedef struct {
    uint8_t mac[6];
} wifi_sta_info_t;

typedef struct {
    wifi_sta_info_t sta[4];
    int num;
} wifi_sta_list_t;

typedef enum { WIFI_BW20 = 1, WIFI_BW40, WIFI_BW80, WIFI_BW160, WIFI_BW80_BW80 } wifi_bandwidth_t;

typedef struct {
    uint8_t bssid[6], ssid[33], primary;
    int8_t rssi;
    uint8_t authmode;
} wifi_ap_record_t;

typedef struct {
    bool show_hidden;
} wifi_scan_config_t;

typedef struct {
    int unused;
} wifi_init_config_t;
#define WIFI_INIT_CONFIG_DEFAULT() {0}
#define WIFI_STORAGE_RAM 1

// Events.
typedef struct {
    uint8_t reason;
} wifi_event_sta_disconnected_t;

extern esp_event_base_t const WIFI_EVENT;
enum {
    WIFI_EVENT_STA_START = 2,
    WIFI_EVENT_STA_STOP,
    WIFI_EVENT_STA_CONNECTED,
    WIFI_EVENT_STA_DISCONNECTED,
    WIFI_EVENT_AP_START = 12,
    WIFI_EVENT_AP_STOP,
};

esp_err_t esp_wifi_init(const wifi_init_config_t *config);
esp_err_t esp_wifi_set_storage(int storage);
esp_err_t esp_wifi_start(void);
esp_err_t esp_wifi_stop(void);
esp_err_t esp_wifi_connect(void);
esp_err_t esp_wifi_disconnect(void);
esp_err_t esp_wifi_get_mode(wifi_mode_t *mode);
esp_err_t esp_wifi_set_mode(wifi_mode_t mode);
esp_err_t esp_wifi_get_config(int interface, wifi_config_t *config);
esp_err_t esp_wifi_set_config(int interface, wifi_config_t *config);
esp_err_t esp_wifi_get_mac(int interface, uint8_t *mac);
esp_err_t esp_wifi_set_mac(int interface, const uint8_t *mac);
esp_err_t esp_wifi_get_channel(uint8_t *primary, wifi_second_chan_t *second);
esp_err_t esp_wifi_set_channel(uint8_t primary, wifi_second_chan_t second);
esp_err_t esp_wifi_get_max_tx_power(int8_t *power);
esp_err_t esp_wifi_set_max_tx_power(int8_t power);
esp_err_t esp_wifi_get_protocol(int interface, uint8_t *protocols);
esp_err_t esp_wifi_set_protocol(int interface, uint8_t protocols);
esp_err_t esp_wifi_get_ps(wifi_ps_type_t *type);
esp_err_t esp_wifi_set_ps(wifi_ps_type_t type);
esp_err_t esp_wifi_get_bandwidth(int interface, wifi_bandwidth_t *bandwidth);
esp_err_t esp_wifi_set_bandwidth(int interface, wifi_bandwidth_t bandwidth);
esp_err_t esp_wifi_scan_start(const wifi_scan_config_t *config, bool block);
esp_err_t esp_wifi_scan_get_ap_num(uint16_t *count);
esp_err_t esp_wifi_scan_get_ap_records(uint16_t *count, wifi_ap_record_t *records);
esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *record);
esp_err_t esp_wifi_ap_get_sta_list(wifi_sta_list_t *list);
