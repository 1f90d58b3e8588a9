# SPDX-License-Identifier: MIT
# Certificates and keys for a board: read from files and servers, the authority found, written as
# DER. Whatever is cryptography here is the package of that name, which esptool has too.
