"""Ordering drugs, dispensing them, watching the parcel."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispensing import preparing, queries, returning, service
from backend.dispensing.model import Dispense, Receiver
from backend.dispensing.wire import (
    DeclineRequest,
    DispenseView,
    HandOver,
    JudgeReturn,
    Ordered,
    OrderRequest,
    Prepared,
    TraceCodes,
    TraceCodeView,
    Ways,
    dispense_view,
    dispensed,
)
from backend.edge import CLERK, PATIENT, PHARMACIST, ApiCall, ApiEndpoint, Family
from backend.prescription import queries as prescriptions
from foundation.errors import NotFound
from foundation.web.endpoint import act, get, send


async def _view(session: AsyncSession, row: Dispense, *, own: bool = False) -> DispenseView:
    record = dispensed(row, *await queries.facts_of(session, row))
    return dispense_view(row, await queries.way(session, row.id), own=own, record=record)


def _ban(call: ApiCall) -> bool:
    return call.app.settings.review_retail_ban


async def order(call: ApiCall, body: OrderRequest) -> Ordered:
    """Choose delivery or pick-up and open the bill."""
    row = await prescriptions.visible(call.session, call.actor, call.id())
    receiver = Receiver(body.receiver.name, body.receiver.phone, body.receiver.address)
    dispense, payment = await service.order(
        call.session, call.actor, row, body.method, receiver, retail_ban=_ban(call)
    )
    return Ordered(dispense.id, payment.id, payment.amount)


async def of_prescription(call: ApiCall) -> DispenseView:
    """The order of a prescription."""
    row = await prescriptions.visible(call.session, call.actor, call.id())
    found = await queries.of_prescription(call.session, row.id)
    if found is None:
        raise NotFound("尚未下单", code="not_ordered")
    return await _view(call.session, found, own=call.actor.kind == "account")


async def ways(call: ApiCall) -> Ways:
    """How it may come to her, before she chooses."""
    row = await prescriptions.visible(call.session, call.actor, call.id())
    why_not = {
        method: [
            one.message
            for one in await queries.leaving_issues(call.session, row, method, retail_ban=_ban(call))
        ]
        for method in ("courier", "pickup")
    }
    return Ways(not why_not["courier"], "；".join(why_not["courier"]), not why_not["pickup"])


async def to_prepare(call: ApiCall) -> list[DispenseView]:
    """Paid orders waiting in the pharmacy."""
    return [await _view(call.session, row) for row in await queries.to_prepare(call.session)]


async def record_codes(call: ApiCall, body: TraceCodes) -> list[TraceCodeView]:
    """Record the trace codes of one line."""
    row = await queries.visible(call.session, call.actor, call.id())
    found = await preparing.record_codes(call.session, call.actor, row, body.line, body.codes.split())
    return [TraceCodeView(one.line, one.drug_code, one.code) for one in found]


async def where_is(call: ApiCall) -> DispenseView:
    """The order a pack went to, by its trace code: a recall asks."""
    found = await preparing.code_belongs_to(call.session, call.request.path_params["code"])
    if found is None:
        raise NotFound("没有发出过这个追溯码", code="unknown_trace_code")
    return await _view(call.session, await queries.dispense(call.session, found.dispense_id))


async def prepare(call: ApiCall, body: Prepared) -> DispenseView:
    """Packed and coded."""
    row = await queries.visible(call.session, call.actor, call.id())
    return await _view(
        call.session,
        await preparing.prepare(call.session, call.actor, row, body.no_code_reason, retail_ban=_ban(call)),
    )


async def hand_over(call: ApiCall, body: HandOver) -> DispenseView:
    """Checked: to the courier or over the counter. A pick-up code is counted first, in a transaction that stays."""
    async with call.unit_of_work() as session:
        row = await queries.visible(session, call.actor, call.id())
        refused = await service.try_code(session, call.actor, row.id, body.pickup_code)
    if refused is not None:
        raise refused
    async with call.unit_of_work() as session:
        row = await service.hand_over(
            session, call.actor, await queries.visible(session, call.actor, call.id()), body.done,
            retail_ban=_ban(call), pickup_code=body.pickup_code, without_code=body.without_code,
        )  # fmt: skip
        return await _view(session, row)


async def quarantine(call: ApiCall) -> DispenseView:
    """Drugs are back and kept apart."""
    row = await queries.visible(call.session, call.actor, call.id())
    return await _view(call.session, await returning.quarantine(call.session, call.actor, row))


async def decline(call: ApiCall, body: DeclineRequest) -> DispenseView:
    """Cannot be dispensed; the money goes back."""
    row = await queries.visible(call.session, call.actor, call.id())
    return await _view(call.session, await service.decline(call.session, call.actor, row, body.reason))


async def judge_return(call: ApiCall, body: JudgeReturn) -> DispenseView:
    """Say why drugs came back; the refund follows the cause."""
    row = await queries.visible(call.session, call.actor, call.id())
    row = await returning.judge(call.session, call.actor, row, body.cause, body.disposal, body.note)
    return await _view(call.session, row)


FAMILY = Family.THIRD_PARTY
ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/prescriptions/{id}/order", order, body=OrderRequest, reply=Ordered, summary="处方下单",
         family=FAMILY, roles=[PATIENT], status=201),
    get("/prescriptions/{id}/dispense", of_prescription, reply=DispenseView, summary="配药与物流", family=FAMILY,
        roles=[PATIENT, PHARMACIST]),
    get("/dispenses", to_prepare, reply=list[DispenseView], summary="待发药", family=FAMILY,
        roles=[PHARMACIST, CLERK]),
    get("/prescriptions/{id}/ways", ways, reply=Ways, summary="可选的取药方式", family=FAMILY, roles=[PATIENT]),
    send("POST", "/dispenses/{id}/trace-codes", record_codes, body=TraceCodes, reply=list[TraceCodeView],
         summary="登记追溯码", family=FAMILY, roles=[PHARMACIST]),
    get("/trace-codes/{code}", where_is, reply=DispenseView, summary="按追溯码查去向", family=FAMILY,
        roles=[PHARMACIST], audited="dispense.where_is"),
    send("POST", "/dispenses/{id}/prepare", prepare, body=Prepared, reply=DispenseView, summary="调配完成", family=FAMILY,
         roles=[PHARMACIST]),
    send("POST", "/dispenses/{id}/hand-over", hand_over, body=HandOver, reply=DispenseView, summary="核对发药",
         family=FAMILY, roles=[PHARMACIST], transaction=False),
    act("POST", "/dispenses/{id}/quarantine", quarantine, reply=DispenseView, summary="退回药品入隔离区", family=FAMILY,
        roles=[PHARMACIST]),
    send("POST", "/dispenses/{id}/decline", decline, body=DeclineRequest, reply=DispenseView, summary="无法配药",
         family=FAMILY, roles=[PHARMACIST]),
    send("POST", "/dispenses/{id}/return", judge_return, body=JudgeReturn, reply=DispenseView, summary="认定退回原因",
         family=FAMILY, roles=[PHARMACIST]),
]  # fmt: skip
