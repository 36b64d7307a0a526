"""What the failures of a counterpart mean to us."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from foundation.errors import Unavailable
from foundation.logs import request_id


def trace() -> dict[str, str]:
    """The header that carries the request's id along."""
    return {"x-request-id": request_id.get()} if request_id.get() else {}


@asynccontextmanager
async def reaching(who: str) -> AsyncIterator[None]:
    """Turn what the network can do to us into `Unavailable`, which callers must never read as a yes."""
    try:
        yield
    except (httpx.TransportError, TimeoutError) as error:
        raise Unavailable(f"{who}暂时没有响应，请稍后再试", code="counterpart_unreachable") from error


def answered(response: httpx.Response, who: str) -> httpx.Response:
    """The response unless it is a 5xx or 429."""
    if response.status_code >= 500 or response.status_code == 429:
        raise Unavailable(f"{who}暂时不可用，请稍后再试", code="counterpart_unavailable")
    return response
