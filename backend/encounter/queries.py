"""Reads about encounters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment.model import Appointment
from backend.appointment.queries import Cancelling
from backend.appointment.states import AppointmentState
from backend.diagnosis.codes import diagnosis_name
from backend.encounter import rules
from backend.encounter.model import Consultation, Encounter, FollowUp
from backend.encounter.rules import Moments, TalkTime
from backend.encounter.states import RUNNING, EncounterState
from backend.patient import queries as patients
from backend.payment.rulebook import RefundReason
from backend.policy import policy
from backend.schedule.model import Slot
from contracts import events
from foundation.actor import Actor
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, NotFound


async def encounter(session: AsyncSession, encounter_id: UUID) -> Encounter:
    """By id, for callers that have checked who asks."""
    row = await session.get(Encounter, encounter_id)
    if row is None:
        raise NotFound("没有找到该次问诊")
    return row


async def visible(session: AsyncSession, actor: Actor, encounter_id: UUID) -> Encounter:
    """For the doctor of the visit or an account with a grant on the patient; `NotFound` for everybody else."""
    row = await encounter(session, encounter_id)
    if actor.kind == "account":
        await patients.grant_on(session, actor, row.person_id)
    elif row.practitioner_id != actor.id:
        raise NotFound("没有找到该次问诊")
    return row


async def cancelling(session: AsyncSession, booked: Appointment) -> Cancelling:
    """Which case it would be if the patient cancelled now: told to her beforehand, and kept when she does.

    Who was offered all her money because the doctor is late is given all of it, however long the rules would have her wait.
    """
    case = await appointments.cancelling(session, booked)
    if booked.state != AppointmentState.CHECKED_IN or booked.encounter_id is None:
        return case
    visit = await encounter(session, booked.encounter_id)
    return replace(case, reason=RefundReason.DOCTOR_LATE) if visit.late_offered_at is not None else case


async def doctors_own(session: AsyncSession, actor: Actor, encounter_id: UUID) -> Encounter:
    """Only for its doctor."""
    row = await encounter(session, encounter_id)
    if row.practitioner_id != actor.id:
        raise NotFound("没有找到该次问诊")
    return row


async def doctors_own_follow_up(session: AsyncSession, actor: Actor, encounter_id: UUID) -> FollowUp:
    """Only for its doctor, and only what can carry a diagnosis."""
    return as_follow_up(await doctors_own(session, actor, encounter_id))


async def follow_up(session: AsyncSession, encounter_id: UUID) -> FollowUp:
    """By id, for callers that have checked who asks."""
    return as_follow_up(await encounter(session, encounter_id))


def as_follow_up(row: Encounter) -> FollowUp:
    """The follow-up; `Conflict` for a health consultation (practice.md 6)."""
    if not isinstance(row, FollowUp):
        raise Conflict("健康咨询不作诊断、不写病历、不开处方", code="not_a_follow_up_visit")
    return row


TALKING = ("state", "talk_until", "held_at", "paused_seconds")
"""What `require_talking` goes by: to be read again before it is asked."""


def talk_time(row: Encounter) -> TalkTime | None:
    """How long the two may talk; None before the visit was accepted."""
    if row.talk_until is None:
        return None
    paused, most = timedelta(seconds=row.paused_seconds), policy().visit_pause
    return TalkTime(row.talk_until, row.held_at, paused, most)


def require_talking(row: Encounter, now: datetime) -> None:
    """`Conflict` when the two may not talk: the visit does not run, or its time is over and the doctor has not prolonged it."""
    if row.state not in RUNNING:
        raise Conflict("问诊未在进行中，不能发送消息", code="encounter_not_running")
    time = talk_time(row)
    if time is not None and time.over(now):
        raise Conflict("本次问诊时间已到，医生可以延长", code="time_over")


def looks_advised(row: Encounter, on_video: timedelta) -> bool:
    """Whether advice seems to have been given in a visit that runs."""
    return rules.looks_like_advice(written=row.advice_given, on_video=on_video, least=policy().advice_video)


async def running(session: AsyncSession, practitioner_id: UUID) -> int:
    """How many visits a doctor runs now."""
    query = select(func.count()).where(
        Encounter.practitioner_id == practitioner_id, Encounter.state.in_(RUNNING)
    )
    return await session.scalar(query) or 0


@dataclass(frozen=True)
class Waited:
    """How long somebody has waited, how much of it the acceptance clock counts, and whether the doctor is in another visit."""

    waited: timedelta
    counted: timedelta
    doctor_busy: bool
    in_service: bool


async def waited(session: AsyncSession, row: Encounter, department_code: str) -> Waited:
    """The acceptance clock of a waiting patient (practice.md 7). There is service when her department has a slot open."""
    now = clock_of(session).now()
    begun = row.clock_started_at or now
    busy = await _other_visits(session, row, begun, now)
    service = await _service(session, department_code, begun, now)
    return Waited(
        max(now - begun, timedelta()), rules.counted(begun, now, service, busy),
        doctor_busy=any(ends >= now for _, ends in busy), in_service=any(ends > now for _, ends in service),
    )  # fmt: skip


async def _other_visits(
    session: AsyncSession, row: Encounter, begun: datetime, now: datetime
) -> list[Moments]:
    query = select(Encounter.started_at, Encounter.ended_at).where(
        Encounter.practitioner_id == row.practitioner_id, Encounter.id != row.id, Encounter.started_at.is_not(None),
        or_(Encounter.ended_at.is_(None), Encounter.ended_at > begun),
    )  # fmt: skip
    rows = (await session.execute(query)).all()
    return [(started, ended or now) for started, ended in rows if started is not None]


async def _service(
    session: AsyncSession, department_code: str, begun: datetime, now: datetime
) -> list[Moments]:
    query = (
        select(Slot.starts_at, Slot.ends_at)
        .where(Slot.department_code == department_code, Slot.ends_at > begun, Slot.starts_at <= now)
        .where(Slot.stopped_at.is_(None))
        .distinct()
    )
    return [(starts, ends) for starts, ends in (await session.execute(query)).all()]


async def doctors_list(
    session: AsyncSession, practitioner_id: UUID, day: date
) -> Sequence[tuple[Encounter, Appointment]]:
    """What a doctor has before her: who waits in the order of their turns, then running, then today's booked ones."""
    query = (
        select(Encounter, Appointment)
        .join(Appointment, Appointment.id == Encounter.appointment_id)
        .where(Encounter.practitioner_id == practitioner_id)
        .where(Encounter.state.in_((EncounterState.PLANNED, *RUNNING)) | (Appointment.day == day))
        .order_by(
            func.greatest(Appointment.starts_at, Appointment.checked_in_at),
            Appointment.serial_number,
            Appointment.id,
        )
        .limit(100)
    )
    found = (await session.execute(query)).all()
    order = {AppointmentState.CHECKED_IN: 0, AppointmentState.FULFILLED: 1, AppointmentState.BOOKED: 2}
    rows = [(visit, booked) for visit, booked in found]
    return sorted(rows, key=lambda pair: order.get(pair[1].state, 3))


