# SPDX-License-Identifier: MIT
# What `usocket test` hands to the behaviour suite.
