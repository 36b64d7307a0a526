"""Builds the request of each write-back step from what is stored here."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import queries as appointments
from backend.appointment.model import Appointment
from backend.appointment.states import AppointmentState
from backend.context import Context
from backend.dispensing import queries as dispenses
from backend.eligibility.service import hospital_patient
from backend.encounter import queries as encounters
from backend.fee_lock.service import KINDS, fee_number
from backend.patient import queries as patients
from backend.payment.model import Payment, Refund
from backend.payment.rules import REFUND_RULES, RefundReason
from backend.practitioner import queries as practitioners
from backend.prescription import queries as prescriptions
from backend.prescription.model import PrescriptionRow
from backend.record.model import MedicalRecord
from backend.rescheduling.model import Relocation
from backend.schedule.model import Slot
from backend.timetable.model import MirroredSlot
from contracts import his
from contracts.events import Diagnosis
from foundation.canonical import canonical
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import NotFound

PURPOSE = "write_back"
GIVEN_UP = (AppointmentState.CANCELLED, AppointmentState.NOSHOW)
"""Registered late, for the books only: its place may be somebody else's by now."""


async def _patient(context: Context, person_id: UUID) -> str:
    async with unit_of_work(context.db) as session:
        person = await patients.person(session, person_id)
    found = await hospital_patient(context, person)
    if found is None:
        raise NotFound("医院没有该就诊人的档案", code="patient_not_found")
    return found


async def registration(context: Context, appointment_id: UUID, request_id: UUID) -> his.WriteRegistration:
    """Step 1."""
    return his.WriteRegistration(request_id=request_id, **await _as_it_is(context, appointment_id))


async def move(context: Context, relocation_id: UUID, request_id: UUID) -> his.WriteMove:
    """As the appointment is now: of two moves the later one counts, whenever the hospital hears of them."""
    async with unit_of_work(context.db) as session:
        appointment_id = (await session.get_one(Relocation, relocation_id)).appointment_id
    return his.WriteMove(request_id=request_id, **await _as_it_is(context, appointment_id))


async def _as_it_is(context: Context, appointment_id: UUID) -> dict[str, Any]:
    """What registration and move say of an appointment."""
    async with unit_of_work(context.db) as session:
        row = await appointments.appointment(session, appointment_id)
        doctor = await practitioners.practitioner(session, row.practitioner_id)
        slot_id = "" if row.state in GIVEN_UP else await _slot_id(session, row)
    return {
        "purpose": PURPOSE, "patient_id": await _patient(context, row.person_id), "appointment_id": row.id,
        "department_code": row.department_code, "practitioner_code": doctor.code, "starts_at": row.starts_at,
        "ends_at": row.ends_at, "serial_number": row.serial_number, "slot_id": slot_id,
    }  # fmt: skip


async def cancellation(context: Context, appointment_id: UUID, request_id: UUID) -> his.WriteCancellation:
    """The visit will not take place: cancelled by whomever, or nobody came."""
    async with unit_of_work(context.db) as session:
        row = await appointments.appointment(session, appointment_id)
        slot_id = await _slot_id(session, row)
    reason = RefundReason(row.cancel_reason) if row.cancel_reason else RefundReason.NO_SHOW
    return his.WriteCancellation(
        purpose=PURPOSE, request_id=request_id, patient_id=await _patient(context, row.person_id),
        appointment_id=row.id, cancelled_at=row.cancelled_at or row.ends_at, reason=REFUND_RULES[reason].words,
        slot_id=slot_id,
    )  # fmt: skip


async def _slot_id(session: AsyncSession, row: Appointment) -> str:
    """The hospital's own name of the appointment's slot; empty for a slot of ours."""
    query = (
        select(MirroredSlot.external_id)
        .join(Slot, Slot.id == MirroredSlot.slot_id)
        .where(Slot.id == row.slot_id, Slot.source == "his")
    )
    return await session.scalar(query) or ""


async def charge(context: Context, payment_id: UUID, request_id: UUID) -> his.WriteCharge:
    """Steps 2 and 5: registration fee and drugs."""
    async with unit_of_work(context.db) as session:
        row = await session.get_one(Payment, payment_id)
        number = await fee_number(session, row)
    assert row.paid_at is not None
    return his.WriteCharge(
        purpose=PURPOSE, request_id=request_id, patient_id=await _patient(context, row.person_id),
        appointment_id=UUID(row.stream.removeprefix("visit:")), amount=row.amount, paid_at=row.paid_at,
        kind=KINDS[row.subject_kind], trade_number=row.transaction_id, fee_number=number,
    )  # fmt: skip


