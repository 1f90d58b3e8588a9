// SPDX-License-Identifier: MIT
#pragma once

#include "lwip/ip6_addr.h"
#include "lwip/netif.h"

const ip6_addr_t *vboard_gateway6(struct netif *netif, const ip6_addr_t *destination);
