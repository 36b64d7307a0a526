"""Ordering drugs, dispensing them, watching the parcel."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispensing import queries, service
from backend.dispensing.model import Dispense, Receiver
from backend.dispensing.wire import (
    DeclineRequest,
    DispenseView,
    JudgeReturn,
    Ordered,
    OrderRequest,
    dispense_view,
)
from backend.edge import CLERK, PATIENT, PHARMACIST, ApiCall, ApiEndpoint, Family
from backend.prescription import queries as prescriptions
from foundation.errors import NotFound
from foundation.web.endpoint import act, get, send


async def _view(session: AsyncSession, row: Dispense) -> DispenseView:
    return dispense_view(row, await queries.way(session, row.id))


async def order(call: ApiCall, body: OrderRequest) -> Ordered:
    """Choose delivery or pick-up and open the bill."""
    row = await prescriptions.visible(call.session, call.actor, call.id())
    receiver = Receiver(body.receiver.name, body.receiver.phone, body.receiver.address)
    dispense, payment = await service.order(call.session, call.actor, row, body.method, receiver)
    return Ordered(dispense.id, payment.id, payment.amount)


async def of_prescription(call: ApiCall) -> DispenseView:
    """The order of a prescription."""
    row = await prescriptions.visible(call.session, call.actor, call.id())
    found = await queries.of_prescription(call.session, row.id)
    if found is None:
        raise NotFound("尚未下单", code="not_ordered")
    return await _view(call.session, found)


async def to_prepare(call: ApiCall) -> list[DispenseView]:
    """Paid orders waiting in the pharmacy."""
    return [await _view(call.session, row) for row in await queries.to_prepare(call.session)]


async def hand_over(call: ApiCall) -> DispenseView:
    """Packed and checked: to the courier or over the counter."""
    row = await queries.visible(call.session, call.actor, call.id())
    return await _view(call.session, await service.hand_over(call.session, call.actor, row))


async def decline(call: ApiCall, body: DeclineRequest) -> DispenseView:
    """Cannot be dispensed; the money goes back."""
    row = await queries.visible(call.session, call.actor, call.id())
    return await _view(call.session, await service.decline(call.session, call.actor, row, body.reason))


async def judge_return(call: ApiCall, body: JudgeReturn) -> DispenseView:
    """Say why drugs came back; the refund follows the cause."""
    row = await queries.visible(call.session, call.actor, call.id())
    row = await service.judge_return(call.session, call.actor, row, body.cause, body.note)
    return await _view(call.session, row)


FAMILY = Family.THIRD_PARTY
ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/prescriptions/{id}/order", order, body=OrderRequest, reply=Ordered, summary="处方下单",
         family=FAMILY, roles=[PATIENT], status=201),
    get("/prescriptions/{id}/dispense", of_prescription, reply=DispenseView, summary="配药与物流", family=FAMILY,
        roles=[PATIENT, PHARMACIST]),
    get("/dispenses", to_prepare, reply=list[DispenseView], summary="待发药", family=FAMILY,
        roles=[PHARMACIST, CLERK]),
    act("POST", "/dispenses/{id}/hand-over", hand_over, reply=DispenseView, summary="发药", family=FAMILY,
        roles=[PHARMACIST]),
    send("POST", "/dispenses/{id}/decline", decline, body=DeclineRequest, reply=DispenseView, summary="无法配药",
         family=FAMILY, roles=[PHARMACIST]),
    send("POST", "/dispenses/{id}/return", judge_return, body=JudgeReturn, reply=DispenseView, summary="认定退回原因",
         family=FAMILY, roles=[PHARMACIST]),
]  # fmt: skip
