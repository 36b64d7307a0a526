"""Places, late doctors and hand-overs, over a real database."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment.model import Appointment
from backend.context import Context
from backend.encounter import queries as encounters
from backend.encounter import service as visiting
from backend.encounter.model import Encounter, FollowUp
from backend.escalation import service as escalation
from backend.notification.model import Message
from backend.payment.model import Refund
from backend.waiting import queries, service
from backend.waiting.model import Handover
from backend.waiting.views import waiting_view, waiting_visit
from foundation.db.audit import AuditEvent
from foundation.db.intents import Intent
from foundation.db.outbox import OutboxEvent
from foundation.errors import Conflict, NotFound
from tests.builders.visits import (
    Patient,
    a_patient,
    a_slot,
    accepted,
    booked,
    on_shift,
    waiting,
)
from tests.database import SharedClock, moves_on
from tests.small_world import (
    CHILD_DOCTOR,
    DAUGHTER,
    DOCTOR,
    DUTY_DESK,
    OTHER,
    SECOND_DOCTOR,
    SECOND_PHARMACIST,
)

pytestmark = pytest.mark.anyio


async def another(session: AsyncSession) -> Patient:
    return await a_patient(session, OTHER)


async def second_waits(session: AsyncSession, context: Context) -> tuple[Encounter, Appointment, Patient]:
    """Somebody else waits for the same doctor, in the same slot, behind the first."""
    patient = await another(session)
    row = await booked(session, context, patient, await a_slot(session, hours=0))
    return await visiting.check_in(session, patient.actor, row), row, patient


async def test_position_and_wait_are_said_as_a_range(session: AsyncSession, context: Context) -> None:
    first = await a_patient(session)
    await waiting(session, context, first)
    _, behind, _ = await second_waits(session, context)

    seen = await waiting_view(session, behind)

    assert seen.ahead == 1
    assert 0 <= seen.low_minutes < seen.high_minutes <= 30
    assert (seen.measured, seen.clock_running, seen.clock_left_minutes) == (0, True, 29)
    assert "分钟" in seen.words


async def test_who_comes_late_stands_behind_who_was_there(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    """A smaller number does not help somebody who was not there when it was called."""
    late, early = await a_patient(session), await another(session)
    missing = await booked(session, context, late)
    present = await booked(session, context, early)
    await visiting.check_in(session, early.actor, present)
    assert missing.serial_number < present.serial_number

    assert await appointments.ahead_of(session, present) == 0
    moves_on(clock, minutes=2)
    await visiting.check_in(session, late.actor, missing)

    assert await appointments.ahead_of(session, missing) == 1
    found = await encounters.doctors_list(session, DOCTOR.id, clock.today())
    assert [row.id for _, row in found][:2] == [present.id, missing.id]


async def test_the_estimate_comes_from_the_doctors_recent_visits(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    await accepted(session, context, await a_patient(session))
    template = (await session.scalars(select(Encounter))).one()
    await _measured(session, template, [20, 22, 18, 21, 19], clock)

    found = await queries.pace_of(session, DOCTOR.id, "0310")

    assert (round(found.mean), found.measured) == (20, 5)
    assert (await queries.pace_of(session, SECOND_DOCTOR.id, "0310")).measured == 5
    assert (await queries.pace_of(session, CHILD_DOCTOR.id, "0700")).measured == 0


async def _measured(session: AsyncSession, like: Encounter, lengths: list[int], clock: SharedClock) -> None:
    """Completed visits of `DOCTOR` with these lengths in minutes."""
    from tests.builders.rows import copies_of

    booked_rows = await copies_of(session, Appointment, like.appointment_id, len(lengths))
    for number, (row, length) in enumerate(zip(booked_rows, lengths, strict=True)):
        ended = clock.now() - timedelta(days=1, minutes=number)
        await copies_of(
            session, FollowUp, like.id, 1, appointment_id=row.id, state="completed", ended_at=ended,
            started_at=ended - timedelta(minutes=length),
        )  # fmt: skip


async def test_while_the_doctor_is_in_another_visit_the_clock_stands_still(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    """practice.md 7: no refund for a doctor who works."""
    await accepted(session, context, await a_patient(session))
    visit, behind, _ = await second_waits(session, context)

    moves_on(clock, minutes=25)

    seen = await waiting_view(session, behind)
    assert (seen.doctor_busy, seen.clock_running) == (True, False)
    assert seen.clock_left_minutes is not None
    assert seen.clock_left_minutes >= 29
    assert seen.waited_minutes == 25
    assert "医生还在为前一位患者看诊" in seen.words
    assert visit.acceptance_deadline is not None


async def test_who_has_waited_too_long_is_asked_once(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    visit = await waiting(session, context, await a_patient(session))
    row = await session.get_one(Appointment, visit.appointment_id)
    with pytest.raises(Conflict) as early:
        await service.keep_place(session, PATIENT_ACTOR(row), visit.id)
    assert early.value.code == "not_late"

    moves_on(clock, minutes=21)
    assert await service.offer(session, visit.id)
    assert not await service.offer(session, visit.id)

    seen = await waiting_view(session, row)
    assert seen.late
    told = (await session.scalars(select(Message).where(Message.template == "TPL_VISIT_DELAYED"))).all()
    assert len(told) == 1
    assert "高血压" not in str(told[0].data)


def PATIENT_ACTOR(row: Appointment):  # type: ignore[no-untyped-def]
    from foundation.actor import Actor

    return Actor("account", row.account_id, frozenset({"patient"}))


async def test_taking_the_money_gives_all_of_it_back(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    """practice.md 17: doctor late."""
    visit = await waiting(session, context, await a_patient(session))
    row = await session.get_one(Appointment, visit.appointment_id)
    moves_on(clock, minutes=21)
    await service.offer(session, visit.id)

    await service.take_refund(session, PATIENT_ACTOR(row), row)

    (refund,) = (await session.scalars(select(Refund))).all()
    assert (refund.reason, refund.amount) == ("doctor_late", 5000)
    assert (row.state, visit.state) == ("cancelled", "cancelled")
    open_kinds = select(Intent.kind).where(Intent.kind.in_(visiting.CLOCKS), Intent.done_at.is_(None))
    assert (await session.scalars(open_kinds)).all() == []


async def test_keeping_the_place_outlasts_the_clock_but_not_the_limit(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    visit = await waiting(session, context, await a_patient(session))
    row = await session.get_one(Appointment, visit.appointment_id)
    moves_on(clock, minutes=21)
    await service.offer(session, visit.id)

    await service.keep_place(session, PATIENT_ACTOR(row), visit.id)

    seen = await waiting_view(session, row)
    assert seen.place_kept
    assert seen.clock_left_minutes == 180 - 22


async def test_the_desk_sees_who_waits_and_for_how_long(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    await waiting(session, context, await a_patient(session))
    moves_on(clock, minutes=7)

    ((visit, row),) = await queries.who_waits(session)
    seen = await waiting_visit(session, visit, row)

    assert (seen.patient_name, seen.practitioner_name, seen.waited_minutes) == ("林**", DOCTOR.name, 7)


async def handed(session: AsyncSession, context: Context) -> tuple[Encounter, Appointment, Patient]:
    """Somebody waits for a doctor who does not come; a dearer colleague works. (The fee is that of the slot's doctor.)"""
    patient = await a_patient(session)
    row = await booked(session, context, patient, await a_slot(session, SECOND_DOCTOR, hours=0))
    visit = await visiting.check_in(session, patient.actor, row)
    await on_shift(session, context, DOCTOR)
    return visit, row, patient


async def test_a_visit_goes_to_a_filed_colleague_only_if_the_patient_agrees(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    """practice.md 7."""
    visit, row, patient = await handed(session, context)
    moves_on(clock, minutes=12)

    proposal = await service.propose(session, DUTY_DESK.actor, visit.id, DOCTOR.id)
    assert visit.practitioner_id == SECOND_DOCTOR.id
    seen = (await waiting_view(session, row)).proposal
    assert seen is not None
    assert seen.practitioner_name == DOCTOR.name
    await service.agree(session, patient.actor, proposal)

    assert visit.practitioner_id == row.practitioner_id == DOCTOR.id
    assert visit.clock_started_at is not None
    assert abs(visit.clock_started_at - clock.now()) < timedelta(seconds=5)
    events = await session.scalars(select(OutboxEvent.type).where(OutboxEvent.stream == row.stream))
    assert list(events)[-1] == "appointment.moved"
    await escalation.climb(session, DOCTOR.id)
    told = select(Message.recipient_id).where(Message.template == "TPL_VISIT_WAITING")
    assert DOCTOR.id in list(await session.scalars(told))
    assert await visiting.accept(
        session, DOCTOR.actor, visit, follow_up_confirmed=True, guardian_present=False
    )


async def test_who_would_rather_wait_keeps_her_doctor(session: AsyncSession, context: Context) -> None:
    visit, _, patient = await handed(session, context)
    proposal = await service.propose(session, DUTY_DESK.actor, visit.id, DOCTOR.id)

    await service.refuse(session, patient.actor, proposal)

    assert visit.practitioner_id == SECOND_DOCTOR.id
    with pytest.raises(Conflict):
        await service.agree(session, patient.actor, proposal)
    await service.propose(session, DUTY_DESK.actor, visit.id, DOCTOR.id)


async def test_one_proposal_at_a_time(session: AsyncSession, context: Context) -> None:
    visit, _, _ = await handed(session, context)
    await service.propose(session, DUTY_DESK.actor, visit.id, DOCTOR.id)

    with pytest.raises(Conflict) as refused:
        async with session.begin_nested():
            await service.propose(session, DUTY_DESK.actor, visit.id, DOCTOR.id)

    assert refused.value.code == "proposed_already"


@pytest.mark.parametrize(("who", "code"), [(SECOND_DOCTOR, "same_doctor"), (CHILD_DOCTOR, "not_licensed")])
async def test_whom_a_visit_cannot_be_handed_to(
    session: AsyncSession, context: Context, who: object, code: str
) -> None:
    visit, _, _ = await handed(session, context)

    with pytest.raises(Conflict) as refused:
        await service.propose(session, DUTY_DESK.actor, visit.id, who.id)  # type: ignore[attr-defined]

    assert refused.value.issues[0].code == code


async def test_a_colleague_who_costs_less_is_no_choice(session: AsyncSession, context: Context) -> None:
    patient = await a_patient(session)
    visit = await waiting(session, context, patient)
    await on_shift(session, context, SECOND_DOCTOR)

    with pytest.raises(Conflict) as refused:
        await service.propose(session, DUTY_DESK.actor, visit.id, SECOND_DOCTOR.id)

    assert [one.code for one in refused.value.issues] == ["cheaper"]


async def test_somebody_elses_proposal_is_not_answered(session: AsyncSession, context: Context) -> None:
    visit, _, _ = await handed(session, context)
    proposal = await service.propose(session, DUTY_DESK.actor, visit.id, DOCTOR.id)
    stranger = await a_patient(session, DAUGHTER)

    with pytest.raises(NotFound):
        await service.may_answer(session, stranger.actor, proposal)


async def test_the_duty_desk_answers_for_whom_it_has_on_the_telephone(
    session: AsyncSession, context: Context
) -> None:
    visit, _, _ = await handed(session, context)
    proposal = await service.propose(session, DUTY_DESK.actor, visit.id, DOCTOR.id)

    await service.may_answer(session, DUTY_DESK.actor, proposal)
    await service.agree(session, DUTY_DESK.actor, proposal)

    line = (await session.scalars(select(AuditEvent).where(AuditEvent.action == "encounter.hand_over"))).one()
    assert line.actor_id == DUTY_DESK.id
    assert (await session.scalars(select(Handover.answered_by))).one() == DUTY_DESK.id


async def test_colleagues_are_those_of_the_department_who_are_at_work(
    session: AsyncSession, context: Context
) -> None:
    visit, row, _ = await handed(session, context)
    await on_shift(session, context, CHILD_DOCTOR)
    await on_shift(session, context, SECOND_PHARMACIST)

    assert [doctor.id for doctor in await queries.colleagues(session, row)] == [DOCTOR.id]
    assert visit.practitioner_id == SECOND_DOCTOR.id
