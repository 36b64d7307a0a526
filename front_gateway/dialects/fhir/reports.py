"""Laboratory and imaging reports with their values."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from contracts.his import Report, ReportValue
from front_gateway.deadline import Deadline
from front_gateway.dialects.fhir.bundles import as_resource, kind_of, unusable
from front_gateway.dialects.fhir.client import FhirClient
from front_gateway.dialects.fhir.days import day_of
from front_gateway.dialects.fhir.patients import Person
from front_gateway.dialects.fhir.references import id_in
from front_gateway.dialects.fhir.resources import (
    Component,
    Concept,
    DiagnosticReport,
    Observation,
    Quantity,
    Range,
)
from front_gateway.dialects.hashes import resource_hash

IDS_AT_ONCE = 40
_VOID = frozenset({"entered-in-error", "cancelled", "registered"})
_LABORATORY = ("LAB", "laboratory", "CH", "HM", "MB", "SR")
_IMAGING = ("RAD", "imaging", "US", "CT", "RUS", "NMR", "RX", "CUS")


class ReportReader:
    """Reads reports, then the observations that they name."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client

    async def since(self, person: Person, since: date, deadline: Deadline) -> list[Report]:
        """Reports issued on or after `since`, newest first."""
        floor = f"ge{(since - timedelta(days=1)).isoformat()}"
        query = [("patient", person.search_value), ("date", floor)]
        found = await self._client.search(DiagnosticReport, query, deadline, about=person.ids)
        wanted = [
            (day, one)
            for one in found
            if one.status not in _VOID
            and (day := day_of(one.issued) or day_of(one.effective_date_time))
            and day >= since
        ]
        observations = await self._observations([one for _, one in wanted], person, deadline)
        reports = [self._report(one, day, observations) for day, one in wanted]
        return sorted(reports, key=lambda one: one.issued_on, reverse=True)

    async def _observations(
        self, reports: list[DiagnosticReport], person: Person, deadline: Deadline
    ) -> dict[str, Observation]:
        ids = {
            named
            for report in reports
            for result in report.result
            if (named := id_in(result.reference, "Observation", self._client.base_path))
        }
        ordered, found = sorted(ids), dict[str, Observation]()
        for start in range(0, len(ordered), IDS_AT_ONCE):
            query = [("_id", ",".join(ordered[start : start + IDS_AT_ONCE]))]
            for one in await self._client.search(Observation, query, deadline, about=person.ids):
                found[one.id] = one
        return found

    def _report(self, report: DiagnosticReport, day: date, observations: dict[str, Observation]) -> Report:
        contained = {one.id: one for one in _contained(report)}
        values: list[ReportValue] = []
        for result in report.result:
            if result.reference.startswith("#"):
                observation = contained.get(result.reference[1:])
            else:
                observation = observations.get(id_in(result.reference, "Observation", self._client.base_path))
            if observation is None:
                raise unusable("a report names a result that is not there")
            if observation.status not in _VOID:
                values += _values(observation)
        return Report(
            title=report.code.words(),
            category=_category(report),
            issued_on=day,
            conclusion=report.conclusion,
            results=values,
            resource_hash=resource_hash("DiagnosticReport", report.id),
        )


def _contained(report: DiagnosticReport) -> Iterator[Observation]:
    """Observations inside the report: part of it, so they need no subject of their own."""
    for raw in report.contained:
        if kind_of(raw) == Observation.TYPE:
            yield as_resource(raw, Observation)


def _category(report: DiagnosticReport) -> str:
    if any(one.has(*_LABORATORY) for one in report.category):
        return "laboratory"
    return "imaging" if any(one.has(*_IMAGING) for one in report.category) else "other"


def _values(found: Observation) -> Iterator[ReportValue]:
    """One line for the observation, or one for each of its components."""
    if found.component:
        for part in found.component:
            yield _value(part, _quantity_text(part))
    else:
        whole = "" if found.value_integer is None else str(found.value_integer)
        yield _value(found, _quantity_text(found) or whole)


def _value(found: Observation | Component, text: str) -> ReportValue:
    quantity = found.value_quantity or Quantity()
    return ReportValue(
        name=found.code.words(),
        value=text,
        unit=quantity.unit or quantity.code,
        reference_range="；".join(filter(None, (_range(one) for one in found.reference_range))),
        flag=_flag(found.interpretation),
    )


def _quantity_text(found: Observation | Component) -> str:
    quantity = found.value_quantity
    if quantity is not None and quantity.value is not None:
        return f"{quantity.comparator}{_digits(quantity.value)}"
    if found.value_codeable_concept is not None:
        return found.value_codeable_concept.words()
    return found.value_string


def _range(found: Range) -> str:
    if found.text:
        return found.text
    low, high = found.low.value, found.high.value
    if low is not None and high is not None:
        return f"{_digits(low)}-{_digits(high)}"
    if low is not None:
        return f">={_digits(low)}"
    return f"<={_digits(high)}" if high is not None else ""


def _flag(found: list[Concept]) -> str:
    if any(one.has("H", "HH", "HU") for one in found):
        return "H"
    return "L" if any(one.has("L", "LL", "LU") for one in found) else ""


def _digits(value: Decimal) -> str:
    """The digits as they were sent, never an exponent."""
    return f"{value:f}"
