# SPDX-License-Identifier: MIT
from collections.abc import Callable, Generator, Iterable
from typing import Any

_Result = list[tuple[int, int, int, str, tuple[Any, ...]]]

# ms; how often each server is asked
WAIT: int
ROUNDS: int

def servers() -> list[tuple[str, int]]: ...
def set_servers(hosts: Iterable[tuple[str, int]]) -> None: ...
async def getaddrinfo(
    host: str | bytes | None,
    service: str | bytes | int | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> _Result: ...
def blocking(
    call: Callable[..., _Result],
    host: str | None,
    service: str | None,
    family: int,
    type: int,
    proto: int,
    flags: int,
) -> _Result: ...
def steps(
    call: Callable[..., _Result],
    host: str | None,
    service: str | int | None,
    family: int,
    type: int,
    proto: int,
    flags: int,
) -> Generator[tuple[int, int, int], None, _Result]: ...
