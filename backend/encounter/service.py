"""Opening, accepting, declining, stopping a visit."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment import service as booking
from backend.appointment.model import FOLLOW_UP, Appointment
from backend.appointment.rules import cancellable_by_patient
from backend.appointment.states import AppointmentState
from backend.context import Context
from backend.diagnosis.codes import table
from backend.eligibility.model import EligibilityDecision
from backend.eligibility.rules import Outcome
from backend.encounter import queries, rules
from backend.encounter.model import Consultation, Encounter, FollowUp, FollowUpJudgement
from backend.encounter.states import RUNNING, EncounterState
from backend.escalation import service as escalation
from backend.escalation.rules import Kind
from backend.notification.rules import CANCELLED, REFERRED, VISIT_ACCEPTED
from backend.notification.service import tell
from backend.patient import queries as patients
from backend.payment import queries as payments
from backend.payment import service as money
from backend.payment.rules import REFUND_RULES, RefundReason
from backend.policy import policy
from backend.practitioner import queries as practitioners
from backend.shift.service import require as require_shift
from backend.writeback.service import write_back
from contracts import events
from foundation.actor import SYSTEM, Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.guards import guarded
from foundation.db.intents import intend, withdraw
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Invalid, Issue
from foundation.ids import new_id

DEADLINE = "encounter.acceptance_deadline"
LATE = "waiting.late"
CLOCKS = (DEADLINE, LATE)
WAITING = "waiting"
"""Stream of the duty desk: somebody begins or ends to wait."""
TIME_WARNING = "encounter.time_warning"
TIME_OVER = "encounter.time_over"
TIME_EXTENDED = "encounter.time_extended"
"""Handled in `chat`, where both sides are told."""


async def on_paid(session: AsyncSession, context: Context, appointment_id: UUID) -> None:
    """The registration fee arrived: the appointment is booked and its visit planned; too late means money back."""
    booked = await appointments.appointment(session, appointment_id)
    payment = await payments.of_subject(session, booking.SUBJECT, appointment_id)
    assert payment is not None
    if not await open_visit(session, booked, payments.snapshot(payment)):
        await money.request_refund(session, SYSTEM, payment, RefundReason.PAID_AFTER_EXPIRY)
    elif booked.kind == FOLLOW_UP:
        await write_back(session, booked.id, "registration", booked.id)
        await write_back(session, booked.id, "charge.registration", payment.id)


async def open_visit(session: AsyncSession, booked: Appointment, paid: events.Money) -> bool:
    """The place is the patient's and her visit planned; False when the hold was over."""
    encounter_id = new_id()
    if not await booking.confirm(session, booked, paid, encounter_id):
        return False
    whose = {
        "id": encounter_id, "appointment_id": booked.id, "person_id": booked.person_id,
        "practitioner_id": booked.practitioner_id,
    }  # fmt: skip
    if booked.eligibility_id is None:
        session.add(Consultation(**whose))
    else:
        decision = await session.get_one(EligibilityDecision, booked.eligibility_id)
        judged = decision.outcome == Outcome.DOCTOR_DECIDES
        session.add(
            FollowUp(
                **whose, original_code=decision.diagnosis_code, original_day=decision.evidence_day, doctor_decides=judged,
                diagnoses=[],
            )
        )  # fmt: skip
    audit(session, SYSTEM, "encounter.open", "encounter", encounter_id)
    return True


async def check_in(session: AsyncSession, actor: Actor, booked: Appointment) -> Encounter:
    """The patient waits: the doctor is told, the acceptance clock starts."""
    await lock_stream(session, booked.stream)
    assert booked.encounter_id is not None
    row = await queries.encounter(session, booked.encounter_id)
    if not await booking.check_in(session, actor, booked):
        return row
    await start_clock(session, row, rules.clock_start(booked.starts_at, clock_of(session).now()))
    await tell_waiting(session, row, booked)
    touch(session, f"queue:{row.practitioner_id}", WAITING)
    return row


