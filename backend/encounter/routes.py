"""Waiting, accepting, ending a visit."""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment.model import Appointment
from backend.diagnosis.codes import diagnosis_name
from backend.edge import DOCTOR, PATIENT, ApiCall, ApiEndpoint, Family
from backend.encounter import queries, service
from backend.encounter.model import Consultation, Encounter, FollowUp
from backend.encounter.wire import Accept, AdviceView, Decline, Diagnoses, EncounterView, Refer
from backend.escalation import service as escalation
from backend.escalation.rules import Kind
from backend.patient import queries as patients
from backend.patient.rules import GUARDIAN_PRESENT_BELOW, age_on
from backend.patient.service import birth_date
from backend.payment.rules import RefundReason
from backend.policy import policy
from backend.practitioner import queries as practitioners
from backend.shift.service import require_running
from contracts.events import Diagnosis
from foundation.clock import local
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict
from foundation.web.endpoint import act, get, send


async def view(session: AsyncSession, row: Encounter, booked: Appointment | None = None) -> EncounterView:
    """A visit with the names its two sides need."""
    booked = booked or await appointments.appointment(session, row.appointment_id)
    person = await patients.person(session, row.person_id)
    doctor = await practitioners.practitioner(session, row.practitioner_id)
    department = await practitioners.department(session, booked.department_code)
    age = age_on(birth_date(person), local(booked.starts_at).date())
    now, time = clock_of(session).now(), queries.talk_time(row)
    return EncounterView(
        id=row.id, appointment_id=row.appointment_id, state=row.state, state_label=row.MACHINE.labels[row.state],
        mode=booked.mode, patient_name=person.name, patient_sex=person.sex, patient_age=age,
        under_six=age < GUARDIAN_PRESENT_BELOW, practitioner_name=doctor.name, practitioner_title=doctor.title_name,
        department_name=department.name, starts_at=booked.starts_at, serial_number=booked.serial_number,
        complaint=booked.complaint, waiting_since=booked.checked_in_at, acceptance_deadline=row.acceptance_deadline,
        started_at=row.started_at, ended_at=row.ended_at, end_reason=row.end_reason,
        recording_consent=row.recording_consent, appointment_state=booked.state,
        talk_until=time.ends(now) if time else None, clock_stands=time is not None and time.still(now),
        extensions_left=max(0, policy().visit_extensions - row.extensions), kind=row.kind, **_of_kind(row),
    )  # fmt: skip


def _of_kind(row: Encounter) -> dict[str, Any]:
    """What only one kind of visit has."""
    match row:
        case FollowUp():
            return {
                "original_diagnosis": queries.original(row), "original_day": row.original_day,
                "doctor_decides": row.doctor_decides, "diagnoses": row.diagnoses,
            }  # fmt: skip
        case Consultation():
            return {"answer": row.answer or ""}
    return {}


async def check_in(call: ApiCall) -> EncounterView:
    """The patient is ready and waits."""
    booked = await appointments.visible(call.session, call.actor, call.id())
    if booked.encounter_id is None:
        raise Conflict("请先支付诊查费", code="not_booked")
    return await view(call.session, await service.check_in(call.session, call.actor, booked))


async def cancel(call: ApiCall) -> None:
    """The patient gives the place back."""
    booked = await appointments.visible(call.session, call.actor, call.id())
    await service.cancel_by_patient(call.session, call.actor, booked)


async def show(call: ApiCall) -> EncounterView:
    """One visit; its doctor sees it within her shift (监管细则 2022)."""
    row = await queries.visible(call.session, call.actor, call.id())
    if call.actor.has(DOCTOR):
        await require_running(call.session, call.actor)
        await escalation.see(call.session, call.actor, Kind.VISIT, row.id)
    return await view(call.session, row)


async def doctors_list(call: ApiCall) -> list[EncounterView]:
    """What the doctor has before her, waiting longest first."""
    assert call.actor.id is not None
    found = await queries.doctors_list(call.session, call.actor.id, call.clock.today())
    return [await view(call.session, row, booked) for row, booked in found]


async def accept(call: ApiCall, body: Accept) -> EncounterView:
    """Take the visit."""
    row = await queries.doctors_own(call.session, call.actor, call.id())
    await service.accept(
        call.session, call.actor, row, follow_up_confirmed=body.follow_up_confirmed,
        guardian_present=body.guardian_present, basis=body.basis.strip(),
    )  # fmt: skip
    return await view(call.session, row)


