from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries, service
from backend.appointment.model import Appointment
from backend.context import Context
from backend.patient import queries as patients
from backend.patient.service import withdraw_consent
from backend.payment import queries as payments
from backend.payment.model import Payment
from backend.payment.queries import lines
from backend.payment.rules import RefundReason
from backend.practitioner.model import Filing, Practitioner
from backend.schedule.model import Slot
from foundation.actor import SYSTEM
from foundation.db.intents import Intent
from foundation.db.outbox import OutboxEvent
from foundation.errors import AppError, Conflict, Forbidden, IllegalMove, NotFound
from foundation.ids import new_id
from tests.builders.visits import (
    Patient,
    a_patient,
    a_slot,
    bill,
    booked,
    consents,
    eligible,
    registered,
    requested,
)
from tests.database import SharedClock, moves_on
from tests.policies import numbers
from tests.small_world import CHILD, CHILD_DOCTOR, DAUGHTER, DOCTOR, OTHER, SCHOOLCHILD, SECOND_DOCTOR

pytestmark = pytest.mark.anyio


@pytest.fixture
async def patient(session: AsyncSession) -> Patient:
    return await a_patient(session)


async def refused(session: AsyncSession, patient: Patient, slot: Slot | None = None) -> AppError:
    with pytest.raises(AppError) as error:
        await requested(session, patient, slot)
    return error.value


async def places(session: AsyncSession, slot: Slot) -> tuple[int, int]:
    await session.refresh(slot)
    return slot.remaining, slot.taken


async def test_a_request_holds_a_place_for_ten_minutes_and_opens_a_bill(
    session: AsyncSession, patient: Patient, clock: SharedClock
) -> None:
    slot = await a_slot(session)

    row = await requested(session, patient, slot)

    assert (row.state, row.serial_number) == ("pending", 1)
    assert timedelta(minutes=9) < row.hold_expires_at - clock.now() <= timedelta(minutes=10)
    assert await places(session, slot) == (slot.capacity - 1, 1)
    payment = await bill(session, row)
    assert (payment.amount, payment.expires_at) == (5000, row.hold_expires_at)
    (line,) = await lines(session, payment.id)
    assert (line.code, line.amount, line.price_version) == ("visit.follow_up.senior", 5000, "2026.1")
    intent = (await session.scalars(select(Intent).where(Intent.kind == service.EXPIRE_HOLD))).one()
    assert (intent.subject, intent.due_at) == (str(row.id), row.hold_expires_at)


async def test_the_title_of_the_doctor_decides_the_fee(session: AsyncSession, patient: Patient) -> None:
    row = await requested(session, patient, await a_slot(session, SECOND_DOCTOR))

    assert (await bill(session, row)).amount == 3000


async def test_who_has_not_consented_books_nothing(session: AsyncSession, patient: Patient) -> None:
    """医院办法 Art 18: informed consent before the first visit."""
    await withdraw_consent(session, patient.actor, patient.person.id, patients.INFORMED_CONSENT)

    error = await refused(session, patient)

    assert (type(error), error.code) == (Forbidden, "no_consent")


async def test_who_is_not_eligible_books_nothing(session: AsyncSession, patient: Patient) -> None:
    """诊疗办法 Art 16: no first visits online."""
    decision = await eligible(session, patient, days_ago=60)

    with pytest.raises(Conflict) as error:
        await requested(session, patient, decision=decision)

    assert error.value.code == "not_eligible"


async def test_somebody_elses_decision_books_nothing(session: AsyncSession, patient: Patient) -> None:
    other = await a_patient(session, OTHER)
    decision = await eligible(session, other)

    with pytest.raises(NotFound):
        await requested(session, patient, decision=decision)


async def test_nobody_books_for_a_stranger(session: AsyncSession, patient: Patient) -> None:
    """监管细则 2022: verified by real name, proxies only with a grant."""
    stranger = await a_patient(session, OTHER)
    decision, slot = await eligible(session, patient), await a_slot(session)

    with pytest.raises(NotFound):
        await service.request(
            session, stranger.actor, person_id=patient.person.id, slot_id=slot.id, eligibility_id=decision.id,
            complaint="", mode="text",
        )  # fmt: skip


async def test_a_slot_that_is_over_or_unknown_is_not_booked(
    session: AsyncSession, patient: Patient, clock: SharedClock
) -> None:
    slot = await a_slot(session, hours=0)
    decision = await eligible(session, patient)
    moves_on(clock, hours=1)
    with pytest.raises(Conflict) as error:
        await requested(session, patient, slot, decision)
    assert error.value.code == "slot_over"

    with pytest.raises(NotFound):
        await requested(session, patient, Slot(id=new_id()), decision)


