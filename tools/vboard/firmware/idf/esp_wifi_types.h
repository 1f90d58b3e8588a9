// SPDX-License-Identifier: MIT
#pragma once

#include "esp_wifi.h"
