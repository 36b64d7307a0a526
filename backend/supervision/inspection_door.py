"""The listener for supervisors' requests: `POST /supervision/v1/{operation}`, mutual TLS, from the gateways alone."""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.context import Context
from backend.supervision import inspecting
from contracts import supervision
from foundation.actor import Actor
from foundation.db.audit import audit_refusal
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, Forbidden, NotFound
from foundation.logs import log
from foundation.web.middleware import RequestId
from foundation.web.parsing import decode, read_body
from foundation.web.problems import PROBLEM_HANDLERS, problem_response

CALLER = "x-gateway-caller"
LARGEST = 8_000


def create_door(context: Context, also: Sequence[Route] = ()) -> Starlette:
    """The application; who may come in stands in `SUPERVISION_CALLERS`. `also`: what else gateways bring."""
    allowed = frozenset(context.settings.supervision_callers)

    async def answer(request: Request) -> Response:
        peer = request.scope.get("extensions", {}).get("peer", {}).get("identity", "")
        actor, operation = Actor("process", None, frozenset(), peer), str(request.path_params["operation"])
        about = operation
        try:
            if peer not in allowed:
                raise Forbidden
            kind = supervision.BY_OPERATION.get(operation)
            if kind is None:
                raise NotFound
            asked = decode(await read_body(request, LARGEST), kind)
            actor = inspecting.actor_of(asked.supervisor, request.headers.get(CALLER, ""))
            numbers = (getattr(asked, name, None) for name in ("visit_number", "look_in_id", "question_id"))
            about = str(next(filter(None, numbers), ""))
            return await _carried_out(context, actor, asked)
        except AppError as error:
            log.warning("supervisor_refused", operation=operation[:40], code=error.code)
            await audit_refusal(
                context.db, actor, f"supervision.{operation[:40]}", f"supervision:{about[:60]}", error
            )
            return problem_response(error)

    return Starlette(
        routes=[Route("/supervision/v1/{operation}", answer, methods=["POST"]), *also],
        middleware=[Middleware(RequestId)],
        exception_handlers=PROBLEM_HANDLERS,
    )


async def _carried_out(context: Context, actor: Actor, asked: Any) -> Response:
    async with unit_of_work(context.db) as session:
        reply = await inspecting.VERBS[type(asked)](session, context, actor, asked)
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(reply), 200, headers, "application/json")
