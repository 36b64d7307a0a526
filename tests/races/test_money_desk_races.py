"""Two people at the money desk at the same moment."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from backend.context import Context
from backend.payment import refunding
from backend.payment.model import Payment, Refund
from backend.pricing import queries as prices
from backend.pricing import rules
from backend.pricing import service as pricing
from backend.pricing.model import PriceList
from backend.pricing.rules import FOLLOW_UP, Price
from backend.reconciliation import queries, service
from backend.reconciliation.model import ReconciliationDay
from backend.reconciliation.rules import Difference, Kind, Money, Resolution
from backend.reconciliation.service import Compared
from foundation.actor import Actor
from foundation.db.audit import AuditEvent
from foundation.db.guards import without_guard
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id
from tests.builders.visits import bill as bill_of
from tests.builders.visits import booked
from tests.database import moves_on
from tests.races.lining_up import STREAM, both, kinds, people
from tests.small_world import CLERK

pytestmark = pytest.mark.anyio

REFUND = "SELECT id FROM refund WHERE id = :id FOR UPDATE"
DIFFERENCES = "SELECT id FROM reconciliation_difference WHERE day_id = :id FOR UPDATE"
LIST = "SELECT id FROM price_list WHERE id = :id FOR UPDATE"
FIGURES = (
    "ours_charged", "ours_refunded", "provider_charged", "provider_refunded", "provider_fee", "account_in", "account_out",
    "hospital_charged", "hospital_refunded",
)  # fmt: skip


def a_clerk() -> Actor:
    return Actor("staff", new_id(), frozenset({"clerk"}))


async def lines(db: Database, action: str) -> int:
    async with unit_of_work(db) as session:
        query = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
        return await session.scalar(query) or 0


async def race_of_two_approvals(context: Context) -> list[Any]:
    (patient,) = await people(context.db, 1)
    async with unit_of_work(context.db) as session:
        payment: Payment = await bill_of(session, await booked(session, context, patient))
        refund: Refund = await refunding.propose(session, CLERK.actor, payment, 1000, "投诉核实退费")

    async def approves() -> bool:
        async with unit_of_work(context.db) as session:
            return await refunding.approve(session, a_clerk(), refund.id)

    return await both(
        context.db, approves(), approves(), lock=f"{STREAM};{REFUND}", id=refund.id, name=refund.stream
    )


async def test_two_who_approve_one_refund_approve_it_once(running: Context) -> None:
    assert kinds(await race_of_two_approvals(running)) == ["False", "True"]
    assert await lines(running.db, "refund.approve") == 1


async def test_without_its_guard_both_believe_that_they_approved_it(running: Context) -> None:
    """The twin."""
    with without_guard("row_lock", allowed=True):
        assert kinds(await race_of_two_approvals(running)) == ["True", "True"]
    assert await lines(running.db, "refund.approve") == 2


async def a_differing_day(db: Database, *numbers: str) -> tuple[ReconciliationDay, list[UUID]]:
    async with unit_of_work(db) as session:
        await service.ensure_days(session)
        row = await queries.by_day(session, db.clock.today())
        assert row is not None
    moves_on(db.clock, days=1, hours=1)
    found = [Difference(Kind.UNKNOWN_HOSPITAL, Money.CHARGE, number, "", None, 3000) for number in numbers]
    compared = Compared(dict.fromkeys(FIGURES, 0), found, 0, "", "", "statements/x", "0" * 64)
    async with unit_of_work(db) as session:
        await service.begin(session, row.id)
    async with unit_of_work(db) as session:
        row = await service.finished(session, row.id, compared)
        return row, [one.id for one in await queries.differences(session, row.id)]


async def settles(db: Database, difference: UUID) -> bool:
    async with unit_of_work(db) as session:
        return await service.settle(
            session, a_clerk(), difference, Resolution.CORRECTED_HOSPITAL, "医院已冲红"
        )


async def day_state(db: Database, day: UUID) -> tuple[str, int]:
    async with unit_of_work(db) as session:
        waiting = await queries.open_counts(session)
        return (await queries.day_row(session, day)).state.value, waiting.get(day, 0)


async def test_two_who_settle_the_last_two_differences_close_the_day(db: Database) -> None:
    day, (first, second) = await a_differing_day(db, "42-1", "42-2")

    results = await both(
        db,
        settles(db, first),
        settles(db, second),
        lock=f"{STREAM};{DIFFERENCES}",
        id=day.id,
        name=day.stream,
    )

    assert results == [True, True]
    assert await day_state(db, day.id) == ("closed", 0)
    assert await lines(db, "reconciliation.close") == 1


async def test_without_the_lock_of_the_day_nobody_closes_it(db: Database) -> None:
    """The twin: each still sees the other's difference open."""
    day, (first, second) = await a_differing_day(db, "42-1", "42-2")

    with without_guard("day_lock", allowed=True):
        results = await both(
            db, settles(db, first), settles(db, second), lock="SELECT id FROM reconciliation_day WHERE id = :id FOR UPDATE",
            id=day.id,
        )  # fmt: skip

    assert results == [True, True]
    assert await day_state(db, day.id) == ("differing", 0)


async def test_one_difference_is_settled_by_one(db: Database) -> None:
    day, (only,) = await a_differing_day(db, "42-1")

    results = await both(db, settles(db, only), settles(db, only), lock=STREAM, name=day.stream)

    assert kinds(results) == ["False", "True"]
    assert await day_state(db, day.id) == ("closed", 0)
    assert await lines(db, "difference.settle") == 1


async def race_of_edit_and_approval(db: Database) -> tuple[list[Any], int]:
    """Somebody changes a price while somebody else approves the list; what the list in force then costs."""
    async with unit_of_work(db) as session:
        row: PriceList = await pricing.prepare(session, CLERK.actor, "年度调价")
        seen = rules.digest(row.version, [one.price for one in await prices.items(session, row.version)])
    tomorrow = timedelta(days=1) + db.clock.today()

    async def approves() -> str:
        async with unit_of_work(db) as session:
            return (await pricing.approve(session, a_clerk(), row.id, tomorrow, seen)).state.value

    async def edits() -> str:
        async with unit_of_work(db) as session:
            wanted = Price(FOLLOW_UP, "互联网复诊诊查费", 9900)
            return (await pricing.set_price(session, CLERK.actor, row.id, wanted)).state.value

    results = await both(db, approves(), edits(), lock=LIST, id=row.id)
    async with unit_of_work(db) as session:
        amount = {one.code: one.amount for one in await prices.items(session, row.version)}[FOLLOW_UP]
    return results, amount


async def test_a_price_is_not_changed_under_an_approval(db: Database) -> None:
    results, amount = await race_of_edit_and_approval(db)

    assert kinds(results) == ["'approved'", "Conflict"]
    assert amount == 3000


async def test_without_its_guard_the_database_itself_keeps_the_approved_price(db: Database) -> None:
    """The twin."""
    with without_guard("row_lock", allowed=True):
        results, amount = await race_of_edit_and_approval(db)

    assert "'approved'" in kinds(results)
    assert "Conflict" not in kinds(results)
    assert amount == 3000


async def test_without_guard_and_trigger_a_price_nobody_saw_comes_into_force(db: Database) -> None:
    """The twin of the twin: what the trigger keeps away."""
    async with db.engine.begin() as connection:
        await connection.execute(text("DROP TRIGGER price_item_is_final ON price_item"))

    with without_guard("row_lock", allowed=True):
        _, amount = await race_of_edit_and_approval(db)

    assert amount == 9900
