"""A slot made smaller than what was sold of it: no place that is given up comes back, whoever gives it up and whenever."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.context import Context
from backend.encounter import service as visiting
from backend.rescheduling import service
from backend.schedule.model import Slot
from backend.schedule.rules import HELD, Channel
from backend.timetable import opening
from foundation.errors import Conflict
from tests.builders.visits import Patient, a_patient, a_slot, booked, requested
from tests.small_world import DAUGHTER, OTHER
from tests.unit.rescheduling.changing import MANAGER, carried_out, places, refunds, told

pytestmark = pytest.mark.anyio


async def sold(
    session: AsyncSession, context: Context, patient: Patient
) -> tuple[Slot, Appointment, Appointment]:
    """Two places of a slot whose shares still run."""
    slot = await a_slot(session, hours=48)
    first = await booked(session, context, patient, slot)
    second = await booked(session, context, await a_patient(session, OTHER), slot)
    slot.shares_end_at = slot.starts_at - timedelta(hours=24)
    await session.flush()
    return slot, first, second


@pytest.mark.parametrize("channel", HELD)
async def test_who_has_a_kept_place_is_refunded_and_told_and_the_place_is_gone(
    session: AsyncSession, context: Context, patient: Patient, channel: Channel
) -> None:
    """practice.md 17: the doctor cancelled."""
    slot, first, second = await sold(session, context, patient)
    second.place = channel

    change = await service.reduce(session, MANAGER, slot.id, capacity=1, reason="减号")
    await carried_out(session, change)

    assert (first.state, second.state) == ("booked", "cancelled")
    assert await refunds(session, second) == [("doctor_cancelled", 5000)]
    assert await told(session, second.id) == ["TPL_CANCELLED"]
    assert (await places(session, slot))[:2] == (1, 0)
    assert (slot.held_follow_up, slot.held_staff, slot.held_referral, slot.surplus) == (0, 0, 0, 0)


async def test_a_place_given_up_before_its_turn_is_not_sold_again(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, _, second = await sold(session, context, patient)
    change = await service.reduce(session, MANAGER, slot.id, capacity=1, reason="减号")

    await visiting.cancel_by_patient(session, patient.actor, second)

    with pytest.raises(Conflict) as error:
        await requested(session, await a_patient(session, DAUGHTER), slot)
    assert error.value.code == "sold_out"
    await carried_out(session, change)
    assert (await places(session, slot))[:2] == (1, 0)


async def test_when_somebody_who_may_stay_goes_first_the_slot_has_as_many_places_as_it_should(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, first, _ = await sold(session, context, patient)
    change = await service.reduce(session, MANAGER, slot.id, capacity=1, reason="减号")

    await visiting.cancel_by_patient(session, patient.actor, first)
    assert (await places(session, slot))[:2] == (1, 0)
    await carried_out(session, change)

    assert (await places(session, slot))[:2] == (1, 1)


async def test_a_slot_that_is_made_larger_again_keeps_the_places_of_those_who_leave(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, _, _ = await sold(session, context, patient)
    change = await service.reduce(session, MANAGER, slot.id, capacity=1, reason="减号")

    await opening.resize(session, MANAGER, slot.id, capacity=4)
    await carried_out(session, change)

    assert (await places(session, slot))[:2] == (4, 3)
