// SPDX-License-Identifier: MIT
// Machine code of the native emitter: it stays until the soft reset, as on a board.
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "py/persistentcode.h"
#include "py/runtime.h"

typedef struct native {
    struct native *next;
    void *code;
    size_t length;
} native_t;

static native_t *natives;

void *vboard_native_commit(void *code, size_t length, void *reloc) {
    void *memory = host_code_alloc(length);
    native_t *native = malloc(sizeof(*native));
    if (!memory || !native) {
        m_malloc_fail(length);
    }
    if (reloc) {
        mp_native_relocate(reloc, code, (uintptr_t)memory);
    }
    memcpy(memory, code, length);
    host_code_seal(memory, length);
    *native = (native_t){natives, memory, length};
    natives = native;
    return memory;
}

void vboard_native_free_all(void) {
    while (natives) {
        native_t *native = natives;
        natives = native->next;
        host_code_free(native->code, native->length);
        free(native);
    }
}
