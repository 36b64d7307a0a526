"""The smallest application over `foundation`: a table of endpoints, its runner, and a client for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Annotated, Any

import httpx
import msgspec
from msgspec import Meta
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request

from foundation.actor import NOBODY, Actor
from foundation.db.calls import Call, runner
from foundation.db.inbox import receive
from foundation.db.unit_of_work import Database
from foundation.errors import Busy, Conflict, TooMany, Unauthenticated
from foundation.web.endpoint import Endpoint, act, get, routes, send
from foundation.web.middleware import RequestId
from foundation.web.problems import PROBLEM_HANDLERS
from tests.unit.foundation.doors import GUARD, VISITOR


class Family(StrEnum):
    DOORS = "门"


class Press(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1)]


class Pressed(msgspec.Struct, frozen=True):
    count: int


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    far: int = 0


TheCall = Call[None]
ERRORS = {
    "conflict": Conflict("门锁着", code="door_locked"), "too_many": TooMany(retry_after=900), "busy": Busy(retry_after=1),
    "fault": ZeroDivisionError("ours"),
}  # fmt: skip


async def press(call: TheCall, body: Press) -> Pressed:
    await receive(call.session, "press", str(call.clock.now()), "press", str(body.count))
    return Pressed(body.count)


async def look(call: TheCall) -> Pressed:
    return Pressed(call.query.far)


async def fail(call: TheCall) -> None:
    await receive(call.session, "fail", "1", "fail", "")
    raise ERRORS[call.request.path_params["how"]]


async def open_door(call: TheCall) -> Pressed:
    return Pressed(call.id().int % 7)


ENDPOINTS: list[Endpoint[TheCall]] = [
    send("POST", "/doors/{id}/press", press, body=Press, reply=Pressed, summary="按铃", family=Family.DOORS,
         roles=["guard"], status=201),
    get("/doors", look, reply=Pressed, query=Look, summary="看", family=Family.DOORS, roles=["guard", "patient"],
        audited="door.look"),
    act("POST", "/doors/fail/{how}", fail, summary="失败", family=Family.DOORS, roles=["guard"]),
    act("POST", "/doors/{id}/open", open_door, reply=Pressed, summary="开", family=Family.DOORS),
    send("POST", "/entry", press, body=Press, reply=Pressed, summary="进", family=Family.DOORS, audited="door.entry"),
]  # fmt: skip
WHO = {"Bearer guard": GUARD, "Bearer visitor": VISITOR, "": NOBODY}


async def identify(request: Request) -> Actor:
    name = request.headers.get("authorization", "")
    if name not in WHO:
        raise Unauthenticated("登录已失效", code="session_ended")
    return WHO[name]


@asynccontextmanager
async def client_of(
    db: Database, table: list[Endpoint[TheCall]] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the application without a socket."""
    app = Starlette(
        routes=list(routes(table or ENDPOINTS, runner(None, db, identify))),
        middleware=[Middleware(RequestId)],
        exception_handlers=PROBLEM_HANDLERS,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def guard(**more: str) -> dict[str, Any]:
    return {
        "authorization": "Bearer guard",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
