"""What a doctor sees beside a visit: allergies, medications and reports."""

from datetime import date, timedelta

from contracts.his import Allergy, HistoryMedication, HistoryReply
from front_gateway.deadline import Deadline
from front_gateway.dialects.fhir.client import FhirClient
from front_gateway.dialects.fhir.days import day_of
from front_gateway.dialects.fhir.patients import Person
from front_gateway.dialects.fhir.reports import ReportReader
from front_gateway.dialects.fhir.resources import AllergyIntolerance, MedicationRequest
from front_gateway.dialects.fhir.systems import Systems
from front_gateway.dialects.fhir.visits import VisitReader
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.together import together

_NO_ALLERGY = frozenset({"refuted", "entered-in-error"})
_OVER = frozenset({"inactive", "resolved"})
_NOT_PRESCRIBED = frozenset({"draft", "cancelled", "entered-in-error"})
_ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order", ""})


class HistoryReader:
    """Reads everything at once; one part that fails makes the whole answer fail: half a history misleads."""

    def __init__(self, client: FhirClient, systems: Systems, visits: VisitReader) -> None:
        self._client = client
        self._systems = systems
        self._visits = visits
        self._reports = ReportReader(client)

    async def since(self, person: Person, since: date, deadline: Deadline) -> HistoryReply:
        """Visits, medications and reports on or after `since`; allergies whenever they were found."""
        async with together() as group:
            visits = group.create_task(self._visits.since(person, since, deadline))
            allergies = group.create_task(self._allergies(person, deadline))
            medications = group.create_task(self._medications(person, since, deadline))
            reports = group.create_task(self._reports.since(person, since, deadline))
        return HistoryReply(visits.result(), allergies.result(), medications.result(), reports.result())

    async def _allergies(self, person: Person, deadline: Deadline) -> list[Allergy]:
        query = [("patient", person.search_value)]
        found = await self._client.search(AllergyIntolerance, query, deadline, about=person.ids)
        return [
            self._allergy(one)
            for one in found
            if not one.verification_status.has(*_NO_ALLERGY) and not one.clinical_status.has(*_OVER)
        ]

    def _allergy(self, found: AllergyIntolerance) -> Allergy:
        coding = found.code.code_of(self._systems.allergy)
        group = found.code.code_of(self._systems.allergy_group)
        return Allergy(
            code=coding.code if coding else "",
            name=found.code.text or (coding.display if coding else "") or found.code.words(),
            group=group.code if group else "",
        )

    async def _medications(self, person: Person, since: date, deadline: Deadline) -> list[HistoryMedication]:
        floor = f"ge{(since - timedelta(days=1)).isoformat()}"
        query = [("patient", person.search_value), ("authoredon", floor)]
        found = await self._client.search(MedicationRequest, query, deadline, about=person.ids)
        made = [
            self._medication(one)
            for one in found
            if one.status not in _NOT_PRESCRIBED and one.intent in _ORDERS
        ]
        wanted = [one for one in made if one is not None and one.prescribed_on >= since]
        return sorted(wanted, key=lambda one: one.prescribed_on, reverse=True)

    def _medication(self, found: MedicationRequest) -> HistoryMedication | None:
        day = day_of(found.authored_on)
        if day is None:
            return None
        concept = found.medication_codeable_concept
        coding = concept.code_of(self._systems.drug)
        supply = found.dispense_request.expected_supply_duration
        in_days = supply.value is not None and (supply.code or supply.unit) in ("d", "day", "days", "天")
        return HistoryMedication(
            name=concept.words() or found.medication_reference.display,
            code=coding.code if coding else "",
            dosage="；".join(
                d.text or d.patient_instruction
                for d in found.dosage_instruction
                if d.text or d.patient_instruction
            ),
            prescribed_on=day,
            days=int(supply.value) if in_days and supply.value is not None else 0,
            resource_hash=resource_hash("MedicationRequest", found.id),
        )
