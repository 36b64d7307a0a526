"""The centre as one ASGI application: one path per function, and what it took, for tests."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.eprescription.envelope import Envelope, Sealed
from simulators.eprescription.service import Centre, Refused
from simulators.eprescription.settings import Settings
from simulators.eprescription.store import Store
from simulators.server import BodyLimit, Clock, Faults, control_routes, error, exception_handlers

BASE = "/epc/api/fixmedins/"
NOTICE = "模拟医保电子处方中心，处方不会流转"
Does = Callable[[dict[str, Any]], dict[str, Any]]


def declared_faults() -> Faults:
    return Faults(
        down=bool,
        slow_seconds=float,
        garbage=bool,
        lose_answers=bool,
        refuse=str,
        wrong_signature=bool,
        used=bool,
    )


def create_app(settings: Settings, clock: Clock, faults: Faults) -> Starlette:
    store = Store(settings.data)
    centre, envelope = Centre(store, settings.fixmedins), Envelope(settings.app_id, settings.secret)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    def function(name: str, does: Does) -> Route:
        return Route(BASE + name, _answer(does, envelope, clock, faults), methods=["POST"])

    async def taken(_: Request) -> Response:
        """What is there, by the hospital's number."""
        return JSONResponse({"notice": NOTICE, "prescriptions": {one.ours: one.stage for one in store.all()}})

    async def sheet(request: Request) -> Response:
        """The signed sheet of one, as it came; for tests."""
        rx = store.by_ours(request.path_params["number"])
        pdf = store.sheet(rx) if rx else b""
        if not pdf:
            return error(404, "NOT_FOUND", "没有该处方笺")
        return Response(pdf, media_type="application/pdf")

    def asked(body: dict[str, Any]) -> dict[str, Any]:
        return centre.query(body, used=faults.on("used"))

    return Starlette(
        routes=[
            function("uploadChk", centre.check),
            function("rxFixmedinsSign", centre.sign),
            function("rxFileUpld", centre.upload),
            function("rxUndo", lambda body: centre.undo(body, used=faults.on("used"))),
            function("hospRxDetlQuery", asked),
            function("rxChkInfoQuery", asked),
            function("rxSetlInfoQuery", asked),
            Route("/taken", taken),
            Route("/taken/{number}/sheet", sheet),
            *control_routes(settings.common.env, clock, faults),
        ],
        middleware=[Middleware(BodyLimit)],
        exception_handlers=exception_handlers(),
        lifespan=lifespan,
    )


def _answer(
    does: Does, envelope: Envelope, clock: Clock, faults: Faults
) -> Callable[[Request], Awaitable[Response]]:
    async def run(request: Request) -> Response:
        if faults.on("down"):
            return error(503, "DOWN", "服务暂不可用")
        await faults.delay()
        if faults.on("garbage"):
            return Response("<html>系统维护中", media_type="text/html")
        now = int(clock.now().timestamp() * 1000)
        try:
            body = envelope.open(await request.body(), now)
            if words := faults.text("refuse"):
                raise Refused("A0999", words)
            told = does(body)
        except (Sealed, Refused) as no:
            return JSONResponse({"success": False, "code": no.code, "message": no.words})
        if faults.on("lose_answers"):
            return error(503, "DOWN", "服务暂不可用")
        answer = envelope.close(told, now)
        if faults.on("wrong_signature"):
            answer["signData"] = answer["signData"][::-1]
        return JSONResponse(answer)

    return run
