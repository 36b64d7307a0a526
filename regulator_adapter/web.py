"""What both listeners share: who calls, answers that nobody keeps, refusals in one shape."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from foundation.actor import Actor
from foundation.errors import AppError, NotFound
from foundation.web.middleware import RequestId
from foundation.web.problems import handle


def application(routes: Sequence[Route]) -> Starlette:
    """An application with our problem bodies and request ids."""
    handlers: dict[Any, Any] = {AppError: handle, HTTPException: handle, Exception: handle}
    return Starlette(routes=list(routes), exception_handlers=handlers, middleware=[Middleware(RequestId)])


def caller(request: Request, roles: frozenset[str]) -> Actor:
    """The peer by its certificate; a connection without one has no name."""
    identity = request.scope.get("extensions", {}).get("peer", {}).get("identity", "")
    return Actor("process", None, roles, identity)


def answer(value: Any, status: int = 200) -> Response:
    """JSON that nobody keeps."""
    return Response(
        msgspec.json.encode(value), status, {"cache-control": "no-store"}, media_type="application/json"
    )


def path_day(request: Request) -> date:
    """The day in the path; what is none is not found."""
    try:
        return date.fromisoformat(request.path_params["day"])
    except ValueError:
        raise NotFound from None
