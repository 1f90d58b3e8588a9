# SPDX-License-Identifier: MIT
# What the Makefile runs.
