# SPDX-License-Identifier: MIT
# The commands of `usocket`, one file each: its arguments, and what it does with them.
