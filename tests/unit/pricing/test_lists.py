from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.payment import queries as payments
from backend.pricing import queries, rules, service
from backend.pricing.model import PriceList
from backend.pricing.rules import (
    CONSULTATION,
    CONSULTATION_SENIOR,
    DELIVERY,
    FOLLOW_UP,
    FOLLOW_UP_SENIOR,
    Price,
)
from foundation.actor import Actor
from foundation.db.audit import AuditEvent
from foundation.db.guards import without_guard
from foundation.errors import Conflict, Forbidden, IllegalMove, Invalid, NotFound
from tests.builders.visits import Patient, a_patient, bill, requested
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK, DUTY_DESK, QUALITY

pytestmark = pytest.mark.anyio

TOMORROW = date(2026, 11, 21)
SECOND_CLERK = Actor("staff", QUALITY.id, frozenset({"clerk"}), QUALITY.name)
DEARER = Price(FOLLOW_UP, "互联网复诊诊查费", 3500, "沪医价〔2026〕1号（示例）")


@pytest.fixture
async def patient(session: AsyncSession) -> Patient:
    return await a_patient(session)


async def seen(session: AsyncSession, row: PriceList) -> str:
    return rules.digest(row.version, [one.price for one in await queries.items(session, row.version)])


async def a_draft(session: AsyncSession) -> PriceList:
    row = await service.prepare(session, CLERK.actor, "年度调价")
    return await service.set_price(session, CLERK.actor, row.id, DEARER)


async def approved(session: AsyncSession, day: date = TOMORROW) -> PriceList:
    row = await a_draft(session)
    return await service.approve(session, SECOND_CLERK, row.id, day, await seen(session, row))


async def test_a_draft_is_a_copy_of_the_list_in_force_and_changes_no_bill(session: AsyncSession) -> None:
    row = await a_draft(session)

    assert (row.version, row.state) == ("2026.2", "draft")
    lines = {one.code: one.amount for one in await queries.items(session, row.version)}
    assert lines == {
        FOLLOW_UP: 3500,
        FOLLOW_UP_SENIOR: 5000,
        CONSULTATION: 0,
        CONSULTATION_SENIOR: 1000,
        DELIVERY: 800,
    }
    assert (await service.price(session, FOLLOW_UP)).amount == 3000


async def test_an_approved_list_counts_from_its_day_on_and_bills_cite_it(
    session: AsyncSession, patient: Patient, clock: SharedClock
) -> None:
    """N9: every fee line cites the version it was taken from."""
    before = await bill(session, await requested(session, patient))
    await approved(session)
    assert (await service.price(session, FOLLOW_UP)).version == "2026.1"

    moves_on(clock, days=1)

    fee = await service.price(session, FOLLOW_UP)
    assert (fee.amount, fee.version) == (3500, "2026.2")
    assert {line.price_version for line in await payments.lines(session, before.id)} == {"2026.1"}
    after = await bill(session, await requested(session, patient))
    assert {line.price_version for line in await payments.lines(session, after.id)} == {"2026.2"}
    assert [row.version for row in await queries.history(session)] == ["2026.2", "2026.1"]


async def test_who_wrote_a_line_does_not_approve_the_list(session: AsyncSession) -> None:
    row = await a_draft(session)
    await service.set_price(session, SECOND_CLERK, row.id, Price(DELIVERY, "药品配送费", 900))

    for actor in (CLERK.actor, SECOND_CLERK):
        with pytest.raises(Forbidden) as refused:
            await service.approve(session, actor, row.id, TOMORROW, await seen(session, row))
        assert refused.value.code == "four_eyes"


async def test_what_changed_after_the_approver_looked_is_not_approved(session: AsyncSession) -> None:
    row = await a_draft(session)
    looked_at = await seen(session, row)
    await service.set_price(session, CLERK.actor, row.id, Price(DELIVERY, "药品配送费", 9900))

    with pytest.raises(Conflict) as refused:
        await service.approve(session, SECOND_CLERK, row.id, TOMORROW, looked_at)
    assert refused.value.code == "price_list_changed"


