"""`POST /hospital/v1/hints` on the listener for gateways: mutual TLS, from the gateways alone."""

import msgspec
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.context import Context
from backend.hospital_hint import service
from contracts.hints import HintTaken, HospitalHint
from foundation.actor import Actor
from foundation.db.audit import audit_refusal
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, Forbidden
from foundation.logs import log
from foundation.web.parsing import decode, read_body
from foundation.web.problems import problem_response

LARGEST = 4_000


def routes(context: Context) -> list[Route]:
    """Who may come in stands in `SUPERVISION_CALLERS`: the same gateways."""
    allowed = frozenset(context.settings.supervision_callers)

    async def take(request: Request) -> Response:
        peer = request.scope.get("extensions", {}).get("peer", {}).get("identity", "")
        actor = Actor("process", None, frozenset(), peer)
        try:
            if peer not in allowed:
                raise Forbidden
            hint = decode(await read_body(request, LARGEST), HospitalHint)
            async with unit_of_work(context.db) as session:
                taken = await service.take(session, actor, hint)
        except AppError as error:
            log.warning("hint_refused", code=error.code)
            await audit_refusal(context.db, actor, "hospital.hint", f"{service.SUBJECT}:", error)
            return problem_response(error)
        await _told(context, taken)
        return Response(msgspec.json.encode(HintTaken(taken.fresh)), 200, media_type="application/json")

    return [Route("/hospital/v1/hints", take, methods=["POST"])]


async def _told(context: Context, taken: service.Taken) -> None:
    """Forget what is on display and wake open screens: both may fail, neither is a fact."""
    try:
        if taken.persons:
            await context.redis.delete(*(f"display:history:{one}" for one in taken.persons))
        if taken.doctors:
            await context.live.announce({f"queue:{one}" for one in taken.doctors})
    except (RedisError, OSError) as error:
        log.warning("hint_not_told", error=type(error).__name__)
