"""Moves over the database: the new place is hers at once, she answers, silence is the money; who can be moved where."""

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.context import Context
from backend.encounter import service as visiting
from backend.rescheduling import carrying, service
from backend.rescheduling.model import Relocation
from foundation.db.audit import AuditEvent
from foundation.errors import Conflict, Forbidden, IllegalMove
from tests.builders.visits import (
    Patient,
    a_patient,
    a_slot,
    asked,
    bill,
    booked,
    visit_of,
)
from tests.database import SharedClock, moves_on
from tests.small_world import CHILD_DOCTOR, CLERK, DOCTOR, OTHER, SECOND_DOCTOR
from tests.unit.rescheduling.changing import (
    MANAGER,
    copy_of,
    due,
    moved,
    over,
    places,
    published,
    refunds,
    relocation,
    stops,
    to,
    told,
)

pytestmark = pytest.mark.anyio


async def test_a_moved_patient_has_her_new_place_at_once_and_is_asked(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    """practice.md 5: the booking day decides, also for a moved appointment."""
    slot, later = await a_slot(session, hours=2), await a_slot(session, SECOND_DOCTOR, hours=5)
    later.price_code = slot.price_code  # of the same fee
    await session.flush()
    row = await booked(session, context, patient, slot)
    booked_at, decision, fee = row.booked_at, row.eligibility_id, (await bill(session, row)).amount

    await stops(session, slot, target=to(later))

    assert (row.state, row.slot_id, row.practitioner_id) == ("booked", later.id, SECOND_DOCTOR.id)
    assert (row.starts_at, row.ends_at, row.day) == (later.starts_at, later.ends_at, later.day)
    assert (row.booked_at, row.eligibility_id, (await bill(session, row)).amount) == (
        booked_at,
        decision,
        fee,
    )
    assert (row.moved_from, row.answer_by) == (slot.starts_at, later.starts_at)
    assert (await visit_of(session, row)).practitioner_id == SECOND_DOCTOR.id
    assert await places(session, later) == (6, 5, 1)
    assert row.serial_number == 1
    assert await told(session, row.id) == ["TPL_MOVED"]
    assert await refunds(session, row) == []
    assert (await published(session, row))[-1] == "appointment.moved"
    (noshow,) = await due(session, "appointment.noshow", row.id)
    assert noshow.due_at == later.ends_at
    assert len(await due(session, carrying.LAPSE, (await relocation(session, row)).id)) == 1


async def test_she_accepts_and_keeps_the_place(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row, later = await moved(session, context, patient)

    assert await carrying.accept(session, patient.actor, await relocation(session, row))
    assert not await carrying.accept(session, patient.actor, await relocation(session, row))

    found = await relocation(session, row)
    assert (found.state, found.answered_by, row.state, row.answer_by) == (
        "accepted",
        "patient",
        "booked",
        None,
    )
    assert await due(session, carrying.LAPSE, found.id) == []
    assert (await places(session, later))[1] == later.capacity - 1


async def test_she_takes_the_money_and_the_place_goes_back(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row, later = await moved(session, context, patient)

    await carrying.refuse(session, patient.actor, await relocation(session, row))

    assert ((await relocation(session, row)).state, row.state) == ("refused", "cancelled")
    assert await refunds(session, row) == [("doctor_cancelled", 5000)]
    assert (await places(session, later))[1] == later.capacity
    with pytest.raises(IllegalMove):
        await carrying.accept(session, patient.actor, await relocation(session, row))


async def test_silence_is_the_money(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    row, _ = await moved(session, context, patient)
    found = await relocation(session, row)
    assert found.answer_by is not None
    moves_on(clock, seconds=(found.answer_by - clock.now()).total_seconds() + 1)

    with pytest.raises(Conflict) as error:
        await carrying.accept(session, patient.actor, found)
    assert error.value.code == "answer_late"
    await carrying.lapse(session, found.id)

    assert ((await relocation(session, row)).state, row.state) == ("lapsed", "cancelled")
    assert await refunds(session, row) == [("doctor_cancelled", 5000)]
    assert await told(session, row.id) == ["TPL_MOVED", "TPL_CANCELLED"]


async def test_who_comes_to_the_waiting_room_has_accepted(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    row, later = await moved(session, context, patient)
    moves_on(clock, seconds=(later.starts_at - clock.now()).total_seconds() - 600)
    await visiting.check_in(session, patient.actor, row)

    await carrying.lapse(session, (await relocation(session, row)).id)

    assert ((await relocation(session, row)).state, row.state) == ("accepted", "checked-in")


async def test_whoever_waited_already_waits_again_for_the_new_time(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, later = await a_slot(session, hours=0), await a_slot(session, hours=3)
    row = await booked(session, context, patient, slot)
    visit = await visiting.check_in(session, patient.actor, row)
    assert visit.acceptance_deadline is not None

    await stops(session, slot, target=to(later))

    assert row.state.value == "booked"
    assert [row.checked_in_at, visit.acceptance_deadline] == [None, None]
    assert await due(session, visiting.DEADLINE, visit.id) == []


async def test_cancelling_a_move_she_never_agreed_to_costs_nothing(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    row, later = await moved(session, context, patient, hours=3)
    moves_on(clock, seconds=(later.starts_at - clock.now()).total_seconds() - 60)

    await visiting.cancel_by_patient(session, patient.actor, row)

    assert await refunds(session, row) == [("doctor_cancelled", 5000)]
    await carrying.lapse(session, (await relocation(session, row)).id)
    assert (await relocation(session, row)).state == "skipped"


async def test_staff_answer_on_the_telephone_and_are_named(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row, _ = await moved(session, context, patient)

    await carrying.accept(session, CLERK.actor, await relocation(session, row))

    assert (await relocation(session, row)).answered_by == "staff"
    await session.flush()
    query = select(AuditEvent.actor_id).where(AuditEvent.action == "relocation.accept")
    assert await session.scalar(query) == CLERK.id


async def test_the_new_time_can_be_stopped_as_well(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row, later = await moved(session, context, patient)

    await stops(session, later)

    states = await session.scalars(
        select(Relocation.state).where(Relocation.appointment_id == row.id).order_by(Relocation.id)
    )
    assert [one.value for one in states] == ["skipped", "cancelled"]
    assert await refunds(session, row) == [("doctor_cancelled", 5000)]


async def test_two_changes_of_one_patient_wait_for_each_other(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot = await a_slot(session, hours=2)
    await booked(session, context, patient, slot)
    await service.stop(session, MANAGER, over(slot), reason="医生外出")

    with pytest.raises(Conflict) as error:
        async with session.begin_nested():
            await service.stop(session, MANAGER, over(slot), reason="医生外出")

    assert error.value.code == "change_running"


async def test_without_room_for_all_nothing_happens_unless_the_rest_is_refunded(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, later = await a_slot(session, hours=2), await a_slot(session, hours=5)
    first = await booked(session, context, patient, slot)
    second = await booked(session, context, await a_patient(session, OTHER), slot)
    later.capacity = later.remaining = 1
    await session.flush()

    with pytest.raises(Conflict) as error:
        async with session.begin_nested():
            await service.stop(session, MANAGER, over(slot), reason="医生外出", target=to(later))
    assert (error.value.code, error.value.issues[0].field) == ("not_enough_places", "to_day")
    await session.refresh(slot)
    assert slot.stopped_at is None

    await stops(session, slot, target=to(later, "refund"))

    assert (first.state, first.slot_id, second.state) == ("booked", later.id, "cancelled")


async def test_nobody_gets_two_places_in_one_slot(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, later = await a_slot(session, hours=2), await a_slot(session, hours=5)
    mine = await booked(session, context, patient, slot)
    await session.execute(
        update(Appointment).where(Appointment.id == mine.id).values(practitioner_id=DOCTOR.id)
    )
    later.taken += 1
    later.remaining -= 1
    session.add(copy_of(mine, later))
    await session.flush()

    found = await service.preview(session, over(slot), to(later))

    assert found.allotment is not None
    assert found.allotment.without == [mine.id]


async def test_a_doctor_of_another_department_is_no_target(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, wrong = await a_slot(session, hours=2), await a_slot(session, CHILD_DOCTOR, hours=5)
    await booked(session, context, patient, slot)

    with pytest.raises(Forbidden) as error:
        await service.preview(session, over(slot), to(wrong))

    assert error.value.code == "not_licensed"


async def test_a_cheaper_doctor_is_no_target(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """Nobody pays a senior doctor's fee for another: the money goes back instead."""
    slot, cheaper = await a_slot(session, hours=2), await a_slot(session, SECOND_DOCTOR, hours=5)
    await booked(session, context, patient, slot)

    with pytest.raises(Conflict) as error:
        await service.preview(session, over(slot), to(cheaper))

    assert (error.value.code, error.value.issues[0].field) == ("target_cheaper", "to_practitioner_id")


async def test_a_question_is_not_moved_to_a_place_of_the_hospitals_own_schedule(
    session: AsyncSession, patient: Patient
) -> None:
    """Nothing is written back of it, so that the place would be sold at the hospital as well."""
    row = await asked(session, patient, SECOND_DOCTOR)
    here, later = await a_slot(session, SECOND_DOCTOR, hours=0), await a_slot(session, SECOND_DOCTOR, hours=3)
    scope = over(here, doctor=SECOND_DOCTOR)
    assert len((await service.preview(session, scope, to(later))).rooms) == 1
    later.source = "his"
    await session.flush()

    with pytest.raises(Conflict) as refused:
        await service.preview(session, scope, to(later))

    assert (refused.value.code, row.slot_id) == ("no_target", here.id)
