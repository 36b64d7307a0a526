"""Visits with their diagnoses: Encounters and Conditions put together."""

from collections.abc import Iterable
from datetime import date, timedelta

from contracts.his import HospitalVisit, VisitDiagnosis
from front_gateway.deadline import Deadline
from front_gateway.dialects.fhir.client import FhirClient
from front_gateway.dialects.fhir.days import day_of
from front_gateway.dialects.fhir.patients import Person
from front_gateway.dialects.fhir.references import id_in
from front_gateway.dialects.fhir.resources import Condition, Encounter
from front_gateway.dialects.fhir.systems import Systems
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.together import together

_INPATIENT = frozenset({"IMP", "ACUTE", "NONAC", "SS"})
_VOID = frozenset({"refuted", "entered-in-error"})


class VisitReader:
    """Reads visits of one person."""

    def __init__(self, client: FhirClient, systems: Systems) -> None:
        self._client = client
        self._systems = systems

    async def since(self, person: Person, since: date, deadline: Deadline) -> list[HospitalVisit]:
        """Visits on or after `since`, newest first. One without a day is no evidence of anything and is left out."""
        # a day more than asked: servers cut date-only values at midnight UTC, the exact rule is below
        floor = f"ge{(since - timedelta(days=1)).isoformat()}"
        async with together() as group:
            encounters = group.create_task(
                self._client.search(
                    Encounter, [("patient", person.search_value), ("date", floor)], deadline, about=person.ids
                )
            )
            conditions = group.create_task(
                self._client.search(Condition, [("patient", person.search_value)], deadline, about=person.ids)
            )
        visits = [self._visit(one, conditions.result()) for one in encounters.result()]
        wanted = [one for one in visits if one is not None and one.day >= since]
        return sorted(wanted, key=lambda one: (one.day, one.visit_id), reverse=True)

    def _visit(self, encounter: Encounter, conditions: list[Condition]) -> HospitalVisit | None:
        inpatient = encounter.class_.code in _INPATIENT
        period = encounter.period
        day = day_of(period.end) or day_of(period.start) if inpatient else day_of(period.start)
        if day is None or encounter.status == "entered-in-error":
            return None
        ours = encounter.class_.code == "VR" or any(
            one.system == self._systems.appointment for one in encounter.identifier
        )
        return HospitalVisit(
            visit_id=encounter.id,
            resource_hash=resource_hash("Encounter", encounter.id),
            kind="inpatient"
            if inpatient
            else "emergency"
            if encounter.class_.code == "EMER"
            else "outpatient",
            day=day,
            department_name=_department(encounter),
            doctor_name=next(
                (p.individual.display for p in encounter.participant if p.individual.display), ""
            ),
            status=encounter.status,
            diagnoses=self._diagnoses(encounter, conditions),
            source="online" if ours else "offline",
        )

    def _diagnoses(self, encounter: Encounter, conditions: list[Condition]) -> list[VisitDiagnosis]:
        """By rank: what the encounter names first, then conditions that only name the encounter."""
        base = self._client.base_path
        by_id = {one.id: one for one in conditions}
        ranked: list[tuple[int, VisitDiagnosis]] = []
        taken: set[str] = set()
        for position, line in enumerate(encounter.diagnosis, 1):
            named = id_in(line.condition.reference, "Condition", base)
            taken.add(named)
            if named in by_id:
                found = self._diagnosis(by_id[named], line.rank or position)
            elif line.condition.display:  # only words: nothing says that it was confirmed
                found = VisitDiagnosis("", line.condition.display, "suspected", line.rank or position)
            else:
                found = None
            if found:
                ranked.append((found.rank, found))
        last = max((rank for rank, _ in ranked), default=0)
        for one in conditions:
            if one.id not in taken and id_in(one.encounter.reference, "Encounter", base) == encounter.id:
                last += 1
                if found := self._diagnosis(one, last):
                    ranked.append((last, found))
        return [one for _, one in sorted(ranked, key=lambda pair: pair[0])]

    def _diagnosis(self, condition: Condition, rank: int) -> VisitDiagnosis | None:
        status = condition.verification_status
        if status.has(*_VOID):
            return None
        coding = condition.code.code_of(self._systems.diagnosis)
        return VisitDiagnosis(
            code=coding.code if coding else "",
            name=condition.code.words(),
            certainty="confirmed" if status.has("confirmed") else "suspected",
            rank=rank,
        )


def _department(encounter: Encounter) -> str:
    said: Iterable[str] = (
        encounter.service_type.words(),
        encounter.service_provider.display,
        *(one.text for one in encounter.type),
    )
    return next((one for one in said if one), "")
