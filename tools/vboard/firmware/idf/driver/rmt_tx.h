// SPDX-License-Identifier: MIT
// Included by what does not use it.
#pragma once
