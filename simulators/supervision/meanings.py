"""What a record tells, whichever table it came in: the event's name, and one set of names for what the tables call differently.

The names are those of docs/profiles/shanghai.md. Rules, lists, filter and replay read records through this alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]

LINK = "uploadChainLink"
"""Has an event's name and place, and nothing of its content."""
LATER_LINE = "prescription.line"
"""The kind of a row after the first of a prescription that is told in as many rows as it has drugs: it is counted once."""
FILINGS = ("uploadPractitioner", "bb_pi_staff")

_ROW = {
    "jgdm": "organID", "jzlsh": "visitNo", "ksdm": "deptID", "ksmc": "deptName", "kmdm": "subjectCode",
    "kmmc": "subjectName", "ysdm": "doctorId", "ysxm": "doctorName", "grdm": "patientId", "hzxm": "patientName",
    "nls": "age", "sfcz": "firstVisit", "cfbs": "recipeUniqueID", "cfbh": "recipeID", "cfshyjsdm": "auditDoctorId",
    "cfshyjsxm": "auditDoctor", "cfshyjssj": "checkDate", "ypmc": "drname", "sjdm": "recordNo", "shcd": "damageDegree",
}  # fmt: skip
_STAFF = {
    "rydm": "staffId", "ryxm": "name", "rylb": "staffType", "zcdm": "titleCode", "zyfw": "practiceScope",
    "bayxq": "filedUntil", "ryzt": "status",
}  # fmt: skip
_NAMES: dict[str, dict[str, str]] = {
    "bb_pi_staff": _ROW | _STAFF,
    "bb_pi_person": _ROW | {"grdm": "personId", "rzjg": "result"},
    "uploadElectMedicalRecord": {
        "doctorID": "doctorId", "furtherConsultNo": "visitNo", "patientIdcardNum": "patientCertID",
    },
    "pushMedicalDispute": {"eventID": "recordNo"},
}  # fmt: skip
_BY_STATE: dict[str, tuple[str, dict[str, str]]] = {
    "bb_pi_appointment": (
        "yyzt", {"1": "appointment.booked", "2": "appointment.cancelled", "3": "appointment.moved"},
    ),
    "bb_pi_prescription_detail": (
        "cfzt", {
            "2": "prescription.approved", "3": "dispense.completed", "4": "prescription.cancelled",
            "5": "prescription.expired",
        },
    ),
}  # fmt: skip
_VISITS = {"1": "encounter", "2": "consultation"}  # jzlx
_STAGES = {"1": "started", "2": "declined", "3": "discontinued", "4": "completed"}  # jzzt
_ALWAYS = {
    "uploadDrugCatalogue": "drug_catalogue.changed", "uploadElectMedicalRecord": "record.signed",
    "uploadRecipeIndicators": "prescription.approved", "uploadRecipeVerificationIndicators": "dispense.completed",
    "uploadBusinessInfoAfter": "evaluation.submitted", "pushMedicalDispute": "adverse_event.reported",
    "bb_pi_staff": "practitioner.changed", "bb_pi_person": "identity.verified", "bb_pi_drug": "drug_catalogue.changed",
    "bb_pi_evaluation": "evaluation.submitted", "bb_pi_adverse_event": "adverse_event.reported",
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """`kind` is what lists count by: the event, or for what is no event the method."""

    method: str
    event: str
    kind: str
    body: Record

    def text(self, name: str) -> str:
        """Empty where there is nothing."""
        value = self.body.get(name)
        return str(value).strip() if isinstance(value, str | int | float) else ""


def told(method: str, record: Record) -> Told:
    event = _event(method, record)
    later = method == "bb_pi_prescription_detail" and str(record.get("mxxh", "1")) != "1"
    return Told(method, event, LATER_LINE if later else event, _renamed(method, record))


def column(method: str, name: str) -> str:
    """What `name` is called in this method's own table."""
    own = _names(method)
    return next((column for column, meant in own.items() if meant == name), name)


def _names(method: str) -> dict[str, str]:
    return _NAMES.get(method) or (_ROW if method.startswith("bb_pi_") else {})


def _renamed(method: str, record: Record) -> Record:
    names = _names(method)
    if not names:
        return record
    body = {names.get(name, name): value for name, value in record.items()}
    if method == "bb_pi_staff":  # one text, where the other family has a list
        body["practiceScope"] = [part for part in str(body.get("practiceScope") or "").split("|") if part]
    return body


def _event(method: str, record: Record) -> str:
    if named := record.get("eventType"):
        return str(named)
    if found := _BY_STATE.get(method):
        field, events = found
        return events.get(str(record.get(field)), method)
    if reading := _READ.get(method):
        return reading(record)
    return _ALWAYS.get(method, method)


def _stage(row: Record) -> str:
    return f"{_VISITS[str(row['jzlx'])]}.{_STAGES[str(row['jzzt'])]}"


def _version(row: Record) -> str:
    return "record.amended" if int(row["bbh"]) > 1 else "record.signed"


def _booking(record: Record) -> str:
    return "appointment.cancelled" if record.get("cancelReason") else "appointment.booked"


def _visit(kind: str) -> Callable[[Record], str]:
    def stage(record: Record) -> str:
        if str(record.get("answerFlag")) == "0":
            return f"{kind}.declined"
        return f"{kind}.completed" if record.get("endDate") else f"{kind}.started"

    return stage


_READ: dict[str, Callable[[Record], str]] = {
    "bb_pi_treatment": _stage,
    "bb_pi_medical_record": _version,
    "uploadAppointRecord": _booking,
    "uploadReferralIndicators": _visit("encounter"),
    "uploadConsultIndicators": _visit("consultation"),
}
