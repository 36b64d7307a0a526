"""Adverse events, for the staff who report them and the quality department."""

from uuid import UUID

import msgspec

from backend.adverse_event import queries, service
from backend.adverse_event.states import REPORTERS
from backend.adverse_event.wire import (
    AcceptAdverseEvent,
    AdverseEventLine,
    AdverseEventView,
    CloseAdverseEvent,
    ReportAdverseEvent,
    SupplementAdverseEvent,
    event_view,
    line_view,
)
from backend.edge import DOCTOR, QUALITY, ApiCall, ApiEndpoint, Family
from backend.shift import service as shifts
from foundation.web.endpoint import get, send
from foundation.web.parsing import decode_query


class Which(msgspec.Struct, frozen=True):
    """`closed` ones instead of open ones."""

    closed: bool = False


async def report(call: ApiCall, body: ReportAdverseEvent) -> AdverseEventView:
    """Report an adverse event."""
    row = await service.report(
        call.session, call.actor, kind=body.kind, whom=body.whom, told=body.told, form_id=body.form_id
    )
    return await _view(call, row.id)


async def list_all(call: ApiCall) -> list[AdverseEventLine]:
    """One's own; for the quality department all of them."""
    wanted = decode_query(call.request.query_params, Which)
    return [line_view(row) for row in await queries.listed(call.session, call.actor, closed=wanted.closed)]


async def show(call: ApiCall) -> AdverseEventView:
    """One event."""
    return await _view(call, call.id())


async def supplement(call: ApiCall, body: SupplementAdverseEvent) -> AdverseEventView:
    """Another report about an event. Asked for here too, for the desk's form does not pass the API's guard."""
    if call.actor.has(DOCTOR):
        await shifts.require(call.session, call.actor)
    await service.supplement(call.session, call.actor, call.id(), body.told, body.seen)
    return await _view(call, call.id())


async def accept(call: ApiCall, body: AcceptAdverseEvent) -> AdverseEventView:
    """Classify it."""
    await service.accept(
        call.session, call.actor, call.id(), kind=body.kind, grade=body.grade, note=body.note, seen=body.seen
    )
    return await _view(call, call.id())


async def close(call: ApiCall, body: CloseAdverseEvent) -> AdverseEventView:
    """Settle it."""
    await service.close(call.session, call.actor, call.id(), note=body.note, seen=body.seen)
    return await _view(call, call.id())


async def _view(call: ApiCall, event_id: UUID) -> AdverseEventView:
    row = await queries.visible(call.session, call.actor, event_id)
    return event_view(row, await queries.reports(call.session, row.id))


FAMILY = Family.ONLINE_TREATMENT
ONE = "/adverse-events/{id}"
ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/adverse-events", report, body=ReportAdverseEvent, reply=AdverseEventView, summary="上报不良事件",
         family=FAMILY, roles=REPORTERS, status=201),
    get("/adverse-events", list_all, reply=list[AdverseEventLine], summary="不良事件列表", family=FAMILY, roles=REPORTERS),
    get(ONE, show, reply=AdverseEventView, summary="不良事件", family=FAMILY, roles=REPORTERS, audited="adverse_event.view"),
    send("POST", ONE + "/supplement", supplement, body=SupplementAdverseEvent, reply=AdverseEventView,
         summary="补充报告不良事件", family=FAMILY, roles=REPORTERS),
    send("POST", ONE + "/accept", accept, body=AcceptAdverseEvent, reply=AdverseEventView, summary="受理不良事件",
         family=FAMILY, roles=[QUALITY]),
    send("POST", ONE + "/close", close, body=CloseAdverseEvent, reply=AdverseEventView, summary="不良事件结案",
         family=FAMILY, roles=[QUALITY]),
]  # fmt: skip
