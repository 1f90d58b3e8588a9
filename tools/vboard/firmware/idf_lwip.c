// SPDX-License-Identifier: MIT
// Where ESP-IDF's lwIP is another. lwIP itself drops the connections that nobody has accepted in the
// thread that closes their listener, while its own thread may be at work on them, and keeps pointers
// into what was freed. ESP-IDF has them aborted by lwIP's thread; here all of it is done there.
#include "lwip/priv/api_msg.h"
#include "lwip/priv/tcpip_priv.h"

struct call {
    struct tcpip_api_call_data base;
    struct netconn *conn;
};

void __real_netconn_free(struct netconn *conn);

static err_t free_listener(struct tcpip_api_call_data *data) {
    __real_netconn_free(((struct call *)data)->conn);
    return ERR_OK;
}

// The linker brings netconn_delete here, which is never called in lwIP's thread.
void __wrap_netconn_free(struct netconn *conn) {
    if (sys_mbox_valid(&conn->acceptmbox)) {
        struct call call = {.conn = conn};
        tcpip_api_call(free_listener, &call.base);
    } else {
        __real_netconn_free(conn);
    }
}
