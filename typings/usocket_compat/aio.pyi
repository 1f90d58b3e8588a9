# SPDX-License-Identifier: MIT
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar, overload

from _typeshed import ReadableBuffer, WriteableBuffer

from . import _Address, _Ancillary, _RetAddress, zsock_pollfd

_T = TypeVar("_T")
# What each call gives: to be awaited, or made a task.
_Call = Coroutine[Any, Any, _T]

@overload
def recv(fd: int, n_or_buffer: int, flags: int = 0) -> _Call[bytes]: ...
@overload
def recv(fd: int, n_or_buffer: WriteableBuffer, flags: int = 0) -> _Call[int]: ...
@overload
def recvfrom(fd: int, n_or_buffer: int, flags: int = 0) -> _Call[tuple[bytes, _RetAddress]]: ...
@overload
def recvfrom(
    fd: int, n_or_buffer: WriteableBuffer, flags: int = 0
) -> _Call[tuple[int, _RetAddress]]: ...
def recvmsg(
    fd: int, buffers: Iterable[WriteableBuffer], ancbufsize: int = 0, flags: int = 0
) -> _Call[tuple[int, list[_Ancillary], int, _RetAddress]]: ...
def send(fd: int, data: ReadableBuffer, flags: int = 0) -> _Call[int]: ...
def sendto(fd: int, data: ReadableBuffer, flags: int, addr: _Address) -> _Call[int]: ...
def sendmsg(
    fd: int,
    buffers: Iterable[ReadableBuffer],
    ancdata: Iterable[tuple[int, int, ReadableBuffer]] = (),
    flags: int = 0,
    addr: _Address | None = None,
) -> _Call[int]: ...
async def sendall(fd: int, data: ReadableBuffer, flags: int = 0) -> None: ...
async def accept(fd: int) -> tuple[int, _RetAddress]: ...
async def connect(fd: int, addr: _Address) -> None: ...
async def poll(fds: Sequence[zsock_pollfd], timeout_ms: int | None) -> int: ...
def getaddrinfo(
    host: str | bytes | bytearray | None,
    service: str | int | bytes | bytearray | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> _Call[list[tuple[int, int, int, str, _RetAddress]]]: ...
