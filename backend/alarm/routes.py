"""Alarms, for the staff who deal with them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import select

from backend.alarm import service
from backend.alarm.model import Alarm
from backend.alarm.rules import kind_of
from backend.edge import ADMIN, CLERK, QUALITY, ApiCall, ApiEndpoint, Family
from foundation.errors import NotFound
from foundation.web.endpoint import get, send
from foundation.web.parsing import decode_query

STAFF = (CLERK, QUALITY, ADMIN)


class CloseAlarm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was found and done."""

    note: Annotated[str, Meta(min_length=4, max_length=300)]


class AlarmView(msgspec.Struct, frozen=True):
    """An alarm; `link` leads to the page of the desk where it is dealt with."""

    id: UUID
    kind: str
    title: str
    advice: str
    detail: str
    link: str
    times: int
    first_at: datetime
    last_at: datetime
    closed_at: datetime | None
    note: str


class Which(msgspec.Struct, frozen=True):
    """`closed` ones instead of open ones."""

    closed: bool = False


def alarm_view(row: Alarm) -> AlarmView:
    """From the row."""
    kind = kind_of(row.kind)
    return AlarmView(
        row.id, row.kind, kind.title, kind.advice, row.detail, row.link, row.times, row.first_at, row.last_at, row.closed_at,
        row.note,
    )  # fmt: skip


async def list_all(call: ApiCall) -> list[AlarmView]:
    """Open alarms, or closed ones; the newest first."""
    wanted = decode_query(call.request.query_params, Which)
    state = Alarm.closed_at.is_not(None) if wanted.closed else Alarm.closed_at.is_(None)
    query = select(Alarm).where(state).order_by(Alarm.last_at.desc()).limit(200)
    return [alarm_view(row) for row in await call.session.scalars(query)]


async def close(call: ApiCall, body: CloseAlarm) -> AlarmView:
    """Close an alarm, saying what was done."""
    if await call.session.get(Alarm, call.id()) is None:
        raise NotFound("没有找到该告警")
    return alarm_view(await service.close(call.session, call.actor, call.id(), body.note))


FAMILY = Family.THIRD_PARTY
ENDPOINTS: list[ApiEndpoint] = [
    get("/alarms", list_all, reply=list[AlarmView], summary="运行告警", family=FAMILY, roles=STAFF),
    send("POST", "/alarms/{id}/close", close, body=CloseAlarm, reply=AlarmView, summary="告警处理完毕", family=FAMILY,
         roles=STAFF),
]  # fmt: skip
