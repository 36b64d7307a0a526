"""One call and its answer, free of any HTTP library."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import msgspec

from foundation.errors import AppError
from foundation.web.problems import MEDIA_TYPE, as_problem

Headers = tuple[tuple[str, str], ...]
"""Names in lower case, in the order they came."""


@dataclass(frozen=True, slots=True)
class Call:
    """`target` is the request line's target as it was sent; `read(limit)` gives the body or raises `TooLarge`, `flow(limit)`
    gives it in pieces as they come."""

    identity: str
    address: str
    method: str
    target: str
    headers: Headers
    read: Callable[[int], Awaitable[bytes]]
    flow: Callable[[int], AsyncIterator[bytes]] | None = None

    def header(self, name: str) -> str:
        """The value of the header `name` (lower case); empty when it is not there."""
        return next((value for key, value in self.headers if key == name), "")

    async def pieces(self, limit: int) -> AsyncIterator[bytes]:
        """The body in pieces, whoever holds it."""
        if self.flow is None:
            yield await self.read(limit)
            return
        async for piece in self.flow(limit):
            yield piece


class Stream(Protocol):
    """A body that is not held; whoever takes it closes it, begun or not."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Pieces in their order."""

    async def aclose(self) -> None:
        """No more of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `code` is the problem's code, `ok` for what was passed on. `length` is said instead of the body's own: of
    the `stream` that follows, or in answer to HEAD."""

    status: int
    headers: Headers
    body: bytes
    code: str = "ok"
    length: int | None = None
    stream: Stream | None = None

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self.body) if self.length is None else self.length


def problem(error: AppError) -> Answer:
    """The answer for a refusal."""
    headers = [("content-type", MEDIA_TYPE), ("cache-control", "no-store")]
    if error.retry_after is not None:
        headers.append(("retry-after", str(error.retry_after)))
    return Answer(error.status, tuple(headers), msgspec.json.encode(as_problem(error)), error.code)
