"""Writing and signing a record, and finishing the visit."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment import service as booking
from backend.encounter import queries as encounters
from backend.encounter.model import FollowUp
from backend.encounter.states import RUNNING
from backend.outside.ca import SignatureValue
from backend.patient import queries as patients
from backend.patient.rules import age_on
from backend.patient.service import birth_date
from backend.payment import queries as payments
from backend.practitioner import queries as practitioners
from backend.record.model import MedicalRecord, RecordContent
from backend.record.rules import record_issues
from backend.signature import service as signatures
from backend.signature.service import Wanted
from backend.writeback.service import write_back
from contracts import events
from foundation.actor import Actor
from foundation.canonical import canonical, sha256
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.intents import intend
from foundation.db.locks import lock_stream
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Invalid
from foundation.ids import new_id

SUBJECT = "medical_record"
SHEET = "medical_record.sheet"
PROCESS_DATA = "internet-hospital:encounter:"


async def write(
    session: AsyncSession, actor: Actor, row: FollowUp, fields: Mapping[str, str]
) -> MedicalRecord:
    """Save the draft; a signed record is left alone and a new version begun."""
    await lock_stream(session, row.stream)
    await session.refresh(row)
    if row.state not in RUNNING:
        raise Conflict("问诊未在进行中，不能书写病历", code="encounter_not_running")
    latest = await newest(session, row.id)
    draft = latest if latest is not None and latest.signed_at is None else None
    version = draft.version if draft else (latest.version if latest else 0) + 1
    content = await _content(session, row, version, fields)
    record = draft or MedicalRecord(id=new_id(), encounter_id=row.id, version=version)
    record.content, record.digest = content, sha256(canonical(content))
    record.written_at = clock_of(session).now()
    session.add(record)
    await signatures.void_all(session, SUBJECT, record.id)
    audit(session, actor, "record.write", "encounter", row.id, detail={"version": str(record.version)})
    return record


async def _content(
    session: AsyncSession, row: FollowUp, version: int, fields: Mapping[str, str]
) -> RecordContent:
    person = await patients.person(session, row.person_id)
    booked = await appointments.appointment(session, row.appointment_id)
    department = await practitioners.department(session, booked.department_code)
    doctor = await practitioners.practitioner(session, row.practitioner_id)
    return RecordContent(
        encounter_id=row.id, version=version, patient_name=person.name, patient_sex=person.sex,
        patient_age=age_on(birth_date(person), local(booked.starts_at).date()), department=department.name,
        practitioner=doctor.name, diagnoses=row.diagnoses, **fields,
    )  # fmt: skip


async def newest(session: AsyncSession, encounter_id: UUID) -> MedicalRecord | None:
    """The latest version."""
    query = select(MedicalRecord).where(MedicalRecord.encounter_id == encounter_id)
    return await session.scalar(query.order_by(MedicalRecord.version.desc()).limit(1))


async def newest_signed(session: AsyncSession, encounter_id: UUID) -> MedicalRecord | None:
    """The latest signed version."""
    query = select(MedicalRecord).where(
        MedicalRecord.encounter_id == encounter_id, MedicalRecord.signed_at.is_not(None)
    )
    return await session.scalar(query.order_by(MedicalRecord.version.desc()).limit(1))


async def want_signature(session: AsyncSession, actor: Actor, row: FollowUp) -> tuple[MedicalRecord, Wanted]:
    """First half of signing: the draft must be complete. `Invalid` names every missing field."""
    record = await newest(session, row.id)
    if record is None or record.signed_at is not None:
        raise Conflict("没有待签名的病历", code="nothing_to_sign")
    content = record.written
    fields = {
        "chief_complaint": content.chief_complaint, "present_history": content.present_history,
        "past_history": content.past_history, "examination": content.examination, "opinion": content.opinion,
        "advice": content.advice,
    }  # fmt: skip
    if issues := record_issues(fields, len(content.diagnoses)):
        raise Invalid(issues=issues)
    return record, await signatures.want(session, actor, SUBJECT, record.id, "author", record.written)


async def signed(
    session: AsyncSession,
    actor: Actor,
    row: FollowUp,
    record_id: UUID,
    wanted: Wanted,
    value: SignatureValue,
) -> MedicalRecord:
    """Second half: the signature is kept, the supervisor told, the hospital written to. Twice at once is once."""
    await lock_stream(session, row.stream)
    record = await session.get_one(MedicalRecord, record_id)
    if record.signed_at is not None:
        return record
    if record.digest != wanted.digest:
        raise Conflict("病历在签名期间被修改，请重新签名", code="changed_while_signing")
    kept = await signatures.keep(session, actor, wanted, value)
    row.advice_given = True
    record.signature_id, record.signed_at = kept.id, kept.signed_at
    content = record.written
    kind: type[events.RecordSigned] = events.RecordSigned if record.version == 1 else events.RecordAmended
    event = kind(
        visit=await encounters.snapshot(session, row), record_id=record.id, record_version=record.version,
        chief_complaint=content.chief_complaint, present_history=content.present_history,
        examination=content.examination, opinion=content.opinion, diagnoses=content.diagnoses,
        signed_at=clock_of(session).now(), content_digest=record.digest.hex(), signature=value.signature,
    )  # fmt: skip
    if isinstance(event, events.RecordAmended):
        event = msgspec.structs.replace(event, amendment_reason=content.amendment_reason)
    await publish(session, row.stream, event)
    await write_back(session, row.appointment_id, "record", record.id)
    await intend(session, SHEET, record.id)
    touch(session, row.stream)
    return record


async def finish(session: AsyncSession, actor: Actor, row: FollowUp) -> bool:
    """End the visit; its record must be signed (医院办法 Art 21)."""
    await lock_stream(session, row.stream)
    record = await newest(session, row.id)
    if record is None or record.signed_at is None:
        raise Conflict("请先签署病历再结束问诊", code="record_not_signed")
    payment = await payments.of_subject(session, booking.SUBJECT, row.appointment_id)
    assert payment is not None
    assert row.started_at is not None
    booked = await appointments.appointment(session, row.appointment_id)
    now = clock_of(session).now()
    event = events.EncounterCompleted(
        visit=await encounters.snapshot(session, row), applied_at=booked.booked_at or row.started_at,
        started_at=row.started_at, completed_at=now,
        disease_history=record.written.past_history or record.written.present_history,
        original_diagnosis=encounters.original(row), diagnoses=record.written.diagnoses,
        payment=payments.snapshot(payment), process_data_reference=f"{PROCESS_DATA}{row.id}",
    )  # fmt: skip
    return await advance(session, row, "finish", actor, event=event, ended_at=now)