async def refund(context: Context, refund_id: UUID, request_id: UUID) -> his.WriteRefund:
    """Whenever money of a charge went back: with the provider's receipt."""
    async with unit_of_work(context.db) as session:
        back = await session.get_one(Refund, refund_id)
        row = await session.get_one(Payment, back.payment_id)
    assert back.succeeded_at is not None
    return his.WriteRefund(
        purpose=PURPOSE, request_id=request_id, patient_id=await _patient(context, row.person_id),
        appointment_id=UUID(row.stream.removeprefix("visit:")), amount=back.amount, refunded_at=back.succeeded_at,
        kind=KINDS[row.subject_kind], trade_number=row.transaction_id, refund_number=back.provider_refund_id,
    )  # fmt: skip


async def record(context: Context, record_id: UUID, request_id: UUID) -> his.WriteRecord:
    """Step 3: the signed bytes themselves."""
    async with unit_of_work(context.db) as session:
        row = await session.get_one(MedicalRecord, record_id)
        visit = await encounters.encounter(session, row.encounter_id)
        doctor = await practitioners.practitioner(session, visit.practitioner_id)
    assert row.signed_at is not None
    return his.WriteRecord(
        purpose=PURPOSE, request_id=request_id, patient_id=await _patient(context, visit.person_id),
        appointment_id=visit.appointment_id, practitioner_code=doctor.code, title="互联网复诊病历",
        content=canonical(row.written), content_digest=row.digest.hex(), signed_at=row.signed_at,
        diagnoses=_diagnoses(row.written.diagnoses),
    )  # fmt: skip


async def prescription(context: Context, prescription_id: UUID, request_id: UUID) -> his.WritePrescription:
    """Step 4."""
    async with unit_of_work(context.db) as session:
        row = await prescriptions.prescription(session, prescription_id)
        visit = await encounters.encounter(session, row.encounter_id)
        doctor = await practitioners.practitioner(session, row.prescriber_id)
        assert row.pharmacist_id is not None
        pharmacist = await practitioners.practitioner(session, row.pharmacist_id)
    assert row.reviewed_at is not None
    return his.WritePrescription(
        purpose=PURPOSE, request_id=request_id, patient_id=await _patient(context, row.person_id),
        appointment_id=visit.appointment_id, practitioner_code=doctor.code, pharmacist_code=pharmacist.code,
        number=row.number, drugs=_drugs(row), diagnoses=_diagnoses(row.content.diagnoses), approved_at=row.reviewed_at,
        content=canonical(row.content), content_digest=row.digest.hex(),
    )  # fmt: skip


async def dispense(context: Context, dispense_id: UUID, request_id: UUID) -> his.WriteDispense:
    """Step 6."""
    async with unit_of_work(context.db) as session:
        order = await dispenses.dispense(session, dispense_id)
        row = await prescriptions.prescription(session, order.prescription_id)
        booked = await _appointment(session, row)
    assert order.handed_over_at is not None
    return his.WriteDispense(
        purpose=PURPOSE, request_id=request_id, patient_id=await _patient(context, row.person_id),
        appointment_id=booked.id, number=row.number, drugs=_drugs(row), handed_over_at=order.handed_over_at,
        waybill=order.waybill,
    )  # fmt: skip


async def _appointment(session: AsyncSession, row: PrescriptionRow) -> Appointment:
    visit = await encounters.encounter(session, row.encounter_id)
    return await appointments.appointment(session, visit.appointment_id)


def _diagnoses(found: list[Diagnosis]) -> list[his.VisitDiagnosis]:
    return [
        his.VisitDiagnosis(one.code, one.name, "confirmed", rank) for rank, one in enumerate(found, start=1)
    ]


def _drugs(row: PrescriptionRow) -> list[his.WriteDrug]:
    return [
        his.WriteDrug(
            drug_code=item.drug_code, name=item.name, route_code=item.route_code, days=item.days,
            dosage=f"{item.dose}{item.dose_unit} {item.frequency_name}", quantity=item.quantity,
            pack_unit=item.pack_unit,
        )
        for item in row.content.items
    ]  # fmt: skip
