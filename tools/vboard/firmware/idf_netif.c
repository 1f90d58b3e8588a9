// SPDX-License-Identifier: MIT
// The interfaces in lwIP: station, access point, Ethernet. The frames of one go to the board
// process: the station's, or with --ethernet the Ethernet's. Nobody is ever in reach of the access
// point.
#include <string.h>

#include "esp_eth.h"
#include "esp_netif.h"
#include "host.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/netifapi.h"
#include "lwip/tcpip.h"
#include "netif/ethernet.h"

#define MTU 1500
#define FRAME (14 + 4 + MTU)

#define INTERFACES (ESP_IF_ETH + 1)

struct esp_netif {
    struct netif lwip;
    bool dhcp, added;
    esp_netif_ip_info_t own;
};

static esp_netif_t interfaces[INTERFACES];
static bool started;
unsigned short vboard_dns_port;

void vboard_wifi_link_changed(bool up);

// The one that the board's network is on.
static esp_netif_t *outside(void) {
    return &interfaces[options.ethernet ? ESP_IF_ETH : ESP_IF_WIFI_STA];
}

const ip6_addr_t *vboard_gateway6(struct netif *netif, const ip6_addr_t *destination) {
    static ip6_addr_t gateway;
    (void)destination;
    if (netif != &outside()->lwip || !options.has_ip6) {
        return NULL;
    }
    memcpy(gateway.addr, options.gateway6, 16);
    ip6_addr_clear_zone(&gateway);
    return &gateway;
}

static err_t output(struct netif *netif, struct pbuf *frame) {
    uint8_t packet[1 + FRAME];
    if (netif == &outside()->lwip && !options.ethernet && !host_link_up) {
        return ERR_IF; // esp_wifi_internal_tx refuses it
    }
    if (netif == &outside()->lwip && frame->tot_len <= FRAME) {
        packet[0] = 'F';
        pbuf_copy_partial(frame, packet + 1, frame->tot_len, 0);
        // What does not fit into the queue is lost, as on a network.
        host_net_send(packet, 1 + frame->tot_len);
    }
    return ERR_OK;
}

static void received(const uint8_t *packet, size_t length) {
    if (packet[0] == 'F') {
        struct netif *netif = &outside()->lwip;
        // One that no program has asked for yet takes nothing.
        struct pbuf *frame = !netif->input ? NULL : pbuf_alloc(PBUF_RAW, length - 1, PBUF_POOL);
        if (frame) {
            pbuf_take(frame, packet + 1, length - 1);
            if (netif->input(frame, netif) != ERR_OK) {
                pbuf_free(frame);
            }
        }
    } else if (packet[0] == 'L' && length == 2) {
        host_link_up = packet[1];
        (options.ethernet ? vboard_eth_link_changed : vboard_wifi_link_changed)(packet[1]);
    } else if (packet[0] == 'M' && length == 3) {
        host_largest = packet[1] | packet[2] << 8;
        // Who asked for it goes on when it holds.
        while (!host_net_send(packet, length)) {
            host_sleep_us(1000);
        }
    }
}

static err_t init_interface(struct netif *netif) {
    int which = (esp_netif_t *)netif - interfaces;
    memcpy(netif->name, "staprren" + 2 * which, 2);
    netif->mtu = MTU;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET
        | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    netif->hwaddr_len = 6;
    // An ESP32 has four addresses in a row, the third for Bluetooth.
    memcpy(netif->hwaddr, options.mac, 6);
    netif->hwaddr[5] += which;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = output;
    netif->hostname = "mpy-esp32";
    return ERR_OK;
}

// Stock firmware never makes an address of IPv6, not even a link-local one.
static void set_addresses(struct netif *netif) {
    ip6_addr_t own;
    s8_t index = 0;
    netif_create_ip6_linklocal_address(netif, 1);
    netif_ip6_addr_set_state(netif, 0, IP6_ADDR_PREFERRED);
    memcpy(own.addr, options.ip6, 16);
    ip6_addr_assign_zone(&own, IP6_UNICAST, netif);
    if (netif_add_ip6_address(netif, &own, &index) == ERR_OK) {
        netif_ip6_addr_set_state(netif, index, IP6_ADDR_PREFERRED);
    }
}

struct call {
    struct tcpip_api_call_data base;
    esp_netif_t *netif;
    const esp_netif_ip_info_t *info;
    bool up;
};

static err_t add_interface(struct tcpip_api_call_data *data) {
    esp_netif_t *netif = ((struct call *)data)->netif;
    netif_add(&netif->lwip, NULL, NULL, NULL, NULL, init_interface, tcpip_input);
    if (netif == outside() && options.has_ip6) {
        set_addresses(&netif->lwip);
    }
    return ERR_OK;
}

// lwIP numbers them in the order in which they come: st1, en2.
static esp_netif_t *interface(esp_interface_t which) {
    esp_netif_t *netif = &interfaces[which];
    if (!netif->added) {
        netif->added = true;
        struct call call = {.netif = netif};
        tcpip_api_call(add_interface, &call.base);
    }
    return netif;
}

static err_t set_server(struct tcpip_api_call_data *unused) {
    (void)unused;
    if (options.has_dns) {
        ip_addr_t server;
        IP_ADDR4(&server, options.dns[0], options.dns[1], options.dns[2], options.dns[3]);
        dns_setserver(0, &server);
    }
    return ERR_OK;
}

static void signal_started(void *semaphore) {
    sys_sem_signal(semaphore);
}

