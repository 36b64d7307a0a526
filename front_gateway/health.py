"""The plain loopback port: `/healthz`, `/readyz`, `/metrics`, and with ENV=test the clock switch."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import msgspec
from aiohttp import web
from prometheus_client import generate_latest

from foundation.clock import Clock
from foundation.errors import AppError
from foundation.logs import log
from foundation.settings import Env
from foundation.web.parsing import decode
from front_gateway.call import problem

Check = Callable[[], Awaitable[None]]
"""Raises when the thing does not answer."""
CHECK_SECONDS = 2.0


class ClockShift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds that the clock is to run ahead of the machine's."""

    offset_seconds: float


def health_app(
    checks: Mapping[str, Check], clock: Clock, env: Env, beside: Mapping[str, Check] | None = None
) -> web.Application:
    """The application; `checks` name what the gateway needs, `beside` what it can do without for a while."""
    every = {**checks, **(beside or {})}

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        results = await asyncio.gather(*(_limited(one) for one in every.values()), return_exceptions=True)
        failed = [
            name for name, result in zip(every, results, strict=True) if isinstance(result, BaseException)
        ]
        unready = any(name in checks for name in failed)
        status = "unready" if unready else "degraded" if failed else "ok"
        return web.json_response({"status": status, "failed": failed}, status=503 if unready else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(), content_type="text/plain", charset="utf-8")

    async def set_clock(request: web.Request) -> web.Response:
        try:
            shift = decode(await request.read(), ClockShift)
        except AppError as error:
            refused = problem(error)
            return web.Response(
                body=refused.body, status=refused.status, content_type="application/problem+json"
            )
        clock.shift(timedelta(seconds=shift.offset_seconds))
        return web.json_response({"now": clock.now().isoformat()})

    app = web.Application(client_max_size=10_000)
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    if env is Env.TEST:
        app.add_routes([web.post("/_test/clock", set_clock)])
    return app


class HealthPort:
    """Serves the application on loopback until `close`."""

    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        self.port = 0

    async def open(self, port: int) -> None:
        """Start listening; `OSError` when the port is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, shutdown_timeout=1).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop."""
        await self._runner.cleanup()


async def _limited(check: Check) -> None:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:
        log.info("not_ready", error=type(error).__name__)
        raise
