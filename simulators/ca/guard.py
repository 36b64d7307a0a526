"""Faults that concern every answer of the CA."""

import functools

from starlette.requests import Request
from starlette.responses import Response

from simulators.server import Faults, error
from simulators.signed import Endpoint


def guard(endpoint: Endpoint, faults: Faults) -> Endpoint:
    """The endpoint behind the faults `down`, `slow_seconds` and `garbage`."""

    @functools.wraps(endpoint)
    async def guarded(request: Request) -> Response:
        if faults.on("down"):
            return error(503, "DOWN", "服务暂不可用")
        await faults.delay()
        answer = await endpoint(request)
        return Response("<html>系统维护中", media_type="text/html") if faults.on("garbage") else answer

    return guarded
