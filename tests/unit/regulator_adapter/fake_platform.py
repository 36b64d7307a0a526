"""A platform on a loopback port that opens envelopes and answers from a script; accepts what no script is left for."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from foundation.suites.secret_keys import KeyInMemory
from regulator_adapter.city_wire import Credentials, decrypt

CREDENTIALS = Credentials("app-1", KeyInMemory(bytes(range(16))), bytes(16))


@dataclass
class Request:
    """One request as the platform read it."""

    path: str
    method: str
    records: list[dict[str, Any]]
    headers: Mapping[str, str] = field(default_factory=dict)
    incoming: web.Request | None = None


Answer = Callable[[Request], Awaitable[web.Response]]


@dataclass
class FakePlatform:
    """`script` is used up answer by answer, `always` answers the rest."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    script: list[Answer] = field(default_factory=list)
    always: Answer | None = None

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    async def handle(self, incoming: web.Request) -> web.Response:
        body = await incoming.read()
        records = json.loads(decrypt(bytes.fromhex(body.decode()), CREDENTIALS))
        request = Request(
            incoming.path, incoming.headers["X-Service-Method"], records, dict(incoming.headers), incoming
        )
        self.requests.append(request)
        answer = self.script.pop(0) if self.script else self.always or accept
        return await answer(request)


async def accept(request: Request) -> web.Response:
    if request.path == "/guangdong/api":
        return by_rows(request, {})
    return inner(200, "操作成功", receipts=receipts(request))


def by_rows(request: Request, failed: dict[int, tuple[int, str]]) -> web.Response:
    """Every row answered for itself; `failed` by its place in the list."""
    rows = [
        {"sjbs": record["sjbs"], "status": 2, "msgCode": failed[at][0], "msg": failed[at][1]}
        if at in failed
        else {"sjbs": record["sjbs"], "status": 1, "receipt": f"GD{at:020d}", "duplicate": False}
        for at, record in enumerate(request.records)
    ]
    return inner(200, "操作成功", rows=rows)


def receipts(request: Request) -> list[dict[str, Any]]:
    if request.path == "/openapi/api":
        return []
    return [
        {"eventId": record["eventId"], "receipt": f"SH{record['hospitalSeq']:020d}", "duplicate": False}
        for record in request.records
    ]


def inner(code: int, message: str, **more: Any) -> web.Response:
    return web.json_response({"code": 200, "body": {"msgCode": code, "msg": message, **more}})


def answering(code: int, message: str = "", **more: Any) -> Answer:
    async def answer(_: Request) -> web.Response:
        return inner(code, message, **more)

    return answer


def refusing(code: int) -> Answer:
    async def answer(_: Request) -> web.Response:
        return web.json_response({"code": code, "msg": "refused"})

    return answer


def failing(status: int) -> Answer:
    async def answer(_: Request) -> web.Response:
        return web.Response(status=status, text="not now")

    return answer


async def losing(_: Request) -> web.Response:
    """The platform has the records, the answer is lost on the way."""
    raise web.HTTPGatewayTimeout


@asynccontextmanager
async def fake_platform() -> AsyncIterator[FakePlatform]:
    platform = FakePlatform()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/{path:.*}", platform.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        platform.url = f"http://127.0.0.1:{port}"
        yield platform
    finally:
        await runner.cleanup()
