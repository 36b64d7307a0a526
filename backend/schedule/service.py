"""Opening slots, taking places and giving them back: the only writers of `slot`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, String, bindparam, case, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.practitioner.queries import require_filed
from backend.pricing.service import visit_price_code
from backend.schedule.model import Slot
from backend.schedule.rules import HELD, Channel
from foundation.clock import LOCAL
from foundation.db.base import hospital_id
from foundation.db.guards import guarded
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id

_TAKE = text(
    """
    UPDATE slot SET remaining = remaining - 1, taken = taken + 1,
        held_follow_up = CASE WHEN shares_end_at <= :now THEN 0
            ELSE held_follow_up - (:channel = 'follow-up' AND held_follow_up > 0)::int END,
        held_staff = CASE WHEN shares_end_at <= :now THEN 0
            ELSE held_staff - (:channel = 'staff-assisted' AND held_staff > 0)::int END,
        held_referral = CASE WHEN shares_end_at <= :now THEN 0
            ELSE held_referral - (:channel = 'referral' AND held_referral > 0)::int END
    WHERE id = :slot AND remaining > 0 AND stopped_at IS NULL AND (released_at IS NULL OR released_at <= :now)
        AND (fresh_until IS NULL OR fresh_until > :now)
        AND (shares_end_at <= :now
            OR remaining > held_follow_up + held_staff + held_referral
            OR (:channel = 'follow-up' AND held_follow_up > 0)
            OR (:channel = 'staff-assisted' AND held_staff > 0)
            OR (:channel = 'referral' AND held_referral > 0))
    RETURNING taken, CASE WHEN new.shares_end_at <= :now THEN 'general'
        WHEN old.held_follow_up + old.held_staff + old.held_referral
            > new.held_follow_up + new.held_staff + new.held_referral THEN :channel
        ELSE 'general' END AS place
    """
).bindparams(bindparam("channel", type_=String), bindparam("now", type_=DateTime(timezone=True)))
"""`rules.take` as one statement: nobody can come between look and write. `old` and `new` need PostgreSQL 18."""
_LOOK = text("SELECT remaining, taken FROM slot WHERE id = :slot")
_WRITE = text("UPDATE slot SET remaining = :remaining, taken = :taken WHERE id = :slot")


@dataclass(frozen=True)
class Taken:
    """A place: its serial number, and for whom it had been kept."""

    number: int
    place: Channel


async def take(session: AsyncSession, slot_id: UUID, channel: Channel = Channel.GENERAL) -> Taken | None:
    """Take one place for `channel`: one of its own, else one kept for nobody; None when there is none on sale."""
    if guarded("slot_take"):
        values = {"slot": slot_id, "channel": channel.value, "now": clock_of(session).now()}
        row = (await session.execute(_TAKE, values)).first()
        return None if row is None else Taken(row.taken, Channel(row.place))
    looked = (await session.execute(_LOOK, {"slot": slot_id})).one()
    if looked.remaining <= 0:
        return None
    written = {"slot": slot_id, "remaining": looked.remaining - 1, "taken": looked.taken + 1}
    await session.execute(_WRITE, written)
    return Taken(int(looked.taken) + 1, Channel.GENERAL)


async def give_back(session: AsyncSession, slot_id: UUID, place: Channel = Channel.GENERAL) -> None:
    """Return one place to whom it was kept for; to everybody when shares are over. Its serial number is not used again."""
    now = clock_of(session).now()
    more: dict[str, Any] = {"remaining": Slot.remaining + 1}
    if place in HELD:
        column = getattr(Slot, HELD[place])
        over = Slot.shares_end_at.is_not(None) & (Slot.shares_end_at <= now)
        more[HELD[place]] = column + case((over, 0), else_=1)
    await session.execute(update(Slot).where(Slot.id == slot_id, Slot.remaining < Slot.capacity).values(more))


async def open_slots(
    session: AsyncSession, practitioner_id: UUID, department_code: str, days: Sequence[date], *, hours: range,
    capacity: int,
) -> int:  # fmt: skip
    """Open one slot an hour; existing ones stay as they are. `Forbidden` unless the doctor is filed there."""
    doctor = await require_filed(session, practitioner_id, department_code)
    starts = [datetime.combine(day, time(hour), LOCAL) for day in days for hour in hours]
    rows = [
        {
            "id": new_id(), "hospital_id": hospital_id(), "practitioner_id": practitioner_id,
            "day": start.date(), "department_code": department_code, "starts_at": start,
            "ends_at": start + timedelta(hours=1), "capacity": capacity, "remaining": capacity, "taken": 0,
            "held_follow_up": 0, "held_staff": 0, "held_referral": 0, "source": "own", "mode": "any",
            "price_code": visit_price_code(doctor.title_code),
        }
        for start in starts
    ]  # fmt: skip
    made = await session.scalars(insert(Slot).values(rows).on_conflict_do_nothing().returning(Slot.id))
    return len(made.all())
