# SPDX-License-Identifier: MIT
"""The host side of usocket_compat: the `usocket` command and what it is made of."""
