# SPDX-License-Identifier: MIT
# Programs that run somewhere: how they are started, what they print, what their errors mean.