async def start_clock(session: AsyncSession, row: Encounter, begun: datetime) -> None:
    """The acceptance clock runs from `begun`: offer refund or place, give everything back."""
    limits = policy()
    row.clock_started_at, row.late_offered_at, row.place_kept_at = begun, None, None
    row.acceptance_deadline = begun + timedelta(minutes=limits.accept_minutes)
    await intend(session, DEADLINE, row.id, due=row.acceptance_deadline)
    await intend(session, LATE, row.id, due=begun + timedelta(minutes=limits.late_minutes))


async def stop_clock(session: AsyncSession, row: Encounter, why: str = "cancelled") -> None:
    """The patient waits no more; `why` closes what was told to the doctor."""
    for kind in CLOCKS:
        await withdraw(session, kind, row.id)
    await escalation.close(session, Kind.VISIT, row.id, why)
    touch(session, f"queue:{row.practitioner_id}", WAITING)


async def tell_waiting(session: AsyncSession, row: Encounter, booked: Appointment) -> None:
    """The doctor is told, louder and louder until she looks; the link opens this visit after login (practice.md 8)."""
    person = await patients.person(session, row.person_id)
    what = "健康咨询" if isinstance(row, Consultation) else "在线复诊"
    await escalation.raise_one(
        session, Kind.VISIT, row.id, row.practitioner_id, about=f"{person.name[:1]}** {what}",
        link=f"/doctor/visits/{row.id}", begins=row.clock_started_at,
    )  # fmt: skip


async def accept(
    session: AsyncSession, actor: Actor, row: Encounter, *, follow_up_confirmed: bool, guardian_present: bool, basis: str = ""
) -> bool:  # fmt: skip
    """The doctor takes the visit, confirming that it is a follow-up where it is one (诊疗办法 Art 16). Needs an open shift."""
    await lock_stream(session, row.stream)
    if guarded("doctor_lock"):
        await lock_stream(session, f"doctor:{row.practitioner_id}")
    await session.refresh(row)
    await require_shift(session, actor)
    booked = await appointments.appointment(session, row.appointment_id)
    await practitioners.require_filed(session, row.practitioner_id, booked.department_code)
    if row.state != EncounterState.IN_PROGRESS:
        issues = rules.may_accept(
            confirmed=follow_up_confirmed or isinstance(row, Consultation),
            checked_in=booked.state == AppointmentState.CHECKED_IN,
            running=await queries.running(session, row.practitioner_id), most=policy().parallel_visits,
            reasoned=bool(basis) or not (isinstance(row, FollowUp) and row.doctor_decides),
        )  # fmt: skip
        if issues:
            raise Conflict(issues[0].message, code=issues[0].code, issues=issues)
    now = clock_of(session).now()
    changes: dict[str, Any] = {
        "started_at": now, "talk_until": now + policy().visit_limit, "guardian_present_at": now if guardian_present else None,
    }  # fmt: skip
    if isinstance(row, FollowUp):
        changes |= {"follow_up_confirmed_at": now, "diagnoses": [queries.original(row)]}
    event = await queries.started(session, row, now, basis, guardian_present=guardian_present)
    moved = await advance(session, row, "accept", actor, event=event, **changes)
    if moved:
        _judged(session, row, is_follow_up=True, reason=basis)
        await advance(session, booked, "fulfil", actor)
        await _time(session, row)
        await stop_clock(session, row, "accepted")
        doctor = await practitioners.practitioner(session, row.practitioner_id)
        data = {"thing1": f"{doctor.name}医生", "thing2": "医生已接诊", "thing3": "请点击进入问诊"}
        for account_id in await patients.accounts_for(session, row.person_id):
            await tell(
                session, account_id, VISIT_ACCEPTED, data, link=f"/visits/{booked.id}", subject_id=row.id
            )
    return moved


def _judged(session: AsyncSession, row: Encounter, *, is_follow_up: bool, reason: str) -> None:
    """Who decided whether it is a follow-up, and why (诊疗办法 Art 16)."""
    if isinstance(row, FollowUp):
        session.add(
            FollowUpJudgement(
                id=new_id(), encounter_id=row.id, practitioner_id=row.practitioner_id, is_follow_up=is_follow_up,
                reason=reason, at=clock_of(session).now(),
            )
        )  # fmt: skip


