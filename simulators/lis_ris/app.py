"""Health and test controls on one port; the engine lives as long as this application does."""

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.lis_ris.answers import Answers
from simulators.lis_ris.engine import Engine, declared
from simulators.lis_ris.pushing import Pushing
from simulators.lis_ris.records import Records
from simulators.lis_ris.settings import Settings
from simulators.server import BadField, BodyLimit, Clock, control_routes, exception_handlers, read_object


def create_app(settings: Settings) -> BodyLimit:
    clock, faults = Clock(), declared()
    records = Records(settings.world, settings.data)
    answers = Answers(records, clock, faults)
    engine, pushing = Engine(answers, faults), Pushing(records, answers, settings.send_to)

    async def orders(_: Request) -> Response:
        return JSONResponse(records.items())

    async def plant(request: Request) -> Response:
        """`{number, name?, report}`: the report as the world's files have it, with `status`, `changed`, `findings` if wished."""
        wish = await read_object(request)
        number, report = wish.get("number"), wish.get("report")
        if not isinstance(number, str) or not isinstance(report, dict):
            raise BadField("report", "expected number and report")
        if isinstance(wish.get("name"), str):
            records.add_person(number, wish["name"], "", "")
        records.add_report(number, report)
        return JSONResponse({"planted": report["id"]}, 201)

    async def push(request: Request) -> Response:
        return JSONResponse(await pushing.push(await read_object(request)))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await engine.open(settings.common.host, settings.common.port)
        yield
        await engine.close()
        records.close()

    extra = [
        Route("/_test/orders", orders),
        Route("/_test/reports", plant, methods=["PUT"]),
        Route("/_test/push", push, methods=["POST"]),
    ]
    return BodyLimit(
        Starlette(
            routes=control_routes(settings.common.env, clock, faults, extra=extra),
            exception_handlers=exception_handlers(),
            lifespan=lifespan,
        )
    )
