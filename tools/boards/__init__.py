# SPDX-License-Identifier: MIT
# Boards on a serial line: which there are, what they say of themselves, files, firmware.
