# SPDX-License-Identifier: MIT
# Frozen into each MicroPython that is built here: asyncio, and ssl, which is not in the source
# package. MicroPython's build runs this and defines the functions.
# ruff: noqa: F821
# mypy: disable-error-code="name-defined"
include("$(MPY_DIR)/extmod/asyncio")
module("ssl.py", opt=3)
