// SPDX-License-Identifier: MIT
Q(/lib)
