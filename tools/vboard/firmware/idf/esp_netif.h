// SPDX-License-Identifier: MIT
#pragma once

#include "esp_idf.h"
#include "esp_wifi.h"
#include "lwip/netif.h"

typedef enum { ESP_IF_WIFI_STA, ESP_IF_WIFI_AP, ESP_IF_WIFI_NAN, ESP_IF_ETH } esp_interface_t;
typedef enum { ESP_NETIF_DHCP_INIT, ESP_NETIF_DHCP_STARTED, ESP_NETIF_DHCP_STOPPED }
esp_netif_dhcp_status_t;

#define ESP_ERR_ESP_NETIF_DHCP_ALREADY_STARTED 0x5004
#define ESP_ERR_ESP_NETIF_DHCP_ALREADY_STOPPED 0x5005
#define ESP_NETIF_DNS_MAIN 0

typedef struct esp_netif esp_netif_t;
typedef ip4_addr_t esp_ip4_addr_t;

typedef struct {
    esp_ip4_addr_t ip, netmask, gw;
} esp_netif_ip_info_t;

typedef struct {
    ip_addr_t ip;
} esp_netif_dns_info_t;

typedef struct {
    esp_interface_t which;
} esp_netif_config_t;
#define ESP_NETIF_DEFAULT_ETH() {ESP_IF_ETH}

#define esp_netif_htonl(value) lwip_htonl(value)

esp_err_t esp_netif_init(void);
esp_netif_t *esp_netif_create_default_wifi_sta(void);
esp_netif_t *esp_netif_create_default_wifi_ap(void);
esp_netif_t *esp_netif_new(const esp_netif_config_t *config);
esp_err_t esp_netif_attach(esp_netif_t *netif, void *driver);
esp_err_t esp_netif_set_mac(esp_netif_t *netif, uint8_t *mac);
esp_err_t esp_netif_get_ip_info(esp_netif_t *netif, esp_netif_ip_info_t *info);
esp_err_t esp_netif_set_ip_info(esp_netif_t *netif, const esp_netif_ip_info_t *info);
esp_err_t esp_netif_get_dns_info(esp_netif_t *netif, int which, esp_netif_dns_info_t *info);
esp_err_t esp_netif_set_dns_info(esp_netif_t *netif, int which, esp_netif_dns_info_t *info);
esp_err_t esp_netif_dhcpc_start(esp_netif_t *netif);
esp_err_t esp_netif_dhcpc_stop(esp_netif_t *netif);
esp_err_t esp_netif_dhcpc_get_status(esp_netif_t *netif, esp_netif_dhcp_status_t *status);
esp_err_t esp_netif_dhcps_start(esp_netif_t *netif);
esp_err_t esp_netif_dhcps_stop(esp_netif_t *netif);
esp_err_t esp_netif_set_hostname(esp_netif_t *netif, const char *name);
esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *netif, char *name);

// For idf_wifi.c and idf_eth.c: the interface's link and address come and go.
void vboard_netif_set_up(esp_interface_t which, bool up);
void vboard_netif_mac(esp_interface_t which, uint8_t *mac);
void vboard_netif_set_mac(esp_interface_t which, const uint8_t *mac);
