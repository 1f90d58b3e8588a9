# SPDX-License-Identifier: MIT
# What `usocket doctor` looks at.
