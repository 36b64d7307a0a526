"""Endpoints declared once: method, path, types, who may call. Starlette routes and OpenAPI are made from the same table.

A handler takes a call `C` (what the process gives every handler: context, actor, session) and, where the endpoint has a
body, the parsed body. How a call is made, wrapped in a transaction and refused is the process's own `Runner`.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, TypeVar

from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send

C = TypeVar("C")
B = TypeVar("B")
R = TypeVar("R")

ROUTE = "endpoint.route"
"""Where `Exact` leaves the route that it found."""
PUBLIC: frozenset[str] = frozenset()
"""Access of an endpoint that needs no session."""


@dataclass(frozen=True, kw_only=True)
class Endpoint(Generic[C]):
    """One line of the table. `family` groups endpoints in the documents; `transaction=False` leaves units of work to the handler."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    summary: str
    family: StrEnum
    roles: frozenset[str] = PUBLIC
    body: Any = None
    reply: Any = None
    query: Any = None
    status: int = 200
    transaction: bool = True
    audited: str = ""
    limit: int = field(default=1_000_000)

    @property
    def name(self) -> str:
        """Operation id in OpenAPI."""
        return f"{self.handler.__module__.split('.')[-2]}_{self.handler.__name__}"


Runner = Callable[[Endpoint[C], Request], Awaitable[Response]]


def get(
    path: str,
    handler: Callable[[C], Awaitable[R]],
    *,
    summary: str,
    family: StrEnum,
    reply: type[R] | None = None,
    roles: Iterable[str] = (),
    query: Any = None,
    transaction: bool = True,
    audited: str = "",
) -> Endpoint[C]:
    """A read. With `audited` the read itself is an audit line of that name."""
    return Endpoint(
        method="GET", path=path, handler=handler, summary=summary, family=family, roles=frozenset(roles),
        reply=reply, query=query, transaction=transaction, audited=audited,
    )  # fmt: skip


def act(
    method: str,
    path: str,
    handler: Callable[[C], Awaitable[R]],
    *,
    summary: str,
    family: StrEnum,
    reply: type[R] | None = None,
    roles: Iterable[str] = (),
    status: int = 200,
    transaction: bool = True,
    audited: str = "",
    limit: int = 1_000_000,
) -> Endpoint[C]:
    """A verb without a JSON body."""
    return Endpoint(
        method=method, path=path, handler=handler, summary=summary, family=family, roles=frozenset(roles),
        reply=reply, status=status, transaction=transaction, audited=audited, limit=limit,
    )  # fmt: skip


def send(
    method: str,
    path: str,
    handler: Callable[[C, B], Awaitable[R]],
    *,
    body: type[B],
    summary: str,
    family: StrEnum,
    reply: type[R] | None = None,
    roles: Iterable[str] = (),
    status: int = 200,
    transaction: bool = True,
    audited: str = "",
) -> Endpoint[C]:
    """A verb with a JSON body of type `body`."""
    return Endpoint(
        method=method, path=path, handler=handler, summary=summary, family=family, roles=frozenset(roles),
        body=body, reply=reply, status=status, transaction=transaction, audited=audited,
    )  # fmt: skip


class Exact(BaseRoute):
    """The routes whose path has no parameter, by method and path. What is not here goes on to the routes themselves."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = {
            (method, route.path): route
            for route in routes
            if not route.param_convertors
            for method in route.methods or ()
            if method != "HEAD"
        }

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Of the application's own paths; it is mounted nowhere."""
        route = (
            self._routes.get((scope.get("method", ""), scope["path"])) if scope["type"] == "http" else None
        )
        if route is None:
            return Match.NONE, {}
        return Match.FULL, {"endpoint": route.endpoint, "path_params": {}, ROUTE: route}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """By the route that was found."""
        await scope[ROUTE].handle(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Nobody is named here: the routes themselves come after."""
        raise NoMatchFound(name, path_params)


def routes(endpoints: Iterable[Endpoint[C]], run: Runner[C], prefix: str = "") -> list[BaseRoute]:
    """Starlette routes of a table; `ValueError` when two lines claim one method and path.

    Those without a parameter in their path are found at once, the others are tried one after the other.
    """
    made: list[Route] = []
    seen: set[tuple[str, str]] = set()
    for endpoint in endpoints:
        key = (endpoint.method, endpoint.path)
        if key in seen:
            raise ValueError(f"declared twice: {key}")
        seen.add(key)
        made.append(
            Route(
                prefix + endpoint.path, _bound(endpoint, run), methods=[endpoint.method], name=endpoint.name
            )
        )
    return [Exact(made), *made]


def _bound(endpoint: Endpoint[C], run: Runner[C]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await run(endpoint, request)

    return answer
