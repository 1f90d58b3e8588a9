// SPDX-License-Identifier: MIT
// The two interfaces of WLAN in lwIP. The station's frames go to the board process; nobody is ever
// in reach of the access point.
#include <string.h>

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

struct esp_netif {
    struct netif lwip;
    bool dhcp;
    esp_netif_ip_info_t own;
};

static esp_netif_t interfaces[2];
static bool started;
unsigned short vboard_dns_port;

void vboard_wifi_link_changed(bool up);

const ip6_addr_t *vboard_gateway6(struct netif *netif, const ip6_addr_t *destination) {
    static ip6_addr_t gateway;
    (void)destination;
    if (netif != &interfaces[ESP_IF_WIFI_STA].lwip) {
        return NULL;
    }
    memcpy(gateway.addr, options.gateway6, 16);
    ip6_addr_clear_zone(&gateway);
    return &gateway;
}

static err_t output(struct netif *netif, struct pbuf *frame) {
    uint8_t packet[1 + FRAME];
    if (netif == &interfaces[ESP_IF_WIFI_STA].lwip && frame->tot_len <= FRAME) {
        packet[0] = 'F';
        pbuf_copy_partial(frame, packet + 1, frame->tot_len, 0);
        // What does not fit into the queue is lost, as on a network.
        host_net_send(packet, 1 + frame->tot_len);
    }
    return ERR_OK;
}

static void received(const uint8_t *packet, size_t length) {
    if (packet[0] == 'F') {
        struct netif *netif = &interfaces[ESP_IF_WIFI_STA].lwip;
        struct pbuf *frame = pbuf_alloc(PBUF_RAW, length - 1, PBUF_POOL);
        if (frame) {
            pbuf_take(frame, packet + 1, length - 1);
            if (netif->input(frame, netif) != ERR_OK) {
                pbuf_free(frame);
            }
        }
    } else if (packet[0] == 'L' && length == 2) {
        host_link_up = packet[1];
        vboard_wifi_link_changed(packet[1]);
    }
}

static err_t init_interface(struct netif *netif) {
    int which = netif == &interfaces[ESP_IF_WIFI_AP].lwip;
    netif->name[0] = which ? 'a' : 's';
    netif->name[1] = which ? 'p' : 't';
    netif->mtu = MTU;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET
        | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
    netif->hwaddr_len = 6;
    memcpy(netif->hwaddr, options.mac, 6);
    netif->hwaddr[5] += which;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = output;
    netif->hostname = "mpy-esp32";
    return ERR_OK;
}

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

static err_t add_interfaces(struct tcpip_api_call_data *unused) {
    (void)unused;
    for (int i = 0; i < 2; i++) {
        netif_add(&interfaces[i].lwip, NULL, NULL, NULL, NULL, init_interface, tcpip_input);
    }
    set_addresses(&interfaces[ESP_IF_WIFI_STA].lwip);
    netif_set_default(&interfaces[ESP_IF_WIFI_STA].lwip);
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
        esp_netif_ip_info_t *sta = &interfaces[ESP_IF_WIFI_STA].own;
        memcpy(&sta->ip, options.ip, 4);
        memcpy(&sta->netmask, options.netmask, 4);
        memcpy(&sta->gw, options.gateway, 4);
        interfaces[ESP_IF_WIFI_STA].dhcp = true;
        esp_netif_ip_info_t *ap = &interfaces[ESP_IF_WIFI_AP].own;
        IP4_ADDR(&ap->ip, 192, 168, 4, 1);
        IP4_ADDR(&ap->netmask, 255, 255, 255, 0);
        ap->gw = ap->ip;
        struct call call;
        tcpip_api_call(add_interfaces, &call.base);
        host_start_net(received);
    }
    return ESP_OK;
}

esp_netif_t *esp_netif_create_default_wifi_sta(void) {
    return &interfaces[ESP_IF_WIFI_STA];
}

esp_netif_t *esp_netif_create_default_wifi_ap(void) {
    return &interfaces[ESP_IF_WIFI_AP];
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
