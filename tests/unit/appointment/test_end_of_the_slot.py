"""Paying and giving back when the slot is nearly over, or over."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.rules import COUNTER, held_until
from backend.appointment.service import EXPIRE_HOLD, NOSHOW
from backend.context import Context
from backend.encounter import service as visiting
from backend.fairness.model import Absence
from backend.payment.model import Refund
from backend.policy import Policy
from foundation.db.intents import Intent
from foundation.errors import Conflict
from tests.builders.visits import Patient, a_patient, a_slot, bill, booked, pays, requested
from tests.database import MORNING as START
from tests.database import SharedClock, moves_on

pytestmark = pytest.mark.anyio
LIMITS = Policy()
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def patient(session: AsyncSession) -> Patient:
    return await a_patient(session)


async def refunds(session: AsyncSession) -> list[tuple[str, int]]:
    return [(one.reason, one.amount) for one in await session.scalars(select(Refund))]


async def due(session: AsyncSession, kind: str) -> list[datetime]:
    query = select(Intent.due_at).where(Intent.kind == kind, Intent.done_at.is_(None))
    return list(await session.scalars(query))


@pytest.mark.parametrize("by", ["self", COUNTER])
def test_nobody_is_given_time_to_pay_beyond_the_end_of_the_slot(by: str) -> None:
    end = START + 2 * MINUTE

    assert held_until(LIMITS, by, now=START, starts_at=START - timedelta(hours=1), ends_at=end) == end


@pytest.mark.parametrize(("by", "minutes"), [("self", 10), (COUNTER, 30)])
def test_before_that_a_hold_lasts_as_it_always_did(by: str, minutes: int) -> None:
    starts_at = START + 30 * MINUTE

    until = held_until(LIMITS, by, now=START, starts_at=starts_at, ends_at=starts_at + 60 * MINUTE)

    assert until == START + minutes * MINUTE


async def test_a_place_asked_for_at_the_last_minute_is_held_until_the_slot_ends(
    session: AsyncSession, patient: Patient, clock: SharedClock
) -> None:
    moves_on(clock, minutes=48)

    row = await requested(session, patient)

    assert row.hold_expires_at == row.ends_at
    assert (await bill(session, row)).expires_at == row.ends_at


async def test_money_that_arrives_when_the_slot_is_over_goes_back_whole(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    """practice.md 17: paid after the hold expired."""
    moves_on(clock, minutes=48)
    slot = await a_slot(session, hours=0)
    row = await requested(session, patient, slot)
    moves_on(clock, minutes=4)

    await pays(session, context, row)

    assert (row.state, row.cancel_reason, row.encounter_id) == ("cancelled", "paid_after_expiry", None)
    assert await refunds(session) == [("paid_after_expiry", 5000)]
    await session.refresh(slot)
    assert slot.remaining == slot.capacity
    assert (await due(session, EXPIRE_HOLD), await due(session, NOSHOW)) == ([], [])
    assert (await session.scalars(select(Absence))).all() == []


async def test_the_grace_after_paying_holds_for_a_slot_that_has_begun(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    """Rule A01: fifteen minutes after paying, whatever the slot."""
    row = await booked(session, context, patient)
    moves_on(clock, minutes=14)

    assert await visiting.cancel_by_patient(session, patient.actor, row)

    assert await refunds(session) == [("patient_cancelled", 5000)]


async def test_after_the_grace_a_slot_that_has_begun_is_not_given_back(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    row = await booked(session, context, patient)
    moves_on(clock, minutes=16)

    with pytest.raises(Conflict) as error:
        await visiting.cancel_by_patient(session, patient.actor, row)

    assert (error.value.code, row.state) == ("too_late", "booked")


async def test_nobody_is_absent_before_her_grace_is_over(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    moves_on(clock, minutes=48)
    row = await booked(session, context, patient)

    assert row.booked_at is not None
    assert await due(session, NOSHOW) == [row.booked_at + 15 * MINUTE]
    moves_on(clock, minutes=10)
    assert await visiting.cancel_by_patient(session, patient.actor, row)
    assert (row.state, await refunds(session)) == ("cancelled", [("patient_cancelled", 5000)])


async def test_a_visit_booked_well_ahead_is_missed_when_its_slot_ends(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row = await booked(session, context, patient, await a_slot(session, hours=2))

    assert await due(session, NOSHOW) == [row.ends_at]
