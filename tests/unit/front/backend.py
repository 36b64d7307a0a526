"""A backend at the end of the wire: answers what it was told to, remembers what it was asked, and the front before it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from miniapp_mock.front.app import create_app
from miniapp_mock.front.backend_client import Api
from miniapp_mock.front.settings import Settings

FRONT, API, MEDIA, WECHAT = (
    "https://front.test",
    "https://api.test",
    "https://media.test:8110",
    "https://wechat.test",
)
PREFIX = "/api/v1"
HOSPITAL = {
    "name": "示范医院互联网医院",
    "short_name": "示范医院",
    "address": "示范路 1 号",
    "phone": "19900000900",
}
PERSON_ID = "01a20290-1448-722e-bff5-898e2613f4b5"
PERSON = {
    "id": PERSON_ID, "grant_id": "01a20290-1448-722e-bff5-898e2613f4b6", "name": "周桂珍", "kind": "self",
    "id_number": "310114********9069", "phone": "199****0001", "sex": "female", "birth_date": "1958-09-19",
    "relation": "", "scope": ["book", "records"], "consented": True,
}  # fmt: skip


@dataclass
class Asked:
    """One request that reached the backend."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


@dataclass
class Backend:
    """`answers` by `METHOD /path`: a value, or a status and a value. What is not there is 404."""

    answers: dict[str, Any] = field(
        default_factory=lambda: {
            "GET /hospital": HOSPITAL,
            "GET /persons": [PERSON],
            f"GET /persons/{PERSON_ID}/booking-standing": {
                "absences": 0,
                "absences_allowed": 3,
                "paused_until": None,
            },
        }
    )
    asked: list[Asked] = field(default_factory=list)
    down: bool = False

    def refuses(self, what: str, status: int, code: str, detail: str, /, **fields: str) -> None:
        """From now on `what` is a problem with these words per field."""
        issues = [{"field": name, "code": "wrong", "message": words} for name, words in fields.items()]
        problem = {
            "title": "x",
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": "r-1",
            "issues": issues,
        }
        self.answers[what] = (status, problem)

    def last(self, what: str) -> Asked:
        """The newest request of that name."""
        return next(one for one in reversed(self.asked) if f"{one.method} {one.path}" == what)

    async def answer(self, request: Request) -> Response:
        """Whatever is asked."""
        path = request.url.path.removeprefix(PREFIX)
        body = await request.body()
        self.asked.append(Asked(request.method, path, dict(request.headers), body))
        found = self.answers.get(
            f"{request.method} {path}", (404, {"code": "not_found", "detail": "没有找到"})
        )
        if isinstance(found, Response):
            return found
        status, value = found if isinstance(found, tuple) else (200, found)
        if value is None:
            return Response(status_code=204)
        kind = "application/problem+json" if status >= 400 else "application/json"
        return JSONResponse(value, status, media_type=kind)

    @asynccontextmanager
    async def connect(self, _: str) -> AsyncIterator[Api]:
        """The front's client, over a wire inside this process."""
        methods = ["GET", "POST", "PUT", "DELETE"]
        app = Starlette(routes=[Route("/{path:path}", self.answer, methods=methods)])

        class Wire(httpx.ASGITransport):
            async def handle_async_request(wire, request: httpx.Request) -> httpx.Response:  # noqa: N805
                if self.down:
                    raise httpx.ConnectError("nobody listens", request=request)
                return await super().handle_async_request(request)

        async with httpx.AsyncClient(transport=Wire(app=app), base_url="http://backend.test") as http:
            yield Api(http, http)


def settings(**more: Any) -> Settings:
    """Settings of a front at https://front.test."""
    values: dict[str, Any] = {
        "backend_url": "http://backend.test", "front_url": FRONT, "api_url": API, "media_urls": (MEDIA,),
        "wechat_pages_url": WECHAT, "wechat_appid": "wx1",
    }  # fmt: skip
    return Settings(**(values | more))


@asynccontextmanager
async def opened(backend: Backend, **more: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the front; https, because its cookies are Secure."""
    app = create_app(settings(**more), backend.connect)
    wire = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=wire, base_url=FRONT) as client:
        yield client