async def snapshot(session: AsyncSession, row: Encounter) -> events.Visit:
    """The block events of this visit carry."""
    booked = await appointments.appointment(session, row.appointment_id)
    return await appointments.visit_snapshot(session, booked, row.id)


def original(row: FollowUp) -> events.Diagnosis:
    """The diagnosis the follow-up is for."""
    return events.Diagnosis(row.original_code, diagnosis_name(row.original_code))


async def question(session: AsyncSession, row: Consultation) -> str:
    """What the patient wanted to know."""
    return (await appointments.appointment(session, row.appointment_id)).complaint


async def started(
    session: AsyncSession, row: Encounter, now: datetime, basis: str = "", *, guardian_present: bool = False
) -> events.EncounterStarted | events.ConsultationStarted:
    """The event of accepting."""
    visit = await snapshot(session, row)
    if isinstance(row, FollowUp):
        return events.EncounterStarted(
            visit=visit, started_at=now, follow_up_confirmed=True, original_diagnosis=original(row),
            diagnosis_confirmed_on=row.original_day, basis=basis, guardian_present=guardian_present,
        )  # fmt: skip
    return events.ConsultationStarted(visit=visit, started_at=now)


async def declined(
    session: AsyncSession, row: Encounter, now: datetime, *, reason: str, refuse_type: str, not_a_follow_up: bool = False
) -> events.EncounterDeclined | events.ConsultationDeclined:  # fmt: skip
    """The event of not accepting."""
    visit = await snapshot(session, row)
    if isinstance(row, Consultation):
        return events.ConsultationDeclined(
            visit=visit, question=await question(session, row), declined_at=now, refuse_type=refuse_type, reason=reason
        )  # fmt: skip
    return events.EncounterDeclined(
        visit=visit, declined_at=now, refuse_type=refuse_type, reason=reason,
        original_diagnosis=original(as_follow_up(row)), not_a_follow_up=not_a_follow_up,
    )  # fmt: skip


async def discontinued(
    session: AsyncSession, row: Encounter, now: datetime, *, reason: str
) -> events.EncounterDiscontinued | events.ConsultationDiscontinued:
    """The event of stopping."""
    visit, began = await snapshot(session, row), row.started_at or now
    if isinstance(row, Consultation):
        return events.ConsultationDiscontinued(
            visit=visit, question=await question(session, row), started_at=began, discontinued_at=now, reason=reason
        )  # fmt: skip
    return events.EncounterDiscontinued(
        visit=visit, started_at=began, discontinued_at=now, reason=reason,
        original_diagnosis=original(as_follow_up(row)),
    )  # fmt: skip
