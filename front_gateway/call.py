"""One call and its answer, free of any HTTP library."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from foundation.errors import AppError
from foundation.web.problems import MEDIA_TYPE, as_problem

Headers = tuple[tuple[str, str], ...]
"""Names in lower case, in the order they came."""


@dataclass(frozen=True, slots=True)
class Call:
    """`target` is the request line's target as it was sent; `read(limit)` gives the body or raises `TooLarge`."""

    identity: str
    address: str
    method: str
    target: str
    headers: Headers
    read: Callable[[int], Awaitable[bytes]]

    def header(self, name: str) -> str:
        """The value of the header `name` (lower case); empty when it is not there."""
        return next((value for key, value in self.headers if key == name), "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `code` is the problem's code, `ok` for what was passed on."""

    status: int
    headers: Headers
    body: bytes
    code: str = "ok"


def problem(error: AppError) -> Answer:
    """The answer for a refusal."""
    headers = [("content-type", MEDIA_TYPE), ("cache-control", "no-store")]
    if error.retry_after is not None:
        headers.append(("retry-after", str(error.retry_after)))
    return Answer(error.status, tuple(headers), msgspec.json.encode(as_problem(error)), error.code)
