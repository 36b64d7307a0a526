"""What stays of a closed day: its proof, whatever becomes of its records later, and receipts that nothing can replace."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict, NotFound
from regulator_adapter.carrying import carry_over
from regulator_adapter.days import opening
from regulator_adapter.days.service import Days, hear, reconcile
from regulator_adapter.dropping import drop_contents
from regulator_adapter.model import Submission
from regulator_adapter.resubmit import operator, resubmit
from tests.builders import events as b
from tests.unit.regulator_adapter.a_day import DAY, a_day, a_day_with_one_refused, kinds, proved, total
from tests.unit.regulator_adapter.feed import Adapter
from tests.unit.regulator_adapter.stating_platform import stating

pytestmark = pytest.mark.anyio
PERSON = operator("周敏")


async def records(adapter: Adapter) -> list[tuple[str, str]]:
    """State and receipt of each, by number."""
    async with unit_of_work(adapter.db) as session:
        rows = await session.scalars(select(Submission).order_by(Submission.number))
        return [(row.state.value, row.receipt) for row in rows]


async def test_each_closed_statement_of_a_day_proves_itself_after_a_carried_record_went(
    adapter: Adapter, days: Days
) -> None:
    await a_day_with_one_refused(adapter)
    async with unit_of_work(adapter.db) as session:
        row = (await session.scalars(select(Submission).where(Submission.number == 1))).one()
    await carry_over(adapter.db, row.id, PERSON, "平台停用该字典")
    await reconcile(days, DAY)
    await resubmit(adapter.db, row.id, PERSON, "已恢复")
    on_its_way = await proved(adapter, DAY)
    await adapter.drain()
    await hear(adapter.db, DAY, total(adapter, 2))
    await reconcile(days, DAY)

    first, second = await proved(adapter, DAY, 0), await proved(adapter, DAY)

    assert (on_its_way.problems, first.problems, second.problems) == ([], [], [])
    assert [(one.supplement, one.with_receipt, one.carried_over) for one in (first, second)] == [
        (0, 1, 1),
        (1, 2, 0),
    ]


async def test_a_closed_day_proves_itself_while_the_platforms_loss_is_repaired(
    adapter: Adapter, days: Days
) -> None:
    await a_day(adapter)
    await reconcile(days, DAY)
    await lost_there(adapter)
    await reconcile(days, DAY)

    assert {state for state, _ in await records(adapter)} == {"received"}
    assert (await proved(adapter, DAY)).problems == []
    with pytest.raises(Conflict):
        await proved(adapter, DAY, 1)
    with pytest.raises(NotFound):
        await proved(adapter, DAY, 2)


async def lost_there(adapter: Adapter) -> None:
    """The day is looked at again, and the platform has nothing of it any more."""
    await opening.restate(adapter.db, DAY, PERSON, "省平台来函")
    await hear(adapter.db, DAY, total(adapter, 3))
    adapter.platform.always = stating(lambda document: document.update(parts={}))


async def test_a_receipt_whose_content_is_gone_is_kept_and_people_hear_of_the_loss(
    adapter: Adapter, days: Days
) -> None:
    await a_day(adapter)
    await reconcile(days, DAY)
    assert await drop_contents(adapter.db) == 3
    before = await records(adapter)
    await lost_there(adapter)

    row = await reconcile(days, DAY)

    assert kinds(row) == ["missing_for_good"]
    assert (row.differences[0]["numbers"], row.differences[0]["replayed"]) == ([[1, 3]], 0)
    assert await records(adapter) == before
    assert all(state == "accepted" and receipt for state, receipt in before)


async def test_what_can_still_be_sent_again_is_told_apart_from_what_cannot(
    adapter: Adapter, days: Days
) -> None:
    await a_day(adapter, 2)
    await reconcile(days, DAY)
    assert await drop_contents(adapter.db) == 2
    at = b.MORNING + timedelta(hours=1)
    await adapter.inbox.take([adapter.feed.envelope("person:late", b.identity_verified(), at)])
    await adapter.drain()
    await opening.open_days(adapter.db)
    await lost_there(adapter)

    row = await reconcile(days, DAY)

    told = {one["kind"]: (one["numbers"], one["replayed"]) for one in row.differences}
    assert told == {"missing_there": ([[3, 3]], 1), "missing_for_good": ([[1, 2]], 0)}
    assert [state for state, _ in await records(adapter)] == ["accepted", "accepted", "received"]


async def test_a_receipt_that_is_taken_back_stays_in_the_audit_trail(adapter: Adapter, days: Days) -> None:
    await a_day(adapter, 1)
    [(_, receipt)] = await records(adapter)
    adapter.platform.always = stating(lambda document: document.update(parts={}))

    await reconcile(days, DAY)

    async with unit_of_work(adapter.db) as session:
        query = select(AuditEvent.detail).where(AuditEvent.action == "submission.receipt_taken_back")
        found: list[Any] = list(await session.scalars(query))
    assert found == [{"receipt": receipt, "number": "1"}]
