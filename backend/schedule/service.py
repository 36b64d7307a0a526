"""Opening slots, taking places and giving them back: the only writers of `slot`."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.practitioner.queries import require_filed
from backend.pricing.service import visit_price_code
from backend.schedule.model import Slot
from foundation.clock import LOCAL
from foundation.db.base import hospital_id
from foundation.db.guards import guarded
from foundation.ids import new_id

_TAKE = text(
    "UPDATE slot SET remaining = remaining - 1, taken = taken + 1 WHERE id = :slot AND remaining > 0 RETURNING taken"
)
_LOOK = text("SELECT remaining, taken FROM slot WHERE id = :slot")
_WRITE = text("UPDATE slot SET remaining = :remaining, taken = :taken WHERE id = :slot")


async def take(session: AsyncSession, slot_id: UUID) -> int | None:
    """Take one place; the serial number, or None when sold out. One statement: nobody can come between look and write."""
    if guarded("slot_take"):
        number: int | None = await session.scalar(_TAKE, {"slot": slot_id})
        return number
    looked = (await session.execute(_LOOK, {"slot": slot_id})).one()
    if looked.remaining <= 0:
        return None
    written = {"slot": slot_id, "remaining": looked.remaining - 1, "taken": looked.taken + 1}
    await session.execute(_WRITE, written)
    return int(looked.taken) + 1


async def give_back(session: AsyncSession, slot_id: UUID) -> None:
    """Return one place; the serial number is not used again."""
    await session.execute(
        update(Slot)
        .where(Slot.id == slot_id, Slot.remaining < Slot.capacity)
        .values(remaining=Slot.remaining + 1)
    )


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
            "price_code": visit_price_code(doctor.title_code),
        }
        for start in starts
    ]  # fmt: skip
    made = await session.scalars(insert(Slot).values(rows).on_conflict_do_nothing().returning(Slot.id))
    return len(made.all())
