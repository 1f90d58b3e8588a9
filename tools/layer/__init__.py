# SPDX-License-Identifier: MIT
# The layer and its files: what of it goes to a board, in which form, and how it changes there.
