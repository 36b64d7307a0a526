"""Health and the switches of a tester: /healthz, /readyz, /_test/faults, /_test/clock."""

import math
from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.server.answers import BadField, read_object
from simulators.server.clock import Clock
from simulators.server.faults import Faults

TEN_YEARS = 10 * 366 * 86_400


def control_routes(
    env: str,
    clock: Clock,
    faults: Faults,
    ready: Callable[[], Sequence[str]] = tuple,
    extra: Sequence[Route] = (),
) -> list[Route]:
    """Routes for the plain port. `ready()` names what is missing; `extra` are further test routes.

    Production has neither faults nor clock nor `extra`; development has no clock.
    """

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        missing = list(ready())
        return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)

    async def set_faults(request: Request) -> Response:
        if request.method == "PUT":
            faults.replace(await read_object(request))
        return JSONResponse(faults.as_dict())

    async def set_clock(request: Request) -> Response:
        offset = (await read_object(request)).get("offset_seconds")
        if isinstance(offset, bool) or not isinstance(offset, int | float):
            raise BadField("offset_seconds", "expected a number")
        if not math.isfinite(offset) or abs(offset) > TEN_YEARS:
            raise BadField("offset_seconds", "out of range")
        clock.set_offset(offset)
        return JSONResponse({"now": clock.now().isoformat()})

    routes = [Route("/healthz", healthz), Route("/readyz", readyz)]
    if env != "production":
        routes += [Route("/_test/faults", set_faults, methods=["GET", "PUT"]), *extra]
    if env == "test":
        routes.append(Route("/_test/clock", set_clock, methods=["POST"]))
    return routes
