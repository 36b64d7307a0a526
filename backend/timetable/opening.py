"""Opens the coming days of every doctor; finds open slots that lost their pharmacist."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.policy import policy
from backend.practitioner.model import Practitioner
from backend.schedule.model import Slot
from backend.schedule.rules import HELD
from backend.timetable import planning, rules
from backend.timetable.laying import Laid, open_missing
from backend.timetable.model import DaySession, WeeklySession
from foundation.actor import Actor
from foundation.clock import local
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.intents import intend
from foundation.db.locks import lock
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Issue

OPEN = "timetable.open"
AFTER_MIDNIGHT = 5
"""Minutes after midnight at which the next day is opened."""
STREAM = "timetable"
"""Touched by every change, for screens that show it."""


async def ask_to_open(session: AsyncSession, due: datetime | None = None) -> None:
    """Have the coming days opened, at once or at `due`."""
    await intend(session, OPEN, hospital_id(), due=due)


def next_opening(now: datetime) -> datetime:
    """Shortly after the next midnight in Shanghai."""
    return rules.at(rules.day_of(now) + timedelta(days=1), AFTER_MIDNIGHT)


async def doctors_who_sit(session: AsyncSession) -> Sequence[UUID]:
    """Active doctors with a session that has not ended."""
    today = clock_of(session).today()
    weekly = select(WeeklySession.practitioner_id).where(
        WeeklySession.valid_to.is_(None) | (WeeklySession.valid_to >= today)
    )
    single = select(DaySession.practitioner_id).where(DaySession.day >= today)
    query = select(Practitioner.id).where(
        Practitioner.active, Practitioner.id.in_(weekly.union(single)), Practitioner.kind == "doctor"
    )
    return (await session.scalars(query.order_by(Practitioner.id))).all()


async def open_coming_days(session: AsyncSession, practitioner_id: UUID) -> Laid:
    """Slots of one doctor from today on, as far ahead as the policy says; what is there stays as it is."""
    today = clock_of(session).today()
    last = today + timedelta(days=policy().open_days)
    laid = await open_missing(
        session, practitioner_id, today, last, await planning.duty(session, today, last)
    )
    if laid.opened:
        touch(session, STREAM)
    return laid


async def uncovered(session: AsyncSession) -> list[Slot]:
    """Open slots of ours to come after whose end no pharmacist is planned (practice.md 12)."""
    now, today = clock_of(session).now(), clock_of(session).today()
    query = select(Slot).where(Slot.starts_at > now, Slot.stopped_at.is_(None), Slot.source == "own")
    found = (await session.scalars(query.order_by(Slot.starts_at, Slot.id))).all()
    if not found:
        return []
    on_duty = await planning.duty(session, today, found[-1].day)
    return [slot for slot in found if not rules.covered(slot.ends_at, on_duty, policy())]


async def close_uncovered(session: AsyncSession, actor: Actor) -> int:
    """Stop selling what has no pharmacist and no patient; whoever has a place keeps it and is moved or stopped by a person."""
    now = clock_of(session).now()
    ids = [slot.id for slot in await uncovered(session)]
    closed = await session.scalars(
        update(Slot)
        .where(Slot.id.in_(ids), Slot.remaining == Slot.capacity)
        .values(stopped_at=now)
        .returning(Slot.id)
        .execution_options(synchronize_session=False)
    )
    count = len(closed.all())
    touch(session, STREAM)
    audit(session, actor, "timetable.close_uncovered", "timetable", hospital_id(),
          detail={"who": "", "what": f"关闭没有药师值班的空闲时段 {count} 个"})  # fmt: skip
    return count


async def resize(session: AsyncSession, actor: Actor, slot_id: UUID, *, capacity: int) -> Slot:
    """More or fewer places in one slot. Refused below what is sold: who has a place is stopped or moved first."""
    row = await lock(session, Slot, slot_id)
    sold = row.capacity - row.remaining
    if row.stopped_at is not None or row.ends_at <= clock_of(session).now():
        raise Conflict("该时段已停诊或已结束", code="slot_over")
    if row.source != "own":
        raise Conflict("该时段由院内系统管理，请在院内系统调整", code="slot_mirrored")
    if capacity < sold:
        said = f"已有 {sold} 人预约，不能少于 {sold} 个号；如确需减少，请先停诊或改约多出的患者"
        raise Conflict(said, code="places_sold", issues=[Issue("capacity", "below_sold", said)])
    before, row.capacity, row.remaining = row.capacity, capacity, capacity - sold
    row.surplus = 0  # whoever is still to leave leaves a place behind
    left = row.remaining
    for name in HELD.values():
        setattr(row, name, min(getattr(row, name), left))
        left -= getattr(row, name)
    doctor = await session.get_one(Practitioner, row.practitioner_id)
    touch(session, STREAM)
    audit(session, actor, "timetable.resize", "timetable", row.id,
          detail={"who": doctor.name, "what": f"{local(row.starts_at):%m-%d %H:%M} 号数 {before} → {capacity}"})  # fmt: skip
    return row