async def decline(
    session: AsyncSession, actor: Actor, row: Encounter, *, reason: str, cause: RefundReason
) -> bool:
    """Not accepted: by the doctor, or by nobody in time. The place and the money go back."""
    await lock_stream(session, row.stream)
    now = clock_of(session).now()
    refuse_type = "2" if cause is RefundReason.NOBODY_ACCEPTED else "1"
    judged = cause is RefundReason.NOT_A_FOLLOW_UP
    event = await queries.declined(
        session, row, now, reason=reason, refuse_type=refuse_type, not_a_follow_up=judged
    )
    moved = await advance(session, row, "decline", actor, event=event, ended_at=now, end_reason=reason)
    if moved:
        if judged:
            _judged(session, row, is_follow_up=False, reason=reason)
        booked = await appointments.appointment(session, row.appointment_id)
        await booking.cancel(
            session, SYSTEM, booked, cause, "practitioner" if actor.has("doctor") else "system"
        )
        await stop_clock(session, row, "refund" if cause is RefundReason.NOBODY_ACCEPTED else "declined")
        await _tell_cancelled(session, booked, cause)
    return moved


async def _tell_cancelled(session: AsyncSession, booked: Appointment, cause: RefundReason) -> None:
    data = {
        "thing1": REFUND_RULES[cause].words,
        "time2": local(booked.starts_at).strftime("%Y-%m-%d %H:%M"),
        "thing3": "费用将原路退回",
    }
    for account_id in await patients.accounts_for(session, booked.person_id):
        await tell(session, account_id, CANCELLED, data, link=f"/visits/{booked.id}", subject_id=booked.id)


async def cancel_by_patient(session: AsyncSession, actor: Actor, booked: Appointment) -> bool:
    """The patient gives the place back: before the start, within the grace after paying, or while nobody has accepted."""
    await lock_stream(session, booked.stream)
    await session.refresh(booked)
    case = await queries.cancelling(session, booked)
    issues = cancellable_by_patient(
        starts_at=booked.starts_at, now=clock_of(session).now(), free_until=case.free_until,
        checked_in=booked.state == AppointmentState.CHECKED_IN,
    )  # fmt: skip
    if issues and booked.state == AppointmentState.BOOKED:
        raise Conflict(issues[0].message, code=issues[0].code, issues=issues)
    moved = await booking.cancel(session, actor, booked, case.reason, "patient")
    if moved and booked.encounter_id is not None:
        row = await queries.encounter(session, booked.encounter_id)
        await advance(session, row, "cancel", actor, ended_at=clock_of(session).now())
        await stop_clock(session, row)
    return moved


async def confirm_diagnoses(
    session: AsyncSession, actor: Actor, row: FollowUp, diagnoses: Sequence[events.Diagnosis]
) -> None:
    """The diagnoses this visit is about; at least one, at most ten, no code twice."""
    await lock_stream(session, row.stream)
    await session.refresh(row)
    if row.state not in RUNNING:
        raise Conflict("问诊未在进行中", code="encounter_not_running")
    codes = [diagnosis.code for diagnosis in diagnoses]
    known = {*table(), row.original_code, *(diagnosis.code for diagnosis in row.diagnoses)}
    issues = [
        Issue(f"codes.{place}", "unknown_code", f"没有这个诊断编码：{code}")
        for place, code in enumerate(codes)
        if code not in known
    ]
    if not 1 <= len(codes) <= 10:
        issues.append(Issue("codes", "wrong_number", "请填写 1 到 10 个诊断"))
    if len(set(codes)) != len(codes):
        issues.append(Issue("codes", "twice", "诊断重复"))
    if issues:
        raise Invalid(issues=issues)
    row.diagnoses = list(diagnoses)
    audit(session, actor, "encounter.confirm_diagnoses", "encounter", row.id)


async def hold(session: AsyncSession, actor: Actor, row: Encounter) -> bool:
    """Pause; the time to talk stands still, as long as pauses may last."""
    await lock_stream(session, row.stream)
    moved = await advance(session, row, "hold", actor, held_at=clock_of(session).now())
    if moved:
        await _time(session, row)
        touch(session, f"chat:{row.id}")
    return moved


