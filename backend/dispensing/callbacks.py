"""The courier's callbacks: signed, stored once, answered, then a job asks the courier."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from backend.context import Context
from backend.dispensing import queries
from backend.dispensing.service import TRACK
from backend.outside.signed import verified
from foundation.actor import NOBODY
from foundation.db.audit import audit
from foundation.db.inbox import receive
from foundation.db.intents import intend
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import BadRequest, NotFound, Unauthenticated
from foundation.web.parsing import decode, read_body

PATH = "/notify/courier"


class CourierCallback(msgspec.Struct, frozen=True):
    """What the courier posts; only id and waybill are used."""

    id: str
    waybill: str
    status: str = ""


def routes(context: Context) -> list[Route]:
    """Public, but only the courier's signature opens it."""

    async def called(request: Request) -> Response:
        body = await read_body(request, 64_000)
        settings = context.settings
        known_key = request.headers.get("x-app-key", "") == settings.courier_callback_key
        now = context.clock.timestamp()
        if not known_key or not verified(settings.courier_callback_secret, PATH, request.headers, body, now):
            async with unit_of_work(context.db) as session:
                audit(
                    session,
                    NOBODY,
                    "dispense.callback",
                    "parcel",
                    "",
                    outcome="refused",
                    code="not_the_courier",
                )
            raise Unauthenticated("签名不正确", code="bad_signature")
        callback = decode(body, CourierCallback)
        if not 1 <= len(callback.id) <= 80:
            raise BadRequest("缺少回调编号", code="malformed_callback")
        async with unit_of_work(context.db) as session:
            dispense = await queries.by_waybill(session, callback.waybill)
            if dispense is None:
                audit(session, NOBODY, "dispense.callback", "parcel", callback.waybill[:80], outcome="refused",
                      code="unknown_waybill")  # fmt: skip
            elif await receive(session, "courier", callback.id, callback.status[:60], callback.waybill):
                await intend(session, TRACK, dispense.id)
        if dispense is None:
            raise NotFound("没有这个运单", code="unknown_waybill")
        return Response(status_code=204)

    return [Route(PATH, called, methods=["POST"])]
