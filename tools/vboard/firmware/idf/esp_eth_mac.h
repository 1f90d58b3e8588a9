// SPDX-License-Identifier: MIT
#include "esp_eth.h"