esp_err_t esp_netif_init(void) {
    if (!started) {
        started = true;
        vboard_dns_port = options.dns_port;
        sys_sem_t ready;
        sys_sem_new(&ready, 0);
        tcpip_init(signal_started, &ready);
        sys_sem_wait(&ready);
        sys_sem_free(&ready);
        esp_netif_ip_info_t *own = &outside()->own;
        memcpy(&own->ip, options.ip, 4);
        memcpy(&own->netmask, options.netmask, 4);
        memcpy(&own->gw, options.gateway, 4);
        outside()->dhcp = true;
        esp_netif_ip_info_t *ap = &interfaces[ESP_IF_WIFI_AP].own;
        IP4_ADDR(&ap->ip, 192, 168, 4, 1);
        IP4_ADDR(&ap->netmask, 255, 255, 255, 0);
        ap->gw = ap->ip;
        struct call call;
        tcpip_api_call(set_server, &call.base);
        host_start_net(received);
    }
    return ESP_OK;
}

esp_netif_t *esp_netif_create_default_wifi_sta(void) {
    return interface(ESP_IF_WIFI_STA);
}

esp_netif_t *esp_netif_create_default_wifi_ap(void) {
    return interface(ESP_IF_WIFI_AP);
}

esp_netif_t *esp_netif_new(const esp_netif_config_t *config) {
    return interface(config->which);
}

esp_err_t esp_netif_attach(esp_netif_t *netif, void *driver) {
    (void)netif, (void)driver;
    return ESP_OK;
}

esp_err_t esp_netif_set_mac(esp_netif_t *netif, uint8_t *mac) {
    memcpy(netif->lwip.hwaddr, mac, 6);
    return ESP_OK;
}

static err_t set_info(struct tcpip_api_call_data *data) {
    struct call *call = (struct call *)data;
    netif_set_addr(&call->netif->lwip, &call->info->ip, &call->info->netmask, &call->info->gw);
    return ERR_OK;
}

static err_t set_up(struct tcpip_api_call_data *data) {
    struct call *call = (struct call *)data;
    struct netif *netif = &call->netif->lwip;
    if (call->up) {
        netif_set_up(netif);
        netif_set_link_up(netif);
    } else {
        netif_set_link_down(netif);
        netif_set_down(netif);
    }
    // ESP-IDF's route_prio: 100 for a station, 50 for Ethernet, 10 for an access point.
    static const esp_interface_t order[] = {ESP_IF_WIFI_STA, ESP_IF_ETH, ESP_IF_WIFI_AP};
    for (int i = 0; i < 3; i++) {
        if (netif_is_up(&interfaces[order[i]].lwip)) {
            netif_set_default(&interfaces[order[i]].lwip);
            break;
        }
    }
    return ERR_OK;
}

esp_err_t esp_netif_get_ip_info(esp_netif_t *netif, esp_netif_ip_info_t *info) {
    info->ip = *netif_ip4_addr(&netif->lwip);
    info->netmask = *netif_ip4_netmask(&netif->lwip);
    info->gw = *netif_ip4_gw(&netif->lwip);
    return ESP_OK;
}

esp_err_t esp_netif_set_ip_info(esp_netif_t *netif, const esp_netif_ip_info_t *info) {
    struct call call = {.netif = netif, .info = info};
    tcpip_api_call(set_info, &call.base);
    return ESP_OK;
}

esp_err_t esp_netif_get_dns_info(esp_netif_t *netif, int which, esp_netif_dns_info_t *info) {
    (void)netif;
    info->ip = *dns_getserver(which);
    return ESP_OK;
}

esp_err_t esp_netif_set_dns_info(esp_netif_t *netif, int which, esp_netif_dns_info_t *info) {
    (void)netif;
    // The caller fills in an IPv4 address only.
    ip_addr_t server = info->ip;
    IP_SET_TYPE_VAL(server, IPADDR_TYPE_V4);
    dns_setserver(which, &server);
    return ESP_OK;
}

// What the network hands out is known beforehand, so DHCP takes no time.
esp_err_t esp_netif_dhcpc_start(esp_netif_t *netif) {
    netif->dhcp = true;
    return netif_is_up(&netif->lwip) ? esp_netif_set_ip_info(netif, &netif->own) : ESP_OK;
}

esp_err_t esp_netif_dhcpc_stop(esp_netif_t *netif) {
    bool was = netif->dhcp;
    netif->dhcp = false;
    return was ? ESP_OK : ESP_ERR_ESP_NETIF_DHCP_ALREADY_STOPPED;
}

esp_err_t esp_netif_dhcpc_get_status(esp_netif_t *netif, esp_netif_dhcp_status_t *status) {
    *status = netif->dhcp ? ESP_NETIF_DHCP_STARTED : ESP_NETIF_DHCP_STOPPED;
    return ESP_OK;
}

esp_err_t esp_netif_dhcps_start(esp_netif_t *netif) {
    (void)netif;
    return ESP_OK;
}

esp_err_t esp_netif_dhcps_stop(esp_netif_t *netif) {
    (void)netif;
    return ESP_OK;
}

esp_err_t esp_netif_set_hostname(esp_netif_t *netif, const char *name) {
    netif->lwip.hostname = name;
    return ESP_OK;
}

esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *netif, char *name) {
    netif_index_to_name(netif_get_index(&netif->lwip), name);
    return ESP_OK;
}

void vboard_netif_set_up(esp_interface_t which, bool up) {
    esp_netif_t *netif = &interfaces[which];
    struct call call = {.netif = netif, .up = up};
    if (up && (netif->dhcp || which == ESP_IF_WIFI_AP)) {
        esp_netif_set_ip_info(netif, &netif->own);
    }
    tcpip_api_call(set_up, &call.base);
}

void vboard_netif_mac(esp_interface_t which, uint8_t *mac) {
    memcpy(mac, interfaces[which].lwip.hwaddr, 6);
}

void vboard_netif_set_mac(esp_interface_t which, const uint8_t *mac) {
    memcpy(interfaces[which].lwip.hwaddr, mac, 6);
}
