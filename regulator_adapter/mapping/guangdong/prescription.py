"""处方明细 `bb_pi_prescription_detail`: a row for each drug, told at approval and again at its end, with the four pharmacists."""

from typing import Any

from contracts.events import (
    DispenseCompleted,
    PrescriptionApproved,
    PrescriptionCancelled,
    PrescriptionExpired,
    PrescriptionSigned,
)
from contracts.money import yuan
from regulator_adapter import codesets
from regulator_adapter.mapping.guangdong.blocks import (
    PROFILE,
    doctor,
    patient,
    pharmacist,
    row,
    visit_number,
)
from regulator_adapter.mapping.kind import RecordKind
from regulator_adapter.mapping.local import stamp, valid_days
from regulator_adapter.mapping.source import Source

Step = PrescriptionApproved | DispenseCompleted | PrescriptionCancelled | PrescriptionExpired
STATUS = {
    PrescriptionApproved.TYPE: "2",
    DispenseCompleted.TYPE: "3",
    PrescriptionCancelled.TYPE: "4",
    PrescriptionExpired.TYPE: "5",
}
SHEET = "internet-hospital:prescription:"
"""The hospital's name for the signed sheet of a prescription, as the visit's process data have theirs."""
NO_ALLERGY = frozenset({"", "无", "无过敏史", "否认"})


def numbers(event: Step) -> list[str]:
    """The look-up number with the line's place, from 1; none when nobody reviewed it."""
    if isinstance(event, PrescriptionExpired) and event.pharmacist is None:
        return []
    lines = range(1, len(event.prescription.items) + 1)
    return [f"{event.prescription.lookup_id}-{at}" for at in lines]


def build(source: Source[Step], number: str) -> dict[str, Any]:
    """The line at the place in `number`, and the prescription it stands on."""
    event = source.event
    return (
        row(source, number, revoked=isinstance(event, PrescriptionCancelled))
        | patient(event.visit)
        | doctor(event.visit)
        | _sheet(source)
        | _pharmacists(source)
        | _line(source, number)
        | _end(event)
    )


def _sheet(source: Source[Step]) -> dict[str, Any]:
    event, prescription = source.event, source.event.prescription
    signed = source.last(
        PrescriptionSigned, lambda one: one.prescription.prescription_id == prescription.prescription_id
    )
    allergies = prescription.allergies.strip()
    return {
        "cfbs": prescription.lookup_id,
        "cfbh": prescription.number,
        "jzlsh": visit_number(event.visit),
        "cfzt": STATUS[event.TYPE],
        "ysqm": signed.signature if signed else None,
        "kfsj": stamp(signed.signed_at if signed else prescription.valid_from),
        "cfyxts": valid_days(prescription.valid_from, prescription.valid_until),
        "zdbm": "|".join(one.code for one in prescription.diagnoses),
        "zdmc": "|".join(one.name for one in prescription.diagnoses),
        "gmbz": "0" if allergies in NO_ALLERGY else "1",
        "gmyw": None if allergies in NO_ALLERGY else allergies,
        "cflx": prescription.kind,
        "cfwjdz": f"{SHEET}{prescription.prescription_id}",
    }


def _pharmacists(source: Source[Step]) -> dict[str, Any]:
    """审核, 调配, 核对, 发药. The review has a signature value; the others signed by their name at the bench."""
    event = source.event
    if isinstance(event, PrescriptionCancelled):
        return {}
    approved = (
        event
        if isinstance(event, PrescriptionApproved)
        else source.last(
            PrescriptionApproved,
            lambda one: one.prescription.prescription_id == event.prescription.prescription_id,
        )
    )
    reviewed = pharmacist(
        "cfshyjs",
        event.pharmacist,
        approved.approved_at if approved else None,
        approved.signature if approved else "",
    ) | {"hlyyts": "；".join(approved.findings) if approved else None}
    if not isinstance(event, DispenseCompleted):
        return reviewed
    return (
        reviewed
        | {"cfshyjssj": stamp(event.approved_at)}
        | pharmacist("cftpyjs", event.prepared_by, event.prepared_at)
        | pharmacist("cfhdyjs", event.checked_by, event.handed_over_at)
        | pharmacist("cffyyjs", event.issued_by, event.handed_over_at)
    )


def _line(source: Source[Step], number: str) -> dict[str, Any]:
    at = int(number.rpartition("-")[2])
    item = source.event.prescription.items[at - 1]
    return {
        "cfmxbs": number,
        "mxxh": at,
        "ypdm": item.drug_code,
        "ypmc": item.name,
        "ypgg": item.strength,
        "jxdm": item.form_code,
        "sccj": item.manufacturer,
        "yytjdm": item.route_code,
        "yytjmc": item.route_name,
        "yypcdm": item.frequency_code,
        "yypcmc": item.frequency_name,
        "dcjl": item.dose,
        "dcjldw": item.dose_unit,
        "yyts": item.days,
        "fysl": item.quantity,
        "fydw": item.pack_unit,
        "dj": yuan(item.unit_price),
        "je": yuan(item.amount),
    }


def _end(event: Step) -> dict[str, Any]:
    if isinstance(event, DispenseCompleted):
        return {
            "psfs": codesets.translate(codesets.DELIVERY, event.delivery_type),
            "psdw": event.carrier,
            "pswcsj": stamp(event.completed_at),
        }
    return {"zfyy": event.reason} if isinstance(event, PrescriptionCancelled) else {}


KIND = RecordKind(PROFILE, "bb_pi_prescription_detail", numbers, build, looks_back=True)