async def test_without_its_guard_a_price_that_the_approver_never_saw_comes_into_force(
    session: AsyncSession,
) -> None:
    """The twin."""
    row = await a_draft(session)
    looked_at = await seen(session, row)
    await service.set_price(session, CLERK.actor, row.id, Price(DELIVERY, "药品配送费", 9900))

    with without_guard("seen_digest", allowed=True):
        approved_row = await service.approve(session, SECOND_CLERK, row.id, TOMORROW, looked_at)

    assert approved_row.state == "approved"
    amounts = {one.code: one.amount for one in await queries.items(session, row.version)}
    assert amounts[DELIVERY] == 9900


async def test_a_list_without_a_needed_price_is_not_approved(session: AsyncSession) -> None:
    row = await a_draft(session)
    await service.remove_price(session, CLERK.actor, row.id, DELIVERY)

    with pytest.raises(Invalid) as refused:
        await service.approve(session, SECOND_CLERK, row.id, TOMORROW, await seen(session, row))
    assert [issue.code for issue in refused.value.issues] == ["needed_price_missing"]


async def test_an_approved_list_is_edited_by_nobody(session: AsyncSession) -> None:
    row = await approved(session)

    with pytest.raises(Conflict):
        await service.set_price(session, CLERK.actor, row.id, DEARER)
    with pytest.raises(Conflict):
        await service.remove_price(session, CLERK.actor, row.id, DELIVERY)
    with pytest.raises(IllegalMove):
        await service.approve(session, SECOND_CLERK, (await withdrawn(session)).id, TOMORROW, "0" * 64)


async def withdrawn(session: AsyncSession) -> PriceList:
    row = await service.prepare(session, CLERK.actor, "作废")
    return await service.withdraw(session, CLERK.actor, row.id)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE price_item SET amount = 1 WHERE version = '2026.1'",
        "DELETE FROM price_item WHERE version = '2026.1'",
        """INSERT INTO price_item (id, hospital_id, version, code, name, amount, basis)
        SELECT gen_random_uuid(), hospital_id, version, 'new', name, 1, '' FROM price_item LIMIT 1""",
        "UPDATE price_item SET version = '2026.9' WHERE version = '2026.1'",
    ],
)
async def test_the_database_itself_keeps_an_approved_list_as_it_is(
    session: AsyncSession, statement: str
) -> None:
    with pytest.raises(IntegrityError, match="final"):
        await session.execute(text(statement))


async def test_a_list_is_withdrawn_only_while_its_day_has_not_come(
    session: AsyncSession, clock: SharedClock
) -> None:
    row = await approved(session)
    await service.withdraw(session, CLERK.actor, row.id)
    moves_on(clock, days=2)
    assert (await service.price(session, FOLLOW_UP)).version == "2026.1"

    again = await a_draft(session)
    day = TOMORROW + timedelta(days=2)
    await service.approve(session, SECOND_CLERK, again.id, day, await seen(session, again))
    moves_on(clock, days=1)
    with pytest.raises(Conflict) as refused:
        await service.withdraw(session, CLERK.actor, again.id)
    assert refused.value.code == "price_list_in_force"


async def test_a_price_that_no_list_has_is_charged_by_nobody(session: AsyncSession) -> None:
    with pytest.raises(NotFound) as refused:
        await service.price(session, "visit.unknown")
    assert refused.value.code == "price_not_found"


async def test_the_trail_says_who_did_what(session: AsyncSession) -> None:
    row = await approved(session)
    query = select(AuditEvent).where(AuditEvent.subject_id == str(row.id)).order_by(AuditEvent.ordinal)

    lines = [(line.action, line.actor_id) for line in await session.scalars(query)]

    assert lines == [
        ("price_list.prepare", CLERK.id), ("price_list.set", CLERK.id), ("price_list.approve", QUALITY.id),
    ]  # fmt: skip


async def test_other_staff_approve_nothing(session: AsyncSession) -> None:
    row = await a_draft(session)

    with pytest.raises(Forbidden):
        await service.approve(session, DUTY_DESK.actor, row.id, TOMORROW, await seen(session, row))
