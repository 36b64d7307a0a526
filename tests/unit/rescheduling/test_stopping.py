"""Stops and moves over the database: who is told what, where places and money go, what is refused."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment.model import Appointment
from backend.context import Context
from backend.encounter import service as visiting
from backend.notification.model import Message
from backend.payment.model import Refund
from backend.rescheduling import carrying, queries, service
from backend.rescheduling.model import Relocation, ScheduleChange
from backend.rescheduling.queries import Scope
from backend.rescheduling.service import Target
from backend.schedule.model import Slot
from backend.timetable import opening
from foundation.actor import Actor
from foundation.db.audit import AuditEvent
from foundation.db.intents import Intent
from foundation.db.outbox import OutboxEvent
from foundation.errors import Conflict, Forbidden, IllegalMove, Invalid, NotFound
from foundation.ids import new_id
from tests.builders.visits import (
    Patient,
    a_patient,
    a_slot,
    accepted,
    bill,
    booked,
    pays,
    requested,
    visit_of,
)
from tests.database import SharedClock, moves_on
from tests.small_world import CHILD_DOCTOR, CLERK, DAUGHTER, DOCTOR, OTHER, SECOND_DOCTOR, Member

pytestmark = pytest.mark.anyio
MANAGER = Actor("staff", new_id(), frozenset({"schedule_manager"}), "排班员")
HOUR = timedelta(hours=1)


@pytest.fixture
async def patient(session: AsyncSession) -> Patient:
    return await a_patient(session)


def over(*slots: Slot, doctor: Member = DOCTOR) -> Scope:
    """What the doctor has from the first to the last of these slots."""
    return Scope(doctor.id, None, min(one.starts_at for one in slots), max(one.ends_at for one in slots))


def to(slot: Slot, rest: str = "refuse") -> Target:
    """Just this slot."""
    return Target(slot.practitioner_id, slot.starts_at, slot.ends_at, rest)


async def stops(session: AsyncSession, *slots: Slot, target: Target | None = None) -> ScheduleChange:
    """Decided, and every job done."""
    row = await service.stop(session, MANAGER, over(*slots), reason="医生外出", target=target)
    await carried_out(session, row)
    return row


async def carried_out(session: AsyncSession, row: ScheduleChange) -> None:
    for relocation in await session.scalars(select(Relocation.id).where(Relocation.change_id == row.id)):
        await carrying.carry_out(session, relocation)


async def relocation(session: AsyncSession, row: Appointment) -> Relocation:
    query = select(Relocation).where(Relocation.appointment_id == row.id).order_by(Relocation.id.desc())
    found = (await session.scalars(query.execution_options(populate_existing=True))).first()
    assert found is not None
    return found


async def told(session: AsyncSession, about: UUID) -> list[str]:
    query = select(Message.template).where(Message.subject_id == about).order_by(Message.id)
    return list(await session.scalars(query))


async def refunds(session: AsyncSession, row: Appointment) -> list[tuple[str, int]]:
    payment = await bill(session, row)
    found = await session.scalars(select(Refund).where(Refund.payment_id == payment.id))
    return [(one.reason, one.amount) for one in found]


async def places(session: AsyncSession, slot: Slot) -> tuple[int, int, int]:
    await session.refresh(slot)
    return slot.capacity, slot.remaining, slot.taken


async def published(session: AsyncSession, row: Appointment) -> list[str]:
    query = select(OutboxEvent.type).where(OutboxEvent.stream == row.stream).order_by(OutboxEvent.sequence)
    return list(await session.scalars(query))


async def due(session: AsyncSession, kind: str, subject: UUID) -> Sequence[Intent]:
    query = select(Intent).where(
        Intent.kind == kind, Intent.subject == str(subject), Intent.done_at.is_(None)
    )
    return (await session.scalars(query)).all()


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


async def moved(
    session: AsyncSession, context: Context, patient: Patient, hours: int = 5
) -> tuple[Appointment, Slot]:
    """From two hours ahead to later."""
    slot, later = await a_slot(session, hours=2), await a_slot(session, hours=hours)
    row = await booked(session, context, patient, slot)
    await stops(session, slot, target=to(later))
    return row, later


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


def copy_of(row: Appointment, slot: Slot) -> Appointment:
    """The same patient has a place there too."""
    return Appointment(
        id=new_id(), person_id=row.person_id, account_id=row.account_id, slot_id=slot.id,
        practitioner_id=slot.practitioner_id, department_code=row.department_code, eligibility_id=row.eligibility_id,
        day=slot.day, starts_at=slot.starts_at, ends_at=slot.ends_at, serial_number=1, mode="video",
        hold_expires_at=row.hold_expires_at,
    )  # fmt: skip


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
