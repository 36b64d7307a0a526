"""Shifts."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from backend.account.model import Staff
from backend.edge import CLINICAL, ApiCall, ApiEndpoint, Family
from backend.shift import service
from foundation.errors import NotFound
from foundation.web.endpoint import act, get, send


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


ENDPOINTS: list[ApiEndpoint] = [
    send("POST", "/shifts", open_shift, body=OpenShift, reply=ShiftView, summary="开始上班", roles=CLINICAL,
         family=Family.ONLINE_TREATMENT, status=201, transaction=False, audited="shift.open"),
    get("/shifts/current", show_shift, reply=ShiftView, summary="当前班次", roles=CLINICAL,
        family=Family.ONLINE_TREATMENT),
    act("DELETE", "/shifts/current", close_shift, summary="结束上班", roles=CLINICAL, family=Family.ONLINE_TREATMENT,
        transaction=False),
]  # fmt: skip
