"""The daily opening and the reading of the hospital's schedule as jobs: each asks for its own next turn."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select

from backend.context import Context
from backend.policy import policy
from backend.schedule.model import Slot
from backend.timetable import mirroring, opening
from backend.timetable.model import ScheduleSource
from backend.timetable.tasks import HANDLERS, STANDING
from backend.wiring import handlers, standing
from contracts import his
from foundation.db.intents import Intent, due_ids, run_one
from foundation.db.unit_of_work import Database, unit_of_work
from tests.database import SharedClock, moves_on
from tests.small_world import DOCTOR
from tests.town import Town
from tests.unit.timetable.weeks import MANAGER, MONDAY, an_empty_week

pytestmark = pytest.mark.anyio


async def run_due(context: Context, kind: str) -> int:
    """Run what is due of one kind."""
    ran = 0
    for intent_id in await due_ids(context.db):
        async with unit_of_work(context.db) as session:
            wanted = await session.scalar(select(Intent.kind).where(Intent.id == intent_id)) == kind
        if wanted:
            ran += await run_one(context.db, context, handlers(), intent_id)
    return ran


async def due_at(db: Database, kind: str) -> datetime | None:
    async with unit_of_work(db) as session:
        query = select(Intent.due_at).where(Intent.kind == kind, Intent.done_at.is_(None))
        found: datetime | None = await session.scalar(query)
        return found


async def test_the_daily_opening_fills_what_is_missing_and_comes_again_after_midnight(
    running: Context, clock: SharedClock
) -> None:
    async with unit_of_work(running.db) as session:
        before = await session.scalar(select(func.count()).select_from(Slot))
        await session.execute(delete(Slot).where(Slot.day == MONDAY))
    moves_on(clock, minutes=1)  # seeding asked for it, and was a moment later

    assert await run_due(running, opening.OPEN) == 1

    async with unit_of_work(running.db) as session:
        assert await session.scalar(select(func.count()).select_from(Slot)) == before
    assert await due_at(running.db, opening.OPEN) == datetime(2026, 11, 20, 16, 5, tzinfo=UTC)
    assert await run_due(running, opening.OPEN) == 0
    moves_on(clock, hours=15)
    assert await run_due(running, opening.OPEN) == 1
    async with unit_of_work(running.db) as session:
        assert (await session.scalar(select(func.count()).select_from(Slot)) or 0) > (before or 0)


async def mirrored(db: Database) -> UUID:
    async with unit_of_work(db) as session:
        await an_empty_week(session)
        row = await mirroring.set_source(
            session, MANAGER, department_code="0310", practitioner_id=None, source="his"
        )
        return row.id


async def source(db: Database, source_id: UUID) -> ScheduleSource:
    async with unit_of_work(db) as session:
        return await session.get_one(ScheduleSource, source_id)


async def test_the_hospitals_schedule_is_read_again_and_again(
    running: Context, town: Town, clock: SharedClock
) -> None:
    await mirrored(running.db)
    start = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
    place = his.HospitalSlot("s-1", DOCTOR.code, "0310", start, start + timedelta(minutes=30), "free")
    town.gateway.answers["slots"] = his.SlotsReply([place])

    assert await run_due(running, mirroring.READ) == 1

    [(_, asked)] = [one for one in town.gateway.received if one[0] == "slots"]
    assert (asked["department_code"], asked["purpose"], asked["first"]) == ("0310", "schedule", "2026-11-20")
    async with unit_of_work(running.db) as session:
        slot = (await session.scalars(select(Slot).where(Slot.source == "his"))).one()
    assert (slot.practitioner_id, slot.starts_at) == (DOCTOR.id, start)
    due = await due_at(running.db, mirroring.READ)
    assert due is not None
    assert due > clock.now() + timedelta(minutes=policy().his_sync_minutes - 1)
    moves_on(clock, minutes=policy().his_sync_minutes + 1)
    assert await run_due(running, mirroring.READ) == 1


async def test_a_hospital_that_is_down_is_asked_again_and_the_desk_sees_why(
    running: Context, town: Town, clock: SharedClock
) -> None:
    source_id = await mirrored(running.db)
    town.gateway.refuses(503, "hospital_unreachable")

    assert await run_due(running, mirroring.READ) == 1

    row = await source(running.db, source_id)
    assert (row.read_at, mirroring.stale(row, clock.now())) == (None, True)
    assert "院内系统" in row.problem
    assert await due_at(running.db, mirroring.READ) is not None


async def test_a_source_that_is_no_mirror_any_more_is_not_read(running: Context, town: Town) -> None:
    await mirrored(running.db)
    async with unit_of_work(running.db) as session:
        await mirroring.set_source(
            session, MANAGER, department_code="0310", practitioner_id=None, source="own"
        )

    assert await run_due(running, mirroring.READ) == 1

    assert [one for one in town.gateway.received if one[0] == "slots"] == []
    assert await due_at(running.db, mirroring.READ) is None


def test_the_standing_work_has_a_handler() -> None:
    assert set(STANDING) <= set(HANDLERS)
    assert set(standing()) <= set(handlers())