async def test_what_is_sold_out_is_refused_and_nothing_is_opened(
    session: AsyncSession, patient: Patient
) -> None:
    slot = await a_slot(session)
    await session.execute(update(Slot).where(Slot.id == slot.id).values(remaining=0))

    error = await refused(session, patient, slot)

    assert (error.code, error.issues[0].field) == ("sold_out", "slot_id")
    assert await session.scalar(select(func.count()).select_from(Payment)) == 0


DOCTORS = (DOCTOR, SECOND_DOCTOR, CHILD_DOCTOR)
"""As many as the places of a day: each of them sees a person once a day."""


async def test_the_quota_of_a_day_counts_places_held_booked_and_used(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    """Seeds 003, 3.2.1."""
    with numbers(quota_person_day=2):
        await requested(session, patient, await a_slot(session, DOCTOR))
        await booked(session, context, patient, await a_slot(session, SECOND_DOCTOR))

        error = await refused(session, patient, await a_slot(session, CHILD_DOCTOR))

        assert error.code == "quota_used"
        tomorrow = await requested(session, patient, await a_slot(session, hours=24))
        assert tomorrow.state == "pending"


async def test_a_doctor_sees_a_person_once_a_day(session: AsyncSession, patient: Patient) -> None:
    await requested(session, patient, await a_slot(session))

    assert (await refused(session, patient, await a_slot(session, hours=2))).code == "doctor_quota_used"
    await requested(session, patient, await a_slot(session, SECOND_DOCTOR, hours=2))


async def test_a_place_given_back_is_no_longer_counted(session: AsyncSession, patient: Patient) -> None:
    rows = [await requested(session, patient, await a_slot(session, doctor)) for doctor in DOCTORS]

    await service.cancel(session, patient.actor, rows[0], RefundReason.PATIENT_CANCELLED, "patient")

    await requested(session, patient, await a_slot(session, hours=2))


async def test_the_quota_belongs_to_the_person_and_not_to_the_account(session: AsyncSession) -> None:
    """practice.md 1: quota, no-show and consent belong to the person."""
    mother = await a_patient(session, DAUGHTER)
    child = await registered(session, mother.actor, SCHOOLCHILD, "guardian", "母亲")
    await consents(session, mother.actor, child)
    for doctor in DOCTORS:
        await requested(session, mother, await a_slot(session, doctor))

    row = await requested(
        session, Patient(mother.actor, child, SCHOOLCHILD), await a_slot(session, CHILD_DOCTOR, hours=2)
    )

    assert row.person_id == child.id


async def test_nobody_holds_two_places_of_one_slot(session: AsyncSession, patient: Patient) -> None:
    slot = await a_slot(session)
    await requested(session, patient, slot)

    assert (await refused(session, patient, slot)).code == "already_booked"


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"active": False}, "suspended"), ({"years_of_experience": 2}, "too_little_experience")],
)
async def test_a_doctor_who_may_not_practise_is_not_booked(
    session: AsyncSession, patient: Patient, changes: dict[str, object], code: str
) -> None:
    """诊疗办法 Art 25: three years of independent clinical experience."""
    await session.execute(update(Practitioner).where(Practitioner.id == DOCTOR.id).values(**changes))

    error = await refused(session, patient)

    assert (type(error), error.issues[0].code) == (Forbidden, code)


async def test_a_doctor_whose_filing_ends_before_the_day_of_the_visit_is_not_booked(
    session: AsyncSession, patient: Patient, clock: SharedClock
) -> None:
    """医院办法 Art 16, 29; 监管细则 2022: practice needs a filing that is in force."""
    await session.execute(
        update(Filing).where(Filing.practitioner_id == DOCTOR.id).values(filed_until=date(2026, 11, 20))
    )

    error = await refused(session, patient, await a_slot(session, hours=24))

    assert error.issues[0].code == "filing_ended"
    await requested(session, patient, await a_slot(session, hours=1))


