"""How a process with a database answers an endpoint: who, what, one transaction, and refusals written down."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from foundation.actor import NOBODY, Actor
from foundation.canonical import sha256
from foundation.clock import Clock
from foundation.db import idempotency
from foundation.db.audit import audit, audit_refusal
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import AppError, Forbidden, Unauthenticated
from foundation.logs import log
from foundation.web.endpoint import Endpoint, Runner
from foundation.web.parsing import decode, decode_query, path_id, read_body
from foundation.web.problems import problem_response

X = TypeVar("X")


@dataclass
class Call(Generic[X]):
    """One request as a handler sees it; `app` is the process's context."""

    app: X
    db: Database
    request: Request
    actor: Actor
    query: Any = None
    held: AsyncSession | None = None
    raw: bytes = b""

    @property
    def session(self) -> AsyncSession:
        """The transaction of this request; only for endpoints with `transaction=True`."""
        if self.held is None:
            raise RuntimeError("this endpoint opens its own units of work")
        return self.held

    @property
    def clock(self) -> Clock:
        """The process's clock."""
        return self.db.clock

    def unit_of_work(self) -> AbstractAsyncContextManager[AsyncSession]:
        """One of several transactions of a request that calls outside between them."""
        return unit_of_work(self.db)

    @property
    def key(self) -> str:
        """The idempotency key of a POST, empty when there is none."""
        return self.request.headers.get("idempotency-key", "") if self.request.method == "POST" else ""

    @property
    def digest(self) -> bytes:
        """What is asked: a key that was used for something else is refused."""
        return sha256(f"{self.request.method} {self.request.url.path}\n".encode() + self.raw)

    def id(self, name: str = "id") -> UUID:
        """A UUID in the path."""
        return path_id(self.request, name)


Identify = Callable[[Request], Awaitable[Actor]]
"""Who calls; `NOBODY` when there is no session, `Unauthenticated` when there was one."""


Guard = Callable[[Endpoint[Any], Actor], Awaitable[None]]
"""What else must hold before somebody with the right role is heard, whatever she says; it refuses by raising."""


def runner(app: X, db: Database, identify: Identify, guard: Guard | None = None) -> Runner[Call[X]]:
    """The `Runner` for a table of endpoints."""

    async def run(endpoint: Endpoint[Call[X]], request: Request) -> Response:
        actor = NOBODY
        try:
            actor = await identify(request)
            _admit(endpoint, actor)
            if guard is not None:
                await guard(endpoint, actor)
            call = Call(app, db, request, actor)
            if endpoint.query is not None:
                call.query = decode_query(request.query_params, endpoint.query)
            raw = await read_body(request, endpoint.limit) if endpoint.body is not None else b""
            call.raw = raw
            arguments = () if endpoint.body is None else (decode(raw, endpoint.body),)
            return await _answer(endpoint, call, arguments)
        except AppError as error:
            if error.written_down and (endpoint.roles or endpoint.audited):
                await _note_refusal(db, actor, endpoint, request, error)
            return problem_response(error)

    return run


async def _note_refusal(
    db: Database, actor: Actor, endpoint: Endpoint[Any], request: Request, error: AppError
) -> None:
    """Written down; when that fails too, the caller still gets the refusal and not our fault."""
    action = endpoint.audited or endpoint.name
    try:
        await audit_refusal(db, actor, action, _subject(endpoint, request), error)
    except Exception as lost:
        log.error(
            "refusal_not_recorded", action=action, code=error.code, error=f"{type(lost).__name__}: {lost}"
        )


def _admit(endpoint: Endpoint[Any], actor: Actor) -> None:
    if not endpoint.roles:
        return
    if actor is NOBODY:
        raise Unauthenticated
    if not actor.roles.intersection(endpoint.roles):
        raise Forbidden


async def _answer(endpoint: Endpoint[Call[X]], call: Call[X], arguments: tuple[Any, ...]) -> Response:
    if not endpoint.transaction:
        return _response(endpoint, await endpoint.handler(call, *arguments))
    key = call.key
    async with unit_of_work(call.db) as session:
        call.held = session
        if not key or call.actor.id is None:
            reply = await endpoint.handler(call, *arguments)
            _note_read(session, endpoint, call)
            return _response(endpoint, reply)
        digest = call.digest
        earlier = await idempotency.begin(session, call.actor.id, key, digest)
        if earlier is not None:
            status, body = earlier
            return replay(status, body)
        response = _response(endpoint, await endpoint.handler(call, *arguments))
        await idempotency.finish(session, call.actor.id, key, response.status_code, bytes(response.body))
        return response


def replay(status: int, body: bytes) -> Response:
    """An answer that was given before."""
    return Response(body, status, {"idempotency-replayed": "true"}, "application/json")


def _note_read(session: AsyncSession, endpoint: Endpoint[Any], call: Call[Any]) -> None:
    if endpoint.method == "GET" and endpoint.audited:
        kind, _, subject_id = _subject(endpoint, call.request).partition(":")
        audit(session, call.actor, endpoint.audited, kind, subject_id)


def _subject(endpoint: Endpoint[Any], request: Request) -> str:
    """`encounter:<id>` from `/encounters/{id}/…`: what the audit line is about."""
    kind = endpoint.path.strip("/").split("/")[0].rstrip("s") or "root"
    about = str(next(iter(request.path_params.values()), ""))
    return f"{kind}:{''.join(char for char in about if char.isprintable())[:80]}"


def _response(endpoint: Endpoint[Any], reply: Any) -> Response:
    if isinstance(reply, Response):
        return reply
    if reply is None:
        return Response(status_code=204)
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(reply), endpoint.status, headers, "application/json")
