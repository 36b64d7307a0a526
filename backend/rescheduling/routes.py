"""Stops and moves through the API; the patient's answer."""

from uuid import UUID

from backend.appointment import queries as appointments
from backend.edge import ADMIN, CLERK, PATIENT, SCHEDULE_MANAGER, ApiCall, ApiEndpoint, Family
from backend.rescheduling import carrying, queries, service, wire
from backend.rescheduling.model import Relocation
from backend.schedule.queries import slot as slot_of
from foundation.web.endpoint import act, get, send


async def show_preview(call: ApiCall) -> wire.PreviewView:
    """Who would be affected."""
    where: wire.Where = call.query
    return wire.preview_view(await service.preview(call.session, where.scope(), where.target()))


async def make_change(call: ApiCall, body: wire.MakeChange) -> wire.ChangeView:
    """Stop, or move when a day to move to is named."""
    row = await service.stop(
        call.session,
        call.actor,
        body.scope(),
        reason=body.reason,
        expected=body.expected,
        target=body.target(),
    )
    return await _view(call, row.id)


async def reduce_slot(call: ApiCall, body: wire.Reduce) -> wire.ChangeView:
    """Fewer places than are sold."""
    slot = await slot_of(call.session, call.id())
    row = await service.reduce(
        call.session, call.actor, slot.id, capacity=body.capacity, reason=body.reason, expected=body.expected,
        target=body.target(slot.practitioner_id),
    )  # fmt: skip
    return await _view(call, row.id)


async def list_changes(call: ApiCall) -> list[wire.ChangeView]:
    """Newest first."""
    rows = await queries.changes(call.session)
    counts = await queries.counts(call.session, [row.id for row in rows])
    return [wire.change_view(row, counts[row.id]) for row in rows]


async def show_change(call: ApiCall) -> wire.ChangeView:
    """One, with how far it is."""
    return await _view(call, call.id())


async def lift(call: ApiCall) -> wire.ChangeView:
    """The doctor comes after all."""
    row = await service.lift(call.session, call.actor, call.id())
    return await _view(call, row.id)


async def accept_move(call: ApiCall) -> wire.RelocationView:
    """The new time suits."""
    row = await _offer(call)
    await carrying.accept(call.session, call.actor, row)
    return wire.relocation_view(await carrying.offer_of(call.session, row.appointment_id))


async def refuse_move(call: ApiCall) -> wire.RelocationView:
    """The money back."""
    row = await _offer(call)
    await carrying.refuse(call.session, call.actor, row)
    return wire.relocation_view(await carrying.offer_of(call.session, row.appointment_id))


async def _offer(call: ApiCall) -> Relocation:
    booked = await appointments.visible(call.session, call.actor, call.id())
    return await carrying.offer_of(call.session, booked.id)


async def _view(call: ApiCall, change_id: UUID) -> wire.ChangeView:
    row = await queries.change(call.session, change_id)
    return wire.change_view(row, (await queries.counts(call.session, [row.id]))[row.id])


WHO = [SCHEDULE_MANAGER, ADMIN]
ANSWERS = [PATIENT, CLERK, SCHEDULE_MANAGER]
CARE = Family.ONLINE_TREATMENT
ENDPOINTS: list[ApiEndpoint] = [
    get("/schedule-changes/preview", show_preview, reply=wire.PreviewView, query=wire.Where, summary="停诊或改约影响预览",
        family=CARE, roles=WHO),
    send("POST", "/schedule-changes", make_change, body=wire.MakeChange, reply=wire.ChangeView, summary="停诊或改约",
         family=CARE, roles=WHO, status=201, audited="rescheduling.change"),
    get("/schedule-changes", list_changes, reply=list[wire.ChangeView], summary="停诊与改约记录", family=CARE, roles=WHO),
    get("/schedule-changes/{id}", show_change, reply=wire.ChangeView, summary="一次停诊或改约", family=CARE, roles=WHO),
    act("POST", "/schedule-changes/{id}/lift", lift, reply=wire.ChangeView, summary="恢复出诊", family=CARE, roles=WHO,
        audited="rescheduling.lift"),
    send("POST", "/slots/{id}/reduce", reduce_slot, body=wire.Reduce, reply=wire.ChangeView, summary="减号并安置多出的患者",
         family=CARE, roles=WHO, status=201, audited="rescheduling.change"),
    act("POST", "/appointments/{id}/move/accept", accept_move, reply=wire.RelocationView, summary="接受改约",
        family=Family.PERSONAL_VISIT, roles=ANSWERS, audited="rescheduling.accept"),
    act("POST", "/appointments/{id}/move/refuse", refuse_move, reply=wire.RelocationView, summary="不接受改约，退款",
        family=Family.PERSONAL_VISIT, roles=ANSWERS, audited="rescheduling.refuse"),
]  # fmt: skip
