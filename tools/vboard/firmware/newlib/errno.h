// SPDX-License-Identifier: MIT
// The error numbers of newlib, which is the C library of the ESP32. Found before the host's own
// header; what is compiled with HOST_ERRNO talks to the host and keeps the host's numbers.
#include_next <errno.h>

#if !defined(HOST_ERRNO) && !defined(NEWLIB_ERRNO)
#define NEWLIB_ERRNO

#undef ENOMSG
#undef EIDRM
#undef ECHRNG
#undef EL2NSYNC
#undef EL3HLT
#undef EL3RST
#undef ELNRNG
#undef EUNATCH
#undef ENOCSI
#undef EL2HLT
#undef EDEADLK
#undef ENOLCK
#undef EBADE
#undef EBADR
#undef EXFULL
#undef ENOANO
#undef EBADRQC
#undef EBADSLT
#undef EDEADLOCK
#undef EBFONT
#undef EMULTIHOP
#undef ELBIN
#undef EDOTDOT
#undef EBADMSG
#undef EFTYPE
#undef ENOTUNIQ
#undef EBADFD
#undef EREMCHG
#undef ELIBACC
#undef ELIBBAD
#undef ELIBSCN
#undef ELIBMAX
#undef ELIBEXEC
#undef ENOSYS
#undef ENMFILE
#undef ENOTEMPTY
#undef ENAMETOOLONG
#undef ELOOP
#undef EAFNOSUPPORT
#undef EPROTOTYPE
#undef ENOTSOCK
#undef ENOPROTOOPT
#undef ESHUTDOWN
#undef EADDRINUSE
#undef ECONNABORTED
#undef ENETUNREACH
#undef ENETDOWN
#undef ETIMEDOUT
#undef EHOSTDOWN
#undef EHOSTUNREACH
#undef EINPROGRESS
#undef EALREADY
#undef EDESTADDRREQ
#undef EMSGSIZE
#undef EPROTONOSUPPORT
#undef ESOCKTNOSUPPORT
#undef EADDRNOTAVAIL
#undef ENETRESET
#undef EISCONN
#undef ENOTCONN
#undef ETOOMANYREFS
#undef EPROCLIM
#undef EUSERS
#undef EDQUOT
#undef ESTALE
#undef ENOTSUP
#undef ENOMEDIUM
#undef ENOSHARE
#undef ECASECLASH
#undef EILSEQ
#undef EOVERFLOW
#undef ECANCELED
#undef ENOTRECOVERABLE
#undef EOWNERDEAD
#undef ESTRPIPE
#undef EHWPOISON
#undef EISNAM
#undef EKEYEXPIRED
#undef EKEYREJECTED
#undef EKEYREVOKED
#undef EMEDIUMTYPE
#undef ENAVAIL
#undef ENOKEY
#undef ENOTNAM
#undef EREMOTEIO
#undef ERESTART
#undef ERFKILL
#undef EUCLEAN

#define ENOMSG 35
#define EIDRM 36
#define ECHRNG 37
#define EL2NSYNC 38
#define EL3HLT 39
#define EL3RST 40
#define ELNRNG 41
#define EUNATCH 42
#define ENOCSI 43
#define EL2HLT 44
#define EDEADLK 45
#define ENOLCK 46
#define EBADE 50
#define EBADR 51
#define EXFULL 52
#define ENOANO 53
#define EBADRQC 54
#define EBADSLT 55
#define EDEADLOCK 56
#define EBFONT 57
#define EMULTIHOP 74
#define ELBIN 75
#define EDOTDOT 76
#define EBADMSG 77
#define EFTYPE 79
#define ENOTUNIQ 80
#define EBADFD 81
#define EREMCHG 82
#define ELIBACC 83
#define ELIBBAD 84
#define ELIBSCN 85
#define ELIBMAX 86
#define ELIBEXEC 87
#define ENOSYS 88
#define ENMFILE 89
#define ENOTEMPTY 90
#define ENAMETOOLONG 91
#define ELOOP 92
#define EAFNOSUPPORT 106
#define EPROTOTYPE 107
#define ENOTSOCK 108
#define ENOPROTOOPT 109
#define ESHUTDOWN 110
#define EADDRINUSE 112
#define ECONNABORTED 113
#define ENETUNREACH 114
#define ENETDOWN 115
#define ETIMEDOUT 116
#define EHOSTDOWN 117
#define EHOSTUNREACH 118
#define EINPROGRESS 119
#define EALREADY 120
#define EDESTADDRREQ 121
#define EMSGSIZE 122
#define EPROTONOSUPPORT 123
#define ESOCKTNOSUPPORT 124
#define EADDRNOTAVAIL 125
#define ENETRESET 126
#define EISCONN 127
#define ENOTCONN 128
#define ETOOMANYREFS 129
#define EPROCLIM 130
#define EUSERS 131
#define EDQUOT 132
#define ESTALE 133
#define ENOTSUP 134
#define ENOMEDIUM 135
#define ENOSHARE 136
#define ECASECLASH 137
#define EILSEQ 138
#define EOVERFLOW 139
#define ECANCELED 140
#define ENOTRECOVERABLE 141
#define EOWNERDEAD 142
#define ESTRPIPE 143

#endif
