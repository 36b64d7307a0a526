"""A form is sent twice at once, and a supplement comes while the quality department decides."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from backend.adverse_event import service
from backend.adverse_event.model import AdverseEvent
from backend.alarm.service import open_alarm
from foundation.db.guards import without_guard
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import Database, unit_of_work
from tests.races.lining_up import both, kinds
from tests.small_world import CLERK, QUALITY
from tests.unit.adverse_event.test_reporting import JUDGED, SOMEBODY, told

pytestmark = pytest.mark.anyio
TABLE = "LOCK TABLE adverse_event IN EXCLUSIVE MODE"
ROW = "SELECT id FROM adverse_event WHERE id = :row FOR UPDATE"


async def report(db: Database, form: UUID) -> str:
    async with unit_of_work(db) as session:
        row = await service.report(
            session, CLERK.actor, kind="drug", whom=SOMEBODY, told=told(), form_id=form
        )
        return row.number


async def sent(db: Database) -> int:
    async with unit_of_work(db) as session:
        query = select(func.count()).where(OutboxEvent.type == "adverse_event.reported")
        return await session.scalar(query) or 0


async def race_of_two_clicks(db: Database) -> list[Any]:
    """Both have looked whether the form is known when the first may write."""
    form = uuid4()
    return await both(db, report(db, form), report(db, form), lock=TABLE)


async def test_a_form_that_comes_twice_at_once_is_one_report(db: Database) -> None:
    first, second = await race_of_two_clicks(db)

    assert isinstance(first, str)
    assert first == second
    assert await sent(db) == 1


async def test_without_its_lock_the_second_click_fails_only_at_the_key(db: Database) -> None:
    """The twin."""
    with without_guard("stream_lock", allowed=True):
        results = await race_of_two_clicks(db)

    assert "IntegrityError" in kinds(results)


async def race_of_supplement_and_decision(db: Database) -> tuple[list[Any], AdverseEvent, bool]:
    """The death is being told while the quality department accepts what it has read: outcomes, the row, whether it still rings."""
    row_id = uuid4()
    await report(db, row_id)

    async def supplement() -> None:
        async with unit_of_work(db) as session:
            await service.supplement(session, CLERK.actor, row_id, told(damage="death"), 1)

    async def accept() -> None:
        async with unit_of_work(db) as session:
            await service.accept(session, QUALITY.actor, row_id, **JUDGED, seen=1)

    results = await both(db, supplement(), accept(), lock=ROW, row=row_id)
    async with unit_of_work(db) as session:
        rings = await open_alarm(session, service.ALARM, row_id) is not None
        return results, await session.get_one(AdverseEvent, row_id), rings


async def test_nobody_accepts_a_report_she_has_not_read(db: Database) -> None:
    results, row, rings = await race_of_supplement_and_decision(db)

    assert kinds(results) == ["Conflict", "None"]
    assert (row.state, row.reports, rings) == ("supplemented", 2, True)


async def test_without_the_row_lock_an_unread_report_is_accepted(db: Database) -> None:
    """The twin: it must show the damage, or the test above proves nothing."""
    with without_guard("row_lock", allowed=True):
        results, row, _ = await race_of_supplement_and_decision(db)

    assert kinds(results) == ["None", "None"]
    assert (row.state, row.reports) == ("accepted", 2)
