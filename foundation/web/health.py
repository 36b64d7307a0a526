"""`/healthz`, `/readyz`, `/metrics`, and under ENV=test the clock switch."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from foundation.clock import Clock
from foundation.settings import Env
from foundation.web.parsing import decode, read_body

Check = Callable[[], Awaitable[None]]
"""Raises when the thing does not answer."""


class ClockShift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds that the clock is to run ahead of the machine's."""

    offset_seconds: float


def health_routes(checks: Mapping[str, Check], clock: Clock, env: Env) -> list[Route]:
    """Routes every process has; `checks` name what it needs."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        failed = [name for name, problem in zip(checks, await _run(checks), strict=True) if problem]
        return JSONResponse(
            {"status": "unready" if failed else "ok", "failed": failed}, 503 if failed else 200
        )

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def set_clock(request: Request) -> Response:
        shift = decode(await read_body(request), ClockShift)
        clock.shift(timedelta(seconds=shift.offset_seconds))
        return JSONResponse({"now": clock.now().isoformat()})

    routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
    if env is Env.TEST:
        routes.append(Route("/_test/clock", set_clock, methods=["POST"]))
    return routes


async def _run(checks: Mapping[str, Check]) -> list[BaseException | None]:
    async def limited(check: Check) -> None:
        async with asyncio.timeout(2):
            await check()

    return await asyncio.gather(*(limited(check) for check in checks.values()), return_exceptions=True)
