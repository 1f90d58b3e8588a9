// SPDX-License-Identifier: MIT
#pragma once

// Without --wifi and --ethernet the station is on and connected from the first boot on.
void vboard_network_connect(void);
