"""Opening slots, taking places and giving them back: the only writers of `slot`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import case, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.practitioner.queries import require_filed
from backend.pricing.service import visit_price_code
from backend.schedule import rules
from backend.schedule.model import Slot
from backend.schedule.rules import HELD, Channel
from foundation.clock import LOCAL
from foundation.db.base import hospital_id
from foundation.db.bulk import driver
from foundation.db.guards import guarded
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id

_POOLS = """
SELECT id, capacity, remaining, taken, held_follow_up, held_staff, held_referral, released_at, shares_end_at, stopped_at,
    fresh_until
FROM slot WHERE id = ANY($1::uuid[]) ORDER BY id
"""
_LOCKED = " FOR NO KEY UPDATE"
_WRITE = """
UPDATE slot SET remaining = new.remaining, taken = new.taken, held_follow_up = new.held_follow_up,
    held_staff = new.held_staff, held_referral = new.held_referral
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[], $6::int[])
    AS new (id, remaining, taken, held_follow_up, held_staff, held_referral)
WHERE slot.id = new.id
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A place of a slot for a channel; `only_kept`: none that everybody may have."""

    slot_id: UUID
    channel: Channel
    only_kept: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A place: its serial number, and for whom it had been kept."""

    number: int
    place: Channel


async def take(session: AsyncSession, slot_id: UUID, channel: Channel = Channel.GENERAL) -> Taken | None:
    """Take one place for `channel`: one of its own, else one kept for nobody; None when there is none on sale."""
    (taken,) = await take_all(session, [Wanted(slot_id, channel)])
    return taken


async def take_all(session: AsyncSession, wanted: Sequence[Wanted]) -> list[Taken | None]:
    """Take a place for each, who comes first in the list has the first; the rule is `rules.take`.

    The slots are locked, in the order of their ids, from the look to the end of the transaction: nobody can come between
    look and write.
    """
    if not wanted:
        return []
    now = clock_of(session).now()
    connection = await driver(session)
    query = _POOLS + (_LOCKED if guarded("slot_take") else "")
    rows = {row["id"]: row for row in await connection.fetch(query, list({one.slot_id for one in wanted}))}
    pools = {slot: _pool(row) for slot, row in rows.items()}
    counts = {slot: row["taken"] for slot, row in rows.items()}
    found: list[Taken | None] = []
    for one in wanted:
        slot, known = one.slot_id, pools.get(one.slot_id)
        after = rules.take(known, one.channel, now, only_kept=one.only_kept) if known is not None else None
        if after is None:
            found.append(None)
            continue
        pools[slot], place = after
        counts[slot] += 1
        found.append(Taken(counts[slot], place))
    changed = [(slot, pools[slot]) for slot, count in counts.items() if count != rows[slot]["taken"]]
    if changed:
        held = ([pool.held.get(channel, 0) for _, pool in changed] for channel in HELD)
        ids, left = [slot for slot, _ in changed], [pool.remaining for _, pool in changed]
        await connection.execute(_WRITE, ids, left, [counts[slot] for slot in ids], *held)
    return found


def _pool(row: Any) -> rules.Pool:
    held = {channel: row[name] for channel, name in HELD.items()}
    return rules.Pool(
        row["capacity"], row["remaining"], held, row["released_at"], row["shares_end_at"], row["stopped_at"],
        row["fresh_until"],
    )  # fmt: skip


async def give_back(
    session: AsyncSession, slot_id: UUID, place: Channel = Channel.GENERAL, *, sold: bool = False
) -> None:
    """Return one place to whom it was kept for; to everybody when shares are over. Its serial number is not used again.

    A place too many is returned to nobody: the slot has one less, from this very statement on. A mirrored place that had
    been `sold` is still taken at the hospital: it is on sale again once the hospital was read and says that it is free.
    """
    now = clock_of(session).now()
    gone = case((Slot.surplus > 0, 1), else_=0)
    more: dict[str, Any] = {
        "remaining": Slot.remaining + 1 - gone, "capacity": Slot.capacity - gone, "surplus": Slot.surplus - gone,
    }  # fmt: skip
    if sold:
        more["fresh_until"] = case((Slot.source == "his", now), else_=Slot.fresh_until)
    if place in HELD:
        column = getattr(Slot, HELD[place])
        over = Slot.shares_end_at.is_not(None) & (Slot.shares_end_at <= now)
        more[HELD[place]] = column + case((over | (Slot.surplus > 0), 0), else_=1)
    statement = update(Slot).where(Slot.id == slot_id, Slot.remaining < Slot.capacity).values(more)
    fresh = {"populate_existing": True, "synchronize_session": False}  # whoever holds the row sees it too
    await session.scalars(statement.returning(Slot), execution_options=fresh)


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
