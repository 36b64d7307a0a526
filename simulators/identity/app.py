"""`POST /v1/verifications`."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators import signed
from simulators.identity.answers import Answer, Answers, digest
from simulators.identity.register import Register, plain_name
from simulators.identity.settings import Settings
from simulators.server import BodyLimit, Clock, Faults, control_routes, error, exception_handlers


class Verification(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    request_id: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Annotated[str, Meta(min_length=1, max_length=64)]
    id_number: Annotated[str, Meta(pattern=r"\A[0-9]{17}[0-9Xx]\Z")]


def declared_faults() -> Faults:
    return Faults(down=bool, slow_seconds=float, garbage=bool)


def create_app(settings: Settings, register: Register, clock: Clock, faults: Faults) -> Starlette:
    customer = signed.AppKey(settings.app_key, settings.secret, clock)
    answers = Answers(settings.data)

    async def verify(request: Request) -> Response:
        if faults.on("down"):
            return error(503, "DOWN", "服务暂不可用")
        await faults.delay()
        await customer.check(request)
        if faults.on("garbage"):
            return Response("<html>系统维护中", media_type="text/html")
        wanted = await signed.read(request, Verification)
        asked = digest(plain_name(wanted.name), wanted.id_number.upper())
        if (given := answers.find(wanted.request_id)) is not None:
            if given[1] != asked:
                return error(409, "REQUEST_ID_USED", "the same request_id asked about somebody else")
            return JSONResponse(msgspec.to_builtins(given[0]))
        now = clock.local()
        answer = Answer(
            request_id=wanted.request_id,
            serial=f"{now:%Y%m%d%H%M%S}{secrets.randbelow(10**10):010d}",
            result=register.check(wanted.name, wanted.id_number),
            checked_at=now.isoformat(timespec="seconds"),
        )
        answers.keep(answer, asked)
        return JSONResponse(msgspec.to_builtins(answer))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        answers.close()

    return Starlette(
        routes=[
            Route("/v1/verifications", verify, methods=["POST"]),
            *control_routes(settings.common.env, clock, faults),
        ],
        middleware=[Middleware(BodyLimit)],
        exception_handlers={**exception_handlers(), signed.Unsigned: signed.unsigned_handler},
        lifespan=lifespan,
    )
