# SPDX-License-Identifier: MIT
# The virtual board.
