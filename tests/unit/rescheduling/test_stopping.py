"""Stops over the database: who is told what, where places and money go, what is refused."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.context import Context
from backend.encounter import service as visiting
from backend.notification.model import Message
from backend.rescheduling import carrying, queries, service
from backend.rescheduling.queries import Scope
from backend.schedule.model import Slot
from backend.timetable import opening
from foundation.errors import Conflict, Invalid, NotFound
from foundation.ids import new_id
from tests.builders.visits import (
    Patient,
    a_patient,
    a_slot,
    accepted,
    booked,
    pays,
    requested,
    visit_of,
)
from tests.database import SharedClock, moves_on
from tests.small_world import CHILD_DOCTOR, DAUGHTER, DOCTOR, OTHER
from tests.unit.rescheduling.changing import (
    HOUR,
    MANAGER,
    carried_out,
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


async def test_who_is_affected_is_shown_before_anything_is_done(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, later = await a_slot(session, hours=2), await a_slot(session, hours=5)
    paid = await booked(session, context, patient, slot)
    held = await requested(session, await a_patient(session, OTHER), slot)

    found = await service.preview(session, over(slot))
    moved = await service.preview(session, over(slot), to(later))

    assert [one.appointment.id for one in found.people] == [paid.id, held.id]
    assert (len(found.slots), found.refund) == (1, 5000)
    assert moved.allotment is not None
    assert (set(moved.allotment.to.values()), moved.refund) == ({later.id}, 0)
    assert (paid.state, slot.stopped_at) == ("booked", None)


async def test_a_stop_refunds_everybody_in_full_and_tells_them(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """practice.md 17: the doctor cancelled; practice.md 9: told without diagnosis or drug."""
    slot = await a_slot(session, hours=2)
    row = await booked(session, context, patient, slot)

    change = await stops(session, slot)

    assert (row.state, row.cancel_reason) == ("cancelled", "doctor_cancelled")
    assert await refunds(session, row) == [("doctor_cancelled", 5000)]
    assert (await visit_of(session, row)).state == "cancelled"
    assert await told(session, row.id) == ["TPL_CANCELLED"]
    message = (await session.scalars(select(Message).where(Message.subject_id == row.id))).one()
    assert message.data["thing1"] == "医生停诊"
    assert not {"高血压", "I10", "头晕"}.intersection("".join(message.data.values()))
    assert await published(session, row) == [
        "payment.confirmed",
        "appointment.booked",
        "appointment.cancelled",
    ]
    assert (change.slots, change.people, (await relocation(session, row)).state) == (1, 1, "cancelled")
    await session.refresh(slot)
    assert slot.stopped_at is not None
    assert slot.remaining == slot.capacity


async def test_nothing_is_sold_any_more_from_the_moment_of_the_decision(
    session: AsyncSession, patient: Patient
) -> None:
    slot = await a_slot(session, hours=2)
    await service.stop(session, MANAGER, over(slot), reason="医生外出")

    with pytest.raises(Conflict) as error:
        await requested(session, patient, slot)

    assert error.value.code in ("slot_stopped", "sold_out")


async def test_a_hold_in_a_stopped_slot_ends_and_late_money_goes_back(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot = await a_slot(session, hours=2)
    row = await requested(session, patient, slot)

    await stops(session, slot)
    assert (row.state, await told(session, row.id)) == ("cancelled", ["TPL_CANCELLED"])
    await pays(session, context, row)

    assert row.state == "cancelled"
    assert [reason for reason, _ in await refunds(session, row)] == ["paid_after_expiry"]


async def test_a_visit_that_has_begun_goes_on(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    visit = await accepted(session, context, patient)
    row = await session.get_one(Appointment, visit.appointment_id)
    slot = await session.get_one(Slot, row.slot_id)

    change = await stops(session, slot)

    assert (row.state, visit.state, change.people) == ("fulfilled", "in-progress", 0)


async def test_somebody_who_cancelled_before_her_turn_is_not_touched(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, later = await a_slot(session, hours=2), await a_slot(session, hours=5)
    row = await booked(session, context, patient, slot)
    before = await places(session, later)
    change = await service.stop(session, MANAGER, over(slot), reason="医生外出", target=to(later))
    await visiting.cancel_by_patient(session, patient.actor, row)

    await carried_out(session, change)

    assert (await relocation(session, row)).state == "skipped"
    assert await refunds(session, row) == [("patient_cancelled", 5000)]
    assert (await places(session, later))[:2] == before[:2]


async def test_a_preview_that_is_no_longer_true_is_shown_again(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot = await a_slot(session, hours=2)
    await booked(session, context, patient, slot)

    with pytest.raises(Conflict) as error:
        await service.stop(session, MANAGER, over(slot), reason="医生外出", expected=0)

    assert (error.value.code, error.value.issues[0].field) == ("affected_changed", "expected")


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        (lambda slot: Scope(None, None, slot.starts_at, slot.ends_at), "practitioner_id"),
        (lambda slot: Scope(DOCTOR.id, None, slot.ends_at, slot.starts_at), "ends_at"),
        (lambda slot: Scope(DOCTOR.id, None, slot.starts_at - 9 * HOUR, slot.ends_at - 9 * HOUR), "ends_at"),
        (lambda slot: Scope(DOCTOR.id, None, slot.starts_at, slot.ends_at + timedelta(days=99)), "ends_at"),
    ],
    ids=["nobody", "backwards", "past", "too_long"],
)
async def test_a_period_that_makes_no_sense_is_refused(
    session: AsyncSession, scope: object, field: str
) -> None:
    slot = await a_slot(session, hours=2)

    with pytest.raises(Invalid) as error:
        await service.stop(session, MANAGER, scope(slot), reason="医生外出")  # type: ignore[operator]

    assert [one.field for one in error.value.issues] == [field]


async def test_a_whole_department_can_be_stopped(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, hers = await a_slot(session, hours=2), await a_slot(session, CHILD_DOCTOR, hours=2)
    row = await booked(session, context, patient, slot)

    change = await service.stop(
        session, MANAGER, Scope(None, "0310", slot.starts_at, slot.ends_at), reason="科室消毒"
    )
    await carried_out(session, change)

    assert (row.state, change.slots, change.people) == ("cancelled", 2, 1)
    await session.refresh(hers)
    assert hers.stopped_at is None


async def test_a_stop_reaches_days_that_are_not_opened_yet(session: AsyncSession, clock: SharedClock) -> None:
    first = await a_slot(session, hours=2)
    far = first.starts_at + timedelta(days=20)
    await service.stop(
        session, MANAGER, Scope(DOCTOR.id, None, far, far + timedelta(days=1)), reason="外出学习"
    )
    moves_on(clock, days=18)

    await opening.open_coming_days(session, DOCTOR.id)

    query = select(func.count()).where(
        Slot.practitioner_id == DOCTOR.id, Slot.starts_at < far + timedelta(days=1), Slot.ends_at > far
    )
    assert await session.scalar(query) == 0
    assert await session.scalar(select(func.count()).where(Slot.starts_at >= far + timedelta(days=1))) != 0


async def test_a_stop_that_is_lifted_sells_what_nobody_waits_in(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, free = await a_slot(session, hours=2), await a_slot(session, hours=3)
    row = await booked(session, context, patient, slot)
    change = await stops(session, slot, free)
    assert row.state == "cancelled"

    await service.lift(session, MANAGER, change.id)

    for one in (slot, free):
        await session.refresh(one)
        assert one.stopped_at is None
    await requested(session, await a_patient(session, OTHER), free)
    with pytest.raises(Conflict) as error:
        await service.lift(session, MANAGER, change.id)
    assert error.value.code == "stop_over"


async def test_fewer_places_than_are_sold_send_away_who_would_be_seen_last(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot = await a_slot(session, hours=2)
    first = await booked(session, context, patient, slot)
    second = await booked(session, context, await a_patient(session, OTHER), slot)
    third = await requested(session, await a_patient(session, DAUGHTER), slot)

    change = await service.reduce(session, MANAGER, slot.id, capacity=1, reason="减号")
    assert (await places(session, slot))[:2] == (3, 0)
    await carried_out(session, change)

    assert [one.state for one in (first, second, third)] == ["booked", "cancelled", "cancelled"]
    assert (await places(session, slot))[:2] == (1, 0)
    assert slot.stopped_at is None
    assert await refunds(session, second) == [("doctor_cancelled", 5000)]
    with pytest.raises(Conflict) as error:
        await service.reduce(session, MANAGER, slot.id, capacity=2, reason="减号")
    assert error.value.code == "nobody_affected"


async def test_a_surplus_can_be_moved_instead(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    slot, later = await a_slot(session, hours=2), await a_slot(session, hours=5)
    first = await booked(session, context, patient, slot)
    second = await booked(session, context, await a_patient(session, OTHER), slot)

    change = await service.reduce(
        session, MANAGER, slot.id, capacity=1, reason="减号", expected=1, target=to(later)
    )
    await carried_out(session, change)

    assert (first.slot_id, second.slot_id) == (slot.id, later.id)
    assert (await places(session, slot))[:2] == (1, 0)


async def test_an_answer_needs_a_question(session: AsyncSession, context: Context, patient: Patient) -> None:
    row = await booked(session, context, patient, await a_slot(session, hours=2))

    with pytest.raises(NotFound):
        await carrying.offer_of(session, row.id)
    with pytest.raises(NotFound):
        await queries.change(session, new_id())


async def test_a_moved_visit_can_still_be_seen_after_the_window_of_its_diagnosis(
    session: AsyncSession, context: Context, patient: Patient, clock: SharedClock
) -> None:
    """practice.md 5: the booking day decides, also for a moved appointment."""
    slot = await a_slot(session, hours=2)
    row = await booked(session, context, patient, slot)
    later = await a_slot(session, day=None, hours=24 * 7)
    await stops(session, slot, target=to(later))
    await carrying.accept(session, patient.actor, await relocation(session, row))
    moves_on(clock, seconds=(later.starts_at - clock.now()).total_seconds())

    visit = await visiting.check_in(session, patient.actor, row)

    assert (row.state, visit.state, row.day > date(2026, 11, 20)) == ("checked-in", "planned", True)
