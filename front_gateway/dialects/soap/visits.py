"""Visits with their diagnoses."""

from datetime import date

from contracts.his import HospitalVisit, VisitDiagnosis
from front_gateway.deadline import Deadline
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.soap.client import SoapClient
from front_gateway.dialects.soap.patients import Person
from front_gateway.dialects.soap.rows import Row


class VisitReader:
    """Reads visits of one person."""

    def __init__(self, client: SoapClient) -> None:
        self._client = client

    async def since(self, person: Person, since: date, deadline: Deadline) -> list[HospitalVisit]:
        """Visits on or after `since`, newest first. One without a day is no evidence of anything and is left out."""
        asked = {"since": self._client.words.day(since)}
        rows = await self._client.about("visits", person.numbers, asked, "Encounter", "visit_no", deadline)
        visits = [_visit(row) for row in rows]
        wanted = [one for one in visits if one is not None and one.day >= since]
        return sorted(wanted, key=lambda one: (one.day, one.visit_id), reverse=True)


def _visit(row: Row) -> HospitalVisit | None:
    kind, status = row.meaning("visit_kind", "visit_kind"), row.meaning("visit_status", "visit_status")
    inpatient = kind == "inpatient"
    day = (row.day("discharge_day") if inpatient else None) or row.day("visit_day")
    if day is None or status == "entered-in-error":
        return None
    ours = kind == "online" or bool(row.text("appointment_no"))
    number = row.needed("visit_no")
    return HospitalVisit(
        visit_id=number,
        resource_hash=resource_hash("Encounter", number),
        kind="outpatient" if kind == "online" else kind,
        day=day,
        department_name=row.text("department_name"),
        doctor_name=row.text("doctor_name"),
        status=status,
        diagnoses=_diagnoses(row),
        source="online" if ours else "offline",
    )


def _diagnoses(row: Row) -> list[VisitDiagnosis]:
    found = [
        VisitDiagnosis(
            code=one.text("diagnosis_code"), name=one.text("diagnosis_name"),
            certainty=one.meaning("certainty", "certainty"), rank=one.number("rank", place),
        )
        for place, one in enumerate(row.under("diagnoses"), 1)
    ]  # fmt: skip
    return sorted((one for one in found if one.certainty != "void"), key=lambda one: one.rank)
