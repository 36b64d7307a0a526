"""The generated world as this hospital files it. Read by the same readers as the other simulators, filed in its own way."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from simulators.his import world
from simulators.his.world import Drug, Report, Resident, Staff, Visit
from simulators.his_soap.store import Entry, Store

LAYOUT = 2
_STATUS = {"planned": "0", "in-progress": "1", "finished": "2", "cancelled": "9"}
_KIND = {"outpatient": "1", "emergency": "2", "inpatient": "3"}
_OFTEN = {
    "qd": "每日1次",
    "bid": "每日2次",
    "tid": "每日3次",
    "qn": "每晚1次",
    "qod": "隔日1次",
    "qw": "每周1次",
    "once": "1次",
}
CARD = "01"
LISTED_ON = "2026-01-01"
SERVICES = {"registration": ("诊查费", 5_000)}
"""What this hospital asks for a service, in fen."""


def open_store(folder: Path, data: Path) -> Store:
    """The store of this world, loaded if it is not there yet. Raises WorldError."""
    digest = hashlib.sha256((folder / "world.json").read_bytes() + bytes([LAYOUT])).hexdigest()[:12]
    store = Store(data / f"his-soap-{digest}.sqlite")
    if not store.fact("loaded"):
        with store.transaction():
            store.put(_entries(folder))
            store.set_fact("loaded", "1")
    return store


def _entries(folder: Path) -> Iterator[Entry]:
    departments = {
        one.code: one.name for one in world.read(folder, "departments.json", list[world.Department])
    }
    staff = world.read(folder, "staff.json", list[Staff])
    names = {one.id: one.name for one in staff}
    for code, name in departments.items():
        yield Entry("department", code, "", {"DeptCode": code, "DeptName": name})
    for one in staff:
        yield Entry(one.role, one.id, "", {"Code": one.id, "Name": one.name, "Depts": one.departments})
    for drug in world.read(folder, "drugs.json", list[Drug]):
        yield Entry("drug", drug.code, "", _drug(drug))
    for code, (name, fen) in SERVICES.items():
        service = {"ItemCode": code, "PriceName": name, "Amount": f"{fen / 100:.2f}", "ValidFrom": LISTED_ON}
        yield Entry("service", code, "", service)
    for resident in world.residents(folder):
        yield from _patients(resident)
        yield from _allergies(resident)
        for visit in resident.visits:
            yield from _visit(resident, visit, departments, names)


def _drug(one: Drug) -> dict[str, str]:
    return {
        "DrugCode": one.code, "DrugName": one.name, "Quantity": str(one.stock), "PackUnit": one.pack,
        "OccurTime": f"{LISTED_ON} 08:00:00", "ItemCode": one.code, "PriceName": f"{one.name} {one.strength}",
        "Amount": f"{one.price_fen / 100:.2f}", "ValidFrom": LISTED_ON,
    }  # fmt: skip


def _patients(one: Resident) -> Iterator[Entry]:
    for number in (one.id, *one.former_ids):
        counts = number == one.id
        body = {
            "PatientNo": number, "PatientName": one.name, "Sex": one.sex, "BirthDate": one.birth_date, "CardKind": CARD,
            "CardNo": one.id_number, "Phone": one.phone, "Address": one.address, "State": "1" if counts else "0",
            "MergedInto": "" if counts else one.id,
        }  # fmt: skip
        yield Entry("patient", number, number, body, key=one.id_number)


def _allergies(one: Resident) -> Iterator[Entry]:
    for place, allergy in enumerate(one.allergies, 1):
        body = {
            "PatientNo": one.id, "AllergyCode": allergy.code, "AllergyName": allergy.name, "AllergyGroup": allergy.group,
            "Note": allergy.note, "State": "1",
        }  # fmt: skip
        yield Entry("allergy", f"{one.id}A{place}", one.id, body)


def _visit(
    resident: Resident, visit: Visit, departments: dict[str, str], names: dict[str, str]
) -> Iterator[Entry]:
    patient = visit.held_under or resident.id
    body = {
        "VisitNo": visit.id, "PatientNo": patient, "VisitKind": _KIND[visit.kind], "VisitDate": visit.date,
        "DischargeDate": visit.discharged_on, "DeptCode": visit.department, "DeptName": departments[visit.department],
        "DoctorCode": visit.doctor, "DoctorName": names[visit.doctor], "Status": _STATUS[visit.status], "AppointmentNo": "",
        "Complaint": visit.record.chief_complaint, "Advice": visit.record.advice,
        "Diagnoses": {
            "Diagnosis": [
                {
                    "DiagCode": one.code, "DiagName": one.name, "Rank": str(one.rank),
                    "Certainty": "1" if one.certainty == "confirmed" else "0",
                }
                for one in visit.diagnoses
            ]
        },
    }  # fmt: skip
    yield Entry("visit", visit.id, patient, body, at=visit.discharged_on or visit.date)
    for prescription in visit.prescriptions:
        for place, item in enumerate(prescription.items, 1):
            number = f"{prescription.id}{place:02}"
            usage = f"每次{item.dose:g}{item.dose_unit} {_OFTEN[item.frequency]} 用{item.days}天"
            order = {
                "OrderNo": number, "PatientNo": patient, "DrugCode": item.drug, "DrugName": item.name, "Usage": usage,
                "OrderTime": f"{prescription.date} 10:00:00", "Days": str(item.days), "Quantity": str(item.quantity),
                "PackUnit": item.unit, "Note": prescription.note, "State": "1",
            }  # fmt: skip
            yield Entry("order", number, patient, order, at=prescription.date)
    for report in visit.reports:
        yield Entry("report", report.id, patient, _report(report, patient), at=report.date)


def _report(report: Report, patient: str) -> dict[str, object]:
    return {
        "ReportNo": report.id, "PatientNo": patient, "ReportName": report.name,
        "ReportKind": "JY" if report.category == "lab" else "JC", "ReportTime": f"{report.date} 16:00:00",
        "Conclusion": report.conclusion, "State": "1",
        "Items": {
            "Item": [
                {
                    "ItemCode": one.code, "ItemName": one.name, "Value": one.value, "Unit": one.unit,
                    "Range": f"{one.low}-{one.high}" if one.low else "", "Flag": one.flag or "N",
                }
                for one in report.items
            ]
        },
    }  # fmt: skip
