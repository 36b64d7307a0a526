"""Writing back, step by step. The same request again finds what it made before; a half-done one is completed.

The main resource decides: refused, and the write is refused. What stands beside it (diagnoses, drug lines) may be left
out by a hospital that does not take it; the acknowledgement says so.
"""

import asyncio
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from contracts.his import (
    Acknowledged,
    WriteCancellation,
    WriteCharge,
    WriteDispense,
    WriteMove,
    WritePrescription,
    WriteRecord,
    WriteRefund,
    WriteRegistration,
)
from foundation.canonical import canonical, sha256
from foundation.clock import Clock
from foundation.errors import invalid
from foundation.logs import log
from front_gateway.deadline import Deadline
from front_gateway.dialects.fhir.bundles import unusable
from front_gateway.dialects.fhir.client import FhirClient
from front_gateway.dialects.fhir.days import moment_of
from front_gateway.dialects.fhir.patients import Person
from front_gateway.dialects.fhir.places import Places
from front_gateway.dialects.fhir.resources import Written
from front_gateway.dialects.fhir.written import Json, Writer
from front_gateway.refusals import HospitalRefused

_MOVED = "改约"


class WriteBack:
    """Writes for one person; its main registration gets it."""

    def __init__(self, client: FhirClient, writer: Writer, clock: Clock) -> None:
        self._client = client
        self._writer = writer
        self._clock = clock
        self._places = Places(client, writer)
        self._running: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    def one_at_a_time(self, request_id: UUID) -> asyncio.Lock:
        """Two copies of one request do not overtake each other between search and create."""
        return self._running.setdefault(request_id, asyncio.Lock())

    async def registration(
        self, request: WriteRegistration, person: Person, deadline: Deadline
    ) -> Acknowledged:
        """Step 1; the hospital's slot first, if it is one of theirs: taken by somebody else, and nothing is written."""
        place, left_out = await self._places.take(request, person, deadline)
        main = await self._create(
            self._writer.registration(request, person.main_id, place),
            str(request.request_id),
            person,
            deadline,
        )
        return self._acknowledged("Encounter", main, [place] if place else [], left_out)

    async def move(self, request: WriteMove, person: Person, deadline: Deadline) -> Acknowledged:
        """Another time: the new slot first, then the old one is free again, then the planned visit changes."""
        place, left_out = await self._places.take(request, person, deadline)
        also = await self._places.give_back(request.appointment_id, _MOVED, person, deadline, keep=place)
        also = [place, *also] if place else also
        found = await self._registered(request.appointment_id, person, deadline)
        if found is None:
            made = self._writer.registration(request, person.main_id, place)
            main = await self._create(made, str(request.request_id), person, deadline)
            return self._acknowledged("Encounter", main, also, left_out)
        now = self._writer.when_and_who(request, place)

        def moved(body: Json) -> Json:
            if body.get("status") != "planned":
                return body
            return {**{name: part for name, part in body.items() if name != "appointment"}, **now}

        await self._places.change("Encounter", found.id, moved, deadline)
        return self._acknowledged("Encounter", found, also, left_out)

    async def cancellation(
        self, request: WriteCancellation, person: Person, deadline: Deadline
    ) -> Acknowledged:
        """The visit will not take place. What is over, or was never written, stays as it is."""
        also = await self._places.give_back(request.appointment_id, request.reason, person, deadline)
        unknown = request.slot_id and not await self._places.known(deadline)
        left_out = ["Appointment"] if unknown else []
        found = await self._registered(request.appointment_id, person, deadline)
        if found is None:
            return Acknowledged("", self._clock.now(), also, left_out)

        def cancelled(body: Json) -> Json:
            return {**body, "status": "cancelled"} if body.get("status") == "planned" else body

        await self._places.change("Encounter", found.id, cancelled, deadline)
        return self._acknowledged("Encounter", found, also, left_out)

    async def charge(self, request: WriteCharge, person: Person, deadline: Deadline) -> Acknowledged:
        """Step 2."""
        main = await self._create(
            self._writer.charge(request, person.main_id), str(request.request_id), person, deadline
        )
        return self._acknowledged("Invoice", main)

    async def refund(self, request: WriteRefund, person: Person, deadline: Deadline) -> Acknowledged:
        """Money of a charge that went back."""
        main = await self._create(
            self._writer.refund(request, person.main_id), str(request.request_id), person, deadline
        )
        return self._acknowledged("Invoice", main)

    async def record(self, request: WriteRecord, person: Person, deadline: Deadline) -> Acknowledged:
        """Step 3: document, diagnoses, and the encounter is over."""
        _check_digest(request.content, request.content_digest)
        patient = person.main_id
        found, encounter = await self._encounter(request.appointment_id, person, deadline)
        main = await self._create(
            self._writer.record(request, patient, encounter), str(request.request_id), person, deadline
        )
        conditions = [
            self._writer.condition(request, number, one, patient, encounter)
            for number, one in enumerate(request.diagnoses, 1)
        ]
        also, left_out = await self._beside(request.request_id, conditions, person, deadline)
        if found is not None and not await self._finish(found, deadline):
            left_out.append("Encounter")
        return self._acknowledged("DocumentReference", main, also, left_out)

    async def prescription(
        self, request: WritePrescription, person: Person, deadline: Deadline
    ) -> Acknowledged:
        """Step 4: document and drug lines."""
        _check_digest(request.content, request.content_digest)
        patient = person.main_id
        _, encounter = await self._encounter(request.appointment_id, person, deadline)
        main = await self._create(
            self._writer.prescription(request, patient, encounter), str(request.request_id), person, deadline
        )
        lines = [
            self._writer.medication(request, number, one, patient, encounter)
            for number, one in enumerate(request.drugs, 1)
        ]
        also, left_out = await self._beside(request.request_id, lines, person, deadline)
        return self._acknowledged("DocumentReference", main, also, left_out)

    async def dispense(self, request: WriteDispense, person: Person, deadline: Deadline) -> Acknowledged:
        """Step 5: one MedicationDispense a drug, or the list as a document where there is no such thing."""
        if not request.drugs:
            raise invalid("drugs", "too_short", "至少一种药品")
        patient, own = person.main_id, str(request.request_id)
        lines = [
            self._writer.dispense(request, number, one, patient) for number, one in enumerate(request.drugs)
        ]
        try:
            main = await self._create(lines[0], own, person, deadline)
        except HospitalRefused as refused:
            log.warning("no_medication_dispense", reason=refused.reason)
            _, encounter = await self._encounter(request.appointment_id, person, deadline)
            content = canonical(request)
            document = self._writer.dispense_list(request, patient, encounter, content, sha256(content).hex())
            main = await self._create(document, own, person, deadline)
            return self._acknowledged("DocumentReference", main, left_out=["MedicationDispense"])
        also, left_out = await self._beside(request.request_id, lines[1:], person, deadline)
        return self._acknowledged("MedicationDispense", main, also, left_out)

    async def _create(self, resource: Json, value: str, person: Person, deadline: Deadline) -> Written:
        return await self._client.create(resource, self._writer.systems.request, value, person.ids, deadline)

    async def _beside(
        self, request_id: UUID, resources: list[Json], person: Person, deadline: Deadline
    ) -> tuple[list[str], list[str]]:
        """References of what was taken, and types of what was not."""
        also: list[str] = []
        left_out: list[str] = []
        for number, resource in enumerate(resources, 1):
            kind = resource["resourceType"]
            try:
                written = await self._create(resource, f"{request_id}.{number}", person, deadline)
                also.append(f"{kind}/{written.id}")
            except HospitalRefused as refused:
                log.warning("left_out", kind=kind, reason=refused.reason)
                if kind not in left_out:
                    left_out.append(kind)
        return also, left_out

    async def _encounter(
        self, appointment_id: UUID, person: Person, deadline: Deadline
    ) -> tuple[Written | None, Json]:
        """The registration of step 1 and a reference to it.

        A logical reference when the hospital does not have it, or has it under a number that was merged since.
        """
        found = await self._registered(appointment_id, person, deadline)
        if found is None or not self._client.is_about(found, person.main_id):
            return found, self._writer.unresolved_encounter(appointment_id)
        return found, {"reference": f"Encounter/{found.id}"}

    async def _registered(self, appointment_id: UUID, person: Person, deadline: Deadline) -> Written | None:
        return await self._client.find_written(
            "Encounter", self._writer.systems.appointment, str(appointment_id), person.ids, deadline
        )

    async def _finish(self, encounter: Written, deadline: Deadline) -> bool:
        """Make the encounter `finished`; False when the hospital will not have it."""
        if encounter.status == "finished":
            return True
        try:
            body: dict[str, Any] = await self._client.read_plain("Encounter", encounter.id, deadline)
            if body.get("status") != "finished":
                version = str((body.get("meta") or {}).get("versionId", ""))
                finished = {**body, "status": "finished"}
                await self._client.replace("Encounter", encounter.id, version, finished, deadline)
        except HospitalRefused as refused:
            log.warning("encounter_not_finished", reason=refused.reason)
            return False
        return True

    def _acknowledged(
        self, kind: str, main: Written, also: list[str] | None = None, left_out: list[str] | None = None
    ) -> Acknowledged:
        if not main.id:
            raise unusable(f"{kind} without id")
        at = moment_of(main.meta.last_updated) or self._clock.now()
        return Acknowledged(f"{kind}/{main.id}", at, also or [], left_out or [])


def _check_digest(content: bytes, digest: str) -> None:
    if sha256(content).hex() != digest:
        raise invalid("content_digest", "mismatch", "内容与摘要不符")
