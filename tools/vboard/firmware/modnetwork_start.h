// SPDX-License-Identifier: MIT
#pragma once

// Without --wifi the station is on and connected from the first boot on.
void vboard_network_connect(void);