async def decline(call: ApiCall, body: Decline) -> EncounterView:
    """Refuse the visit; everything is refunded."""
    row = await queries.doctors_own(call.session, call.actor, call.id())
    cause = RefundReason.NOT_A_FOLLOW_UP if body.not_a_follow_up else RefundReason.DECLINED
    await service.decline(call.session, call.actor, row, reason=body.reason, cause=cause)
    return await view(call.session, row)


async def hold(call: ApiCall) -> EncounterView:
    """Pause."""
    row = await queries.doctors_own(call.session, call.actor, call.id())
    await service.hold(call.session, call.actor, row)
    return await view(call.session, row)


async def resume(call: ApiCall) -> EncounterView:
    """Go on."""
    row = await queries.doctors_own(call.session, call.actor, call.id())
    await service.resume(call.session, call.actor, row)
    return await view(call.session, row)


async def extend(call: ApiCall) -> EncounterView:
    """More time to talk."""
    row = await queries.doctors_own(call.session, call.actor, call.id())
    await service.extend(call.session, call.actor, row)
    return await view(call.session, row)


async def _on_video(call: ApiCall, row: Encounter) -> timedelta:
    seen = call.app.wiring.seen_on_video
    return await seen(call.session, row.id) if seen else timedelta()


async def advice(call: ApiCall) -> AdviceView:
    """Whether the doctor seems to have advised: shown to her before she stops and refers."""
    row = await queries.doctors_own(call.session, call.actor, call.id())
    on_video = await _on_video(call, row)
    return AdviceView(
        queries.looks_advised(row, on_video), row.advice_given, on_video // timedelta(minutes=1)
    )


async def refer(call: ApiCall, body: Refer) -> EncounterView:
    """Stop and refer to the physical hospital."""
    row = await queries.doctors_own(call.session, call.actor, call.id())
    on_video = await _on_video(call, row)
    if await service.refer_offline(
        call.session, call.actor, row, reason=body.reason, advised=body.advice_given, on_video=on_video
    ):
        for stopped in call.app.wiring.on_stopped:
            await stopped(call.session, call.app, row.id)
    return await view(call.session, row)


async def confirm_diagnoses(call: ApiCall, body: Diagnoses) -> EncounterView:
    """Confirm the diagnoses of this visit."""
    row = await queries.doctors_own_follow_up(call.session, call.actor, call.id())
    found = [Diagnosis(code, diagnosis_name(code)) for code in body.codes]
    await service.confirm_diagnoses(call.session, call.actor, row, found)
    return await view(call.session, row)


FAMILY = Family.ONLINE_TREATMENT
ENDPOINTS: list[ApiEndpoint] = [
    act("POST", "/appointments/{id}/check-in", check_in, reply=EncounterView, summary="开始候诊", family=FAMILY,
        roles=[PATIENT]),
    act("POST", "/appointments/{id}/cancel", cancel, summary="取消预约", family=Family.PERSONAL_VISIT,
        roles=[PATIENT]),
    get("/doctor/encounters", doctors_list, reply=list[EncounterView], summary="接诊列表", family=FAMILY,
        roles=[DOCTOR]),
    get("/encounters/{id}", show, reply=EncounterView, summary="问诊详情", family=FAMILY, roles=[PATIENT, DOCTOR]),
    send("POST", "/encounters/{id}/accept", accept, body=Accept, reply=EncounterView, summary="接诊", family=FAMILY,
         roles=[DOCTOR]),
    send("POST", "/encounters/{id}/decline", decline, body=Decline, reply=EncounterView, summary="拒绝接诊",
         family=FAMILY, roles=[DOCTOR]),
    act("POST", "/encounters/{id}/hold", hold, reply=EncounterView, summary="暂停", family=FAMILY, roles=[DOCTOR]),
    act("POST", "/encounters/{id}/resume", resume, reply=EncounterView, summary="继续", family=FAMILY, roles=[DOCTOR]),
    act("POST", "/encounters/{id}/extend", extend, reply=EncounterView, summary="延长时间", family=FAMILY,
        roles=[DOCTOR]),
    get("/encounters/{id}/advice", advice, reply=AdviceView, summary="是否已给出诊疗意见", family=FAMILY, roles=[DOCTOR]),
    send("POST", "/encounters/{id}/refer-offline", refer, body=Refer, reply=EncounterView, summary="中止并转线下",
         family=FAMILY, roles=[DOCTOR]),
    send("PUT", "/encounters/{id}/diagnoses", confirm_diagnoses, body=Diagnoses, reply=EncounterView,
         summary="确认诊断", family=FAMILY, roles=[DOCTOR]),
]  # fmt: skip
