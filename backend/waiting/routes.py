"""The waiting room for patients, and for the duty desk."""

from backend.appointment import queries as appointments
from backend.edge import DUTY_DESK, PATIENT, ApiCall, ApiEndpoint, Family
from backend.patient import queries as patients
from backend.waiting import queries, service
from backend.waiting.views import handover_view, waiting_view, waiting_visit
from backend.waiting.wire import HandoverView, LateChoice, ProposeHandover, WaitingView, WaitingVisit
from foundation.errors import Conflict
from foundation.web.endpoint import act, get, send


async def show(call: ApiCall) -> WaitingView:
    """Place, wait and choices of one appointment."""
    return await waiting_view(call.session, await appointments.visible(call.session, call.actor, call.id()))


async def choose(call: ApiCall, body: LateChoice) -> WaitingView:
    """The doctor is late: money back, or the place kept."""
    booked = await appointments.visible(call.session, call.actor, call.id())
    await patients.require_scope(call.session, call.actor, booked.person_id, "book")
    if booked.encounter_id is None:
        raise Conflict("请先支付诊查费", code="not_booked")
    if body.choice == "keep":
        await service.keep_place(call.session, call.actor, booked.encounter_id)
    else:
        await service.take_refund(call.session, call.actor, booked)
    return await waiting_view(call.session, await appointments.visible(call.session, call.actor, call.id()))


async def who_waits(call: ApiCall) -> list[WaitingVisit]:
    """Everybody who waits, longest first."""
    found = await queries.who_waits(call.session)
    return [await waiting_visit(call.session, visit, booked) for visit, booked in found]


async def propose(call: ApiCall, body: ProposeHandover) -> HandoverView:
    """Name a colleague for a waiting patient."""
    return handover_view(await service.propose(call.session, call.actor, call.id(), body.practitioner_id))


async def agree(call: ApiCall) -> HandoverView:
    """The patient agrees, or the duty desk heard her say so."""
    row = await queries.handover(call.session, call.id())
    await service.may_answer(call.session, call.actor, row)
    await service.agree(call.session, call.actor, row)
    return handover_view(row)


async def refuse(call: ApiCall) -> HandoverView:
    """The patient would rather wait for her doctor."""
    row = await queries.handover(call.session, call.id())
    await service.may_answer(call.session, call.actor, row)
    await service.refuse(call.session, call.actor, row)
    return handover_view(row)


async def withdraw(call: ApiCall) -> HandoverView:
    """The desk takes its proposal back."""
    row = await queries.handover(call.session, call.id())
    await service.withdraw(call.session, call.actor, row)
    return handover_view(row)


FAMILY = Family.ONLINE_TREATMENT
ENDPOINTS: list[ApiEndpoint] = [
    get("/appointments/{id}/waiting", show, reply=WaitingView, summary="候诊位置和预计等候", family=FAMILY,
        roles=[PATIENT]),
    send("POST", "/appointments/{id}/late-choice", choose, body=LateChoice, reply=WaitingView,
         summary="医生迟到：退款或继续等候", family=FAMILY, roles=[PATIENT]),
    get("/waiting-visits", who_waits, reply=list[WaitingVisit], summary="候诊患者", family=FAMILY, roles=[DUTY_DESK]),
    send("POST", "/encounters/{id}/handovers", propose, body=ProposeHandover, reply=HandoverView, status=201,
         summary="建议转由其他医生接诊", family=FAMILY, roles=[DUTY_DESK], audited="handover.propose"),
    act("POST", "/handovers/{id}/agree", agree, reply=HandoverView, summary="同意转由其他医生接诊", family=FAMILY,
        roles=[PATIENT, DUTY_DESK]),
    act("POST", "/handovers/{id}/refuse", refuse, reply=HandoverView, summary="继续等原来的医生", family=FAMILY,
        roles=[PATIENT, DUTY_DESK]),
    act("POST", "/handovers/{id}/withdraw", withdraw, reply=HandoverView, summary="撤回转诊建议", family=FAMILY,
        roles=[DUTY_DESK]),
]  # fmt: skip
