# SPDX-License-Identifier: MIT
# What is built from other projects' sources.
