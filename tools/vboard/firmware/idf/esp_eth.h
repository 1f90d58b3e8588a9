// SPDX-License-Identifier: MIT
#pragma once

#include "esp_event.h"
#include "esp_netif.h"

typedef struct {
    int phy_addr, reset_gpio_num;
} eth_phy_config_t;
#define ETH_PHY_DEFAULT_CONFIG() {-1, 5}

typedef struct {
    int unused;
} eth_mac_config_t;
#define ETH_MAC_DEFAULT_CONFIG() {0}

enum { EMAC_CLK_DEFAULT, EMAC_CLK_EXT_IN, EMAC_CLK_OUT };
#define GPIO_MODE_INPUT 1
typedef struct {
    int smi_mdc_gpio_num, smi_mdio_gpio_num;
    struct {
        struct {
            int clock_mode, clock_gpio;
        } rmii;
    } clock_config;
} eth_esp32_emac_config_t;
#define ETH_ESP32_EMAC_DEFAULT_CONFIG() {23, 18, {{EMAC_CLK_EXT_IN, 0}}}

typedef struct esp_eth_mac esp_eth_mac_t;
typedef struct esp_eth_phy esp_eth_phy_t;
typedef void *esp_eth_handle_t;
typedef struct {
    esp_eth_mac_t *mac;
    esp_eth_phy_t *phy;
} esp_eth_config_t;
#define ETH_DEFAULT_CONFIG(mac, phy) {mac, phy}

extern esp_event_base_t const ETH_EVENT;
enum {
    ETHERNET_EVENT_START,
    ETHERNET_EVENT_STOP,
    ETHERNET_EVENT_CONNECTED,
    ETHERNET_EVENT_DISCONNECTED,
};
enum { ETH_CMD_G_MAC_ADDR, ETH_CMD_S_MAC_ADDR };

// Which chip it is makes no difference here.
esp_eth_phy_t *vboard_eth_phy(const eth_phy_config_t *config);
#define esp_eth_phy_new_lan87xx vboard_eth_phy
#define esp_eth_phy_new_lan867x vboard_eth_phy
#define esp_eth_phy_new_ip101 vboard_eth_phy
#define esp_eth_phy_new_rtl8201 vboard_eth_phy
#define esp_eth_phy_new_dp83848 vboard_eth_phy
#define esp_eth_phy_new_ksz80xx vboard_eth_phy
#define esp_eth_phy_new_generic vboard_eth_phy
esp_eth_mac_t *esp_eth_mac_new_esp32(
    const eth_esp32_emac_config_t *chip, const eth_mac_config_t *config);

esp_err_t esp_eth_driver_install(const esp_eth_config_t *config, esp_eth_handle_t *handle);
void *esp_eth_new_netif_glue(esp_eth_handle_t handle);
esp_err_t esp_eth_ioctl(esp_eth_handle_t handle, int command, void *data);
esp_err_t esp_eth_start(esp_eth_handle_t handle);
esp_err_t esp_eth_stop(esp_eth_handle_t handle);

// The cable is pulled, or comes back.
void vboard_eth_link_changed(bool up);
