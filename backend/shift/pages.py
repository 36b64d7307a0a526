"""The shift at the desk: begun with the CA PIN, shown above every page of those who sign."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Staff
from backend.content.service import hospital
from backend.desk.declared import DeskCall, Shown, action, page
from backend.desk.desk import Frame
from backend.edge import CLINICAL, PHARMACIST, SCHEDULE_MANAGER
from backend.shift import on_call, routes, service
from backend.shift.model import Shift
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound

ENDS_SOON = timedelta(minutes=15)


async def show(call: DeskCall) -> Shown:
    """The running shift, or the form that begins one."""
    shift = await _running(call.session, call.actor)
    return Shown("shift/shift.html", {"shift": shift, "idle": service.IDLE, "length": service.LENGTH})


async def frame(session: AsyncSession, actor: Actor) -> Frame:
    """The hospital's name, and for doctors and pharmacists how long their shift still runs."""
    try:
        name = (await hospital(session)).name
    except NotFound:
        name = ""
    if not actor.roles.intersection(CLINICAL):
        return Frame(name)
    shift = await _running(session, actor)
    if shift is None:
        return Frame(name, "未上班", off_duty=True)
    soon = shift.expires_at - clock_of(session).now() < ENDS_SOON
    return Frame(name, f"上班至 {local(shift.expires_at):%H:%M}", ends_soon=soon)


async def _running(session: AsyncSession, actor: Actor) -> Shift | None:
    """The open shift without touching it: a page that refreshes itself is not a person at work."""
    now = clock_of(session).now()
    query = select(Shift).where(Shift.practitioner_id == actor.id, Shift.closed_at.is_(None))
    shift = await session.scalar(query)
    over = shift is None or now >= shift.expires_at or now - shift.seen_at >= service.IDLE
    return None if over else shift


async def calls(call: DeskCall) -> Shown:
    """Who is on call, and the form that plans it."""
    pharmacists = select(Staff).where(Staff.role == PHARMACIST, Staff.active).order_by(Staff.display_name)
    words = {
        "planned": await on_call.planned(call.session), "pharmacists": (await call.session.scalars(pharmacists)).all(),
        "manager": call.actor.has(SCHEDULE_MANAGER),
    }  # fmt: skip
    return Shown("shift/on_call.html", words)


CALLS = page(
    "/desk/on-call",
    calls,
    title="药师听班",
    roles=[SCHEDULE_MANAGER, PHARMACIST],
    menu="药师听班",
    live=[on_call.DESK],
)
SHIFT = page("/desk/shift", show, title="班次", roles=CLINICAL, menu="班次")
PAGES = [SHIFT, CALLS]
ACTIONS = [
    action("/desk/shift/open", routes.ENDPOINTS, routes.open_shift, back=SHIFT, then="/desk/shift", said="已开始上班。"),
    action("/desk/shift/close", routes.ENDPOINTS, routes.close_shift, back=SHIFT, then="/desk/shift", said="已结束上班。"),
    action("/desk/on-call/plan", routes.ENDPOINTS, routes.plan_on_call, back=CALLS, then="/desk/on-call", said="已安排听班。"),
    action("/desk/on-call/{id}/withdraw", routes.ENDPOINTS, routes.withdraw_on_call, back=CALLS, then="/desk/on-call", said="已取消听班。"),
]  # fmt: skip
