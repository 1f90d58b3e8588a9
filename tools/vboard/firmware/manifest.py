# SPDX-License-Identifier: MIT
# Frozen modules: what makes and mounts the file system, as on a board, asyncio, ssl.
# MicroPython's build runs this and defines the functions.
# ruff: noqa: F821
# mypy: disable-error-code="name-defined"
freeze("$(MPY_DIR)/ports/esp32/modules", ("_boot.py", "flashbdev.py", "inisetup.py"))
include("$(TLS)/manifest.py")
