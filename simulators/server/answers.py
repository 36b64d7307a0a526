"""JSON answers and errors of the simulators that have no standard of their own, and the limit on bodies."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 1_000_000
ErrorMaker = Callable[[int, str, str], Response]
Handler = Callable[[Request, Exception], Awaitable[Response]]

_CODES = {400: "BAD_REQUEST", 404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "TOO_LARGE"}


class BadField(ValueError):
    """The body is wrong at `field` (empty when the whole body is)."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


def error(status: int, code: str, message: str = "", field: str = "") -> JSONResponse:
    """`{"code", "field"?, "message"?}`: empty parts are left out."""
    body = {"code": code, "field": field, "message": message}
    return JSONResponse({key: value for key, value in body.items() if value}, status_code=status)


async def read_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises BadField."""
    try:
        body = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise BadField("", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadField("", "the body is not a JSON object")
    return body


def exception_handlers() -> dict[type[Exception], Handler]:
    """For `Starlette(exception_handlers=…)`."""

    async def bad_field(_: Request, problem: Exception) -> Response:
        assert isinstance(problem, BadField)
        return error(400, "BAD_REQUEST", problem.message, problem.field)

    async def http(_: Request, problem: Exception) -> Response:
        assert isinstance(problem, HTTPException)
        code = _CODES.get(problem.status_code, "ERROR")
        answer = error(problem.status_code, code, "" if code == problem.detail else problem.detail)
        answer.headers.update(problem.headers or {})
        return answer

    return {BadField: bad_field, HTTPException: http}


class BodyLimit:
    """ASGI middleware: a body over the limit is answered 413 and never reaches the application."""

    def __init__(self, app: ASGIApp, limit: int = BODY_LIMIT, answer: ErrorMaker = error) -> None:
        self._app = app
        self._limit = limit
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._limit:
            await self._refuse(scope, receive, send)
            return
        messages: list[Message] = []
        size = 0
        while True:  # read before the application does, so that it sees either a whole body or none
            message = await receive()
            messages.append(message)
            if message["type"] != "http.request":
                break
            size += len(message.get("body", b""))
            if size > self._limit:
                await self._refuse(scope, receive, send)
                return
            if not message.get("more_body", False):
                break

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, replay, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(413, "TOO_LARGE", f"the body is larger than {self._limit} bytes")(
            scope, receive, send
        )