async def test_a_child_under_six_is_booked_by_its_guardian_who_answers_for_it(session: AsyncSession) -> None:
    """诊疗办法 Art 19: guardian's name and number belong to the record of a child under six."""
    mother = await a_patient(session, DAUGHTER)
    child = await registered(session, mother.actor, CHILD, "guardian", "母亲")
    await consents(session, mother.actor, child)

    row = await requested(session, Patient(mother.actor, child, CHILD), await a_slot(session, CHILD_DOCTOR))

    assert row.guardian is not None
    assert (row.guardian.name, row.guardian.id_number, row.guardian.relation) == (
        DAUGHTER.name, DAUGHTER.id_number, "母亲",
    )  # fmt: skip


async def test_a_child_under_six_is_not_booked_by_anybody_else(session: AsyncSession) -> None:
    """诊疗办法 Art 19."""
    mother, stranger = await a_patient(session, DAUGHTER), await a_patient(session, OTHER)
    child = await registered(session, mother.actor, CHILD, "guardian", "母亲")
    await registered(session, stranger.actor, CHILD, "proxy", "邻居")
    await consents(session, stranger.actor, child)

    error = await refused(session, Patient(stranger.actor, child, CHILD), await a_slot(session, CHILD_DOCTOR))

    assert error.code == "guardian_needed"


async def test_a_cancelled_hold_gives_place_and_bill_back_and_the_number_is_not_used_again(
    session: AsyncSession, patient: Patient
) -> None:
    slot = await a_slot(session)
    row = await requested(session, patient, slot)

    assert await service.cancel(session, patient.actor, row, RefundReason.PATIENT_CANCELLED, "patient")
    assert not await service.cancel(session, patient.actor, row, RefundReason.PATIENT_CANCELLED, "patient")

    assert await places(session, slot) == (slot.capacity, 1)
    assert (await bill(session, row)).state == "cancelled"
    assert (await requested(session, patient, slot)).serial_number == 2
    kinds = (await session.scalars(select(OutboxEvent.type).where(OutboxEvent.stream == row.stream))).all()
    assert "appointment.cancelled" not in kinds


async def test_a_cancelled_booking_is_refunded_and_told_to_the_supervisor(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row = await booked(session, context, patient, await a_slot(session))

    await service.cancel(session, patient.actor, row, RefundReason.PATIENT_CANCELLED, "patient")

    kinds = (await session.scalars(select(OutboxEvent.type).where(OutboxEvent.stream == row.stream))).all()
    assert kinds.count("appointment.cancelled") == 1
    intent = select(Intent).where(Intent.kind == "refund.drive")
    assert (await session.scalars(intent)).one().done_at is None


async def test_a_strangers_or_another_doctors_appointment_is_not_there(
    session: AsyncSession, patient: Patient
) -> None:
    row = await requested(session, patient)
    stranger = await a_patient(session, OTHER)

    assert await queries.visible(session, patient.actor, row.id) is row
    assert await queries.visible(session, DOCTOR.actor, row.id) is row
    for actor in (stranger.actor, SECOND_DOCTOR.actor):
        with pytest.raises(NotFound):
            await queries.visible(session, actor, row.id)
    with pytest.raises(NotFound):
        await queries.visible(session, patient.actor, new_id())


async def test_the_queue_counts_who_is_seen_before(session: AsyncSession, context: Context) -> None:
    first, second = await a_patient(session), await a_patient(session, OTHER)
    early = await booked(session, context, first, await a_slot(session, hours=1))
    same = await booked(session, context, second, await a_slot(session, hours=1))
    with numbers(quota_doctor_day=2):
        later = await booked(session, context, second, await a_slot(session, hours=2))
    elsewhere = await booked(session, context, first, await a_slot(session, SECOND_DOCTOR, hours=3))

    assert [await queries.ahead_of(session, row) for row in (early, same, later, elsewhere)] == [0, 1, 2, 0]


async def test_money_for_a_cancelled_hold_confirms_no_place(session: AsyncSession, patient: Patient) -> None:
    row = await requested(session, patient)
    await service.cancel(session, SYSTEM, row, RefundReason.PAID_AFTER_EXPIRY, "system")

    assert not await service.confirm(session, row, payments.snapshot(await bill(session, row)), new_id())
    assert row.state == "cancelled"


async def test_a_visit_that_was_accepted_cannot_be_cancelled(
    session: AsyncSession, context: Context, patient: Patient
) -> None:
    row = await booked(session, context, patient, await a_slot(session))
    await session.execute(update(Appointment).where(Appointment.id == row.id).values(state="fulfilled"))

    with pytest.raises(IllegalMove):
        await service.cancel(session, patient.actor, row, RefundReason.PATIENT_CANCELLED, "patient")
