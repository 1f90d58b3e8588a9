// SPDX-License-Identifier: MIT
// The Ethernet of a board that has one (--ethernet): its cable is the virtual network's. A board
// without one has the driver all the same, which finds no PHY.
#include "esp_eth.h"

#include <string.h>

#include "esp_mac.h"
#include "host.h"

esp_event_base_t const ETH_EVENT = "ETH_EVENT";

// Negotiation takes a PHY a second or more; here it is a moment, as all connecting is.
#define NEGOTIATION_US 100000

static bool running, linked;
static struct esp_eth_mac {
    bool clock;
} mac;
static struct esp_eth_phy {
    int address;
} chip;

esp_eth_phy_t *vboard_eth_phy(const eth_phy_config_t *config) {
    chip.address = config->phy_addr;
    return &chip;
}

esp_eth_mac_t *esp_eth_mac_new_esp32(
    const eth_esp32_emac_config_t *chip, const eth_mac_config_t *config) {
    (void)chip, (void)config;
    return &mac;
}

esp_err_t esp_eth_driver_install(const esp_eth_config_t *config, esp_eth_handle_t *handle) {
    if (!config->mac || !config->phy) {
        return ESP_ERR_INVALID_ARG;
    }
    *handle = &mac;
    // Without a PHY there is no clock, and the MAC does not come out of its reset.
    return options.ethernet ? ESP_OK : ESP_ERR_TIMEOUT;
}

void *esp_eth_new_netif_glue(esp_eth_handle_t handle) {
    return handle;
}

esp_err_t esp_read_mac(uint8_t *mac, int kind) {
    memcpy(mac, options.mac, 6);
    mac[5] += kind;
    return ESP_OK;
}

esp_err_t esp_eth_ioctl(esp_eth_handle_t handle, int command, void *data) {
    (void)handle;
    if (command == ETH_CMD_S_MAC_ADDR) {
        vboard_netif_set_mac(ESP_IF_ETH, data);
    } else {
        vboard_netif_mac(ESP_IF_ETH, data);
    }
    return ESP_OK;
}

static void *negotiate(void *unused) {
    (void)unused;
    host_sleep_us(NEGOTIATION_US);
    host_lock();
    bool now = running && host_link_up && !linked;
    linked = linked || now;
    host_unlock();
    if (now) {
        vboard_netif_set_up(ESP_IF_ETH, true);
        vboard_event(ETH_EVENT, ETHERNET_EVENT_CONNECTED, NULL);
        vboard_event(IP_EVENT, IP_EVENT_ETH_GOT_IP, NULL);
    }
    return NULL;
}

static void *lose(void *unused) {
    (void)unused;
    host_lock();
    bool now = linked;
    linked = false;
    host_unlock();
    if (now) {
        vboard_netif_set_up(ESP_IF_ETH, false);
        vboard_event(ETH_EVENT, ETHERNET_EVENT_DISCONNECTED, NULL);
    }
    return NULL;
}

void vboard_eth_link_changed(bool up) {
    host_thread(up ? negotiate : lose, NULL);
}

esp_err_t esp_eth_start(esp_eth_handle_t handle) {
    (void)handle;
    running = true;
    vboard_event(ETH_EVENT, ETHERNET_EVENT_START, NULL);
    host_thread(negotiate, NULL);
    return ESP_OK;
}

esp_err_t esp_eth_stop(esp_eth_handle_t handle) {
    (void)handle;
    running = false;
    lose(NULL);
    vboard_event(ETH_EVENT, ETHERNET_EVENT_STOP, NULL);
    return ESP_OK;
}
