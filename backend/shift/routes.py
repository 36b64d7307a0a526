"""Shifts, and who is on call."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.account.model import Staff
from backend.edge import CLINICAL, PHARMACIST, SCHEDULE_MANAGER, ApiCall, ApiEndpoint, Family
from backend.shift import on_call, service
from backend.shift.model import OnCall
from foundation.clock import local_day_start
from foundation.errors import NotFound
from foundation.web.endpoint import act, get, send
from foundation.web.parsing import iso_day

DAY, TIME = r"^\d{4}-\d{2}-\d{2}$(?!\n)", r"^([01]\d|2[0-3]):[0-5]\d$(?!\n)"


class OpenShift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The CA PIN; it goes to the CA and is not kept."""

    pin: Annotated[str, Meta(min_length=4, max_length=32)]


class ShiftView(msgspec.Struct, frozen=True):
    """The open shift."""

    opened_at: datetime
    expires_at: datetime


async def open_shift(call: ApiCall, body: OpenShift) -> ShiftView:
    """Begin a shift with a fresh authentication."""
    async with call.unit_of_work() as session:
        staff = await session.get_one(Staff, call.actor.id)
        holder = staff.ca_holder
    signing = await call.app.ca.open_session(holder, body.pin, int(service.LENGTH.total_seconds()))
    async with call.unit_of_work() as session:
        shift = await service.open_shift(session, call.actor, signing)
        return ShiftView(shift.opened_at, shift.expires_at)


async def show_shift(call: ApiCall) -> ShiftView:
    """The open shift; 404 when there is none."""
    assert call.actor.id is not None
    shift = await service.current(call.session, call.actor.id)
    if shift is None:
        raise NotFound("没有进行中的班次", code="no_shift")
    return ShiftView(shift.opened_at, shift.expires_at)


async def close_shift(call: ApiCall) -> None:
    """End the shift."""
    async with call.unit_of_work() as session:
        signing = await service.close_shift(session, call.actor)
    if signing is not None:
        await call.app.ca.close_session(signing)


class PlanOnCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pharmacist, and from when to when on a Shanghai clock: `2026-11-22` and `20:00`; an end before the begin is the next day's."""

    practitioner_id: UUID
    day: Annotated[str, Meta(pattern=DAY)]
    begins: Annotated[str, Meta(pattern=TIME)]
    ends: Annotated[str, Meta(pattern=TIME)]


class OnCallView(msgspec.Struct, frozen=True):
    """One call."""

    id: UUID
    practitioner_id: UUID
    name: str
    starts_at: datetime
    ends_at: datetime


def _view(row: OnCall, who: Staff) -> OnCallView:
    return OnCallView(row.id, row.practitioner_id, who.display_name, row.starts_at, row.ends_at)


async def list_on_call(call: ApiCall) -> list[OnCallView]:
    """Calls that are not over."""
    return [_view(row, who) for row, who in await on_call.planned(call.session)]


async def plan_on_call(call: ApiCall, body: PlanOnCall) -> OnCallView:
    """Put a pharmacist on call."""
    first = local_day_start(iso_day(body.day))
    starts, ends = first + _clock(body.begins), first + _clock(body.ends)
    ends += timedelta(days=1) if ends <= starts else timedelta(0)
    row = await on_call.plan(call.session, call.actor, body.practitioner_id, starts, ends)
    return _view(row, await call.session.get_one(Staff, row.practitioner_id))


async def withdraw_on_call(call: ApiCall) -> None:
    """Take a call back."""
    await on_call.withdraw(call.session, call.actor, call.id())


def _clock(text: str) -> timedelta:
    hours, _, minutes = text.partition(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


PLANNERS = (SCHEDULE_MANAGER,)
ENDPOINTS: list[ApiEndpoint] = [
    get("/on-call", list_on_call, reply=list[OnCallView], summary="药师听班", roles=(*PLANNERS, PHARMACIST),
        family=Family.ONLINE_TREATMENT),
    send("POST", "/on-call", plan_on_call, body=PlanOnCall, reply=OnCallView, summary="安排听班", roles=PLANNERS,
         family=Family.ONLINE_TREATMENT, status=201, audited="shift.plan_on_call"),
    act("POST", "/on-call/{id}/withdraw", withdraw_on_call, summary="取消听班", roles=PLANNERS,
        family=Family.ONLINE_TREATMENT, audited="shift.withdraw_on_call"),
    send("POST", "/shifts", open_shift, body=OpenShift, reply=ShiftView, summary="开始上班", roles=CLINICAL,
         family=Family.ONLINE_TREATMENT, status=201, transaction=False, audited="shift.open"),
    get("/shifts/current", show_shift, reply=ShiftView, summary="当前班次", roles=CLINICAL,
        family=Family.ONLINE_TREATMENT),
    act("DELETE", "/shifts/current", close_shift, summary="结束上班", roles=CLINICAL, family=Family.ONLINE_TREATMENT,
        transaction=False),
]  # fmt: skip
