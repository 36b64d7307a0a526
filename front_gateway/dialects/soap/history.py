"""What a doctor sees beside a visit: allergies, medications and reports."""

from datetime import date

from contracts.his import Allergy, HistoryMedication, HistoryReply, Report, ReportValue
from front_gateway.deadline import Deadline
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.soap.client import Fields, SoapClient
from front_gateway.dialects.soap.patients import Person
from front_gateway.dialects.soap.rows import Row, unusable
from front_gateway.dialects.soap.visits import VisitReader
from front_gateway.dialects.together import together


class HistoryReader:
    """Reads everything at once; one part that fails makes the whole answer fail: half a history misleads."""

    def __init__(self, client: SoapClient, visits: VisitReader) -> None:
        self._client = client
        self._visits = visits

    async def since(self, person: Person, since: date, deadline: Deadline) -> HistoryReply:
        """Visits, medications and reports on or after `since`; allergies whenever they were found."""
        asked = {"since": self._client.words.day(since)}
        async with together() as group:
            visits = group.create_task(self._visits.since(person, since, deadline))
            allergies = group.create_task(
                self._valid("allergies", person, {}, "AllergyIntolerance", "allergy_code", deadline)
            )
            orders = group.create_task(
                self._valid("orders", person, asked, "MedicationRequest", "order_no", deadline)
            )
            reports = group.create_task(
                self._valid("reports", person, asked, "DiagnosticReport", "report_no", deadline)
            )
        drugs = [one for one in map(_medication, orders.result()) if one.prescribed_on >= since]
        told = [one for one in map(_report, reports.result()) if one.issued_on >= since]
        return HistoryReply(
            visits=visits.result(),
            allergies=[_allergy(one) for one in allergies.result()],
            medications=sorted(drugs, key=lambda one: one.prescribed_on, reverse=True),
            reports=sorted(told, key=lambda one: one.issued_on, reverse=True),
        )

    async def _valid(
        self, interface: str, person: Person, fields: Fields, kind: str, word: str, deadline: Deadline
    ) -> list[Row]:
        """The rows of an interface that count; none of one that the hospital does not have."""
        if not self._client.has(interface):
            return []
        rows = await self._client.about(interface, person.numbers, fields, kind, word, deadline)
        return [row for row in rows if row.meaning("entry_state", "entry_state") == "valid"]


def _allergy(row: Row) -> Allergy:
    code, name = row.text("allergy_code"), row.text("allergy_name")
    if not code and not name:
        raise unusable("allergies: neither code nor name")
    return Allergy(code=code, name=name or code, group=row.text("allergy_group"))


def _medication(row: Row) -> HistoryMedication:
    day = row.day("ordered_on")
    if day is None:
        raise unusable("orders: a drug without a day")
    return HistoryMedication(
        name=row.needed("drug_name"), code=row.text("drug_code"), dosage=row.text("dosage"), prescribed_on=day,
        days=row.number("days", 0), resource_hash=resource_hash("MedicationRequest", row.needed("order_no")),
    )  # fmt: skip


def _report(row: Row) -> Report:
    day = row.day("reported_on")
    if day is None:
        raise unusable("reports: a report without a day")
    return Report(
        title=row.text("report_title"),
        category=row.meaning("report_category", "report_category"),
        issued_on=day,
        conclusion=row.text("conclusion"),
        results=[
            ReportValue(
                name=one.needed("result_name"), value=one.text("result_value"), unit=one.text("result_unit"),
                reference_range=one.text("result_range"), flag=one.meaning("result_flag", "flag"),
            )
            for one in row.under("results")
        ],
        resource_hash=resource_hash("DiagnosticReport", row.needed("report_no")),
    )  # fmt: skip