async def resume(session: AsyncSession, actor: Actor, row: Encounter) -> bool:
    """Go on, with as much time left as before the pause."""
    await lock_stream(session, row.stream)
    await session.refresh(row)
    moved = await advance(
        session, row, "resume", actor, **_settled(row, clock_of(session).now()), held_at=None
    )
    if moved:
        await _time(session, row)
        touch(session, f"chat:{row.id}")
    return moved


def _settled(row: Encounter, now: datetime) -> dict[str, Any]:
    """The columns of the time to talk with the running pause counted."""
    time = queries.talk_time(row)
    if time is None:
        return {}
    pause = time.pausing(now)
    return {
        "talk_until": time.until + pause,
        "paused_seconds": row.paused_seconds + round(pause.total_seconds()),
    }


async def extend(session: AsyncSession, actor: Actor, row: Encounter) -> None:
    """More time to talk, also after it was over. `Conflict` when it was prolonged often enough."""
    await lock_stream(session, row.stream)
    await session.refresh(row)
    now, limits = clock_of(session).now(), policy()
    if row.state not in RUNNING:
        raise Conflict("问诊未在进行中", code="encounter_not_running")
    if row.extensions >= limits.visit_extensions:
        raise Conflict("已达到延长次数上限，请结束问诊或建议患者再次预约", code="extended_enough")
    row.extensions += 1
    for name, value in _settled(row, now).items():
        setattr(row, name, value)
    row.held_at = now if row.held_at else None
    row.talk_until = max(row.talk_until or now, now) + limits.visit_extension
    await _time(session, row)
    await intend(session, TIME_EXTENDED, row.id)
    audit(session, actor, "encounter.extend", "encounter", row.id, detail={"times": str(row.extensions)})
    touch(session, row.stream, f"chat:{row.id}")


async def _time(session: AsyncSession, row: Encounter) -> None:
    """Wake up for the warning and for the end of the talk: on hold for the end there would be if nobody went on."""
    time = queries.talk_time(row)
    if time is not None:
        await intend(session, TIME_WARNING, row.id, due=time.latest() - policy().visit_warning)
        await intend(session, TIME_OVER, row.id, due=time.latest())


async def refer_offline(
    session: AsyncSession, actor: Actor, row: Encounter, *, reason: str, advised: bool | None = None,
    on_video: timedelta = timedelta(),
) -> bool:  # fmt: skip
    """Stop at once and send the patient to the hospital (诊疗办法 Art 16). Money back unless advice was given.

    Whether it was, the doctor says (`advised`); where she says nothing, it is what it looks like.
    """
    await lock_stream(session, row.stream)
    await session.refresh(row)
    now = clock_of(session).now()
    seems = queries.looks_advised(row, on_video)
    event = await queries.discontinued(session, row, now, reason=reason)
    moved = await advance(
        session, row, "refer_offline", actor, event=event, ended_at=now, end_reason=reason,
        advice_given=seems if advised is None else advised,
    )  # fmt: skip
    if moved:
        detail = {
            "given": str(row.advice_given), "seemed": str(seems), "said_by": "rule" if advised is None else "doctor",
            "video_minutes": str(on_video // timedelta(minutes=1)),
        }  # fmt: skip
        audit(session, actor, "encounter.judge_advice", "encounter", row.id, detail=detail)
        payment = await payments.of_subject(session, booking.SUBJECT, row.appointment_id)
        after = (
            RefundReason.REFERRED_AFTER_ADVICE if row.advice_given else RefundReason.REFERRED_BEFORE_ADVICE
        )
        if payment is not None:
            await money.request_refund(session, actor, payment, after)
        await _tell_referred(session, row)
        touch(session, f"chat:{row.id}", f"queue:{row.practitioner_id}")
    return moved


async def _tell_referred(session: AsyncSession, row: Encounter) -> None:
    """The reason is for her eyes in the application; a lock screen only says that there is one (practice.md 9)."""
    doctor = await practitioners.practitioner(session, row.practitioner_id)
    data = {"thing1": f"{doctor.name}医生", "thing2": "建议您到医院就诊", "thing3": "请点击查看原因"}
    for account_id in await patients.accounts_for(session, row.person_id):
        link = f"/visits/{row.appointment_id}"
        await tell(session, account_id, REFERRED, data, link=link, subject_id=row.id)
