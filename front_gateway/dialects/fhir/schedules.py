"""Slots of a department: Schedules name doctor and department, Slots the times. Nothing in them is about a patient."""

from collections.abc import Sequence
from datetime import date, timedelta

from contracts.his import HospitalSlot
from front_gateway.deadline import Deadline
from front_gateway.dialects.fhir.client import FhirClient, NotThere
from front_gateway.dialects.fhir.days import day_of, moment_of
from front_gateway.dialects.fhir.references import id_in
from front_gateway.dialects.fhir.resources import Practitioner, Schedule, Slot
from front_gateway.dialects.fhir.systems import Systems

AT_ONCE = 20
"""Schedules whose slots are asked for in one search: the address stays short."""


class ScheduleReader:
    """Reads slots; doctors' codes do not change and are kept."""

    def __init__(self, client: FhirClient, systems: Systems) -> None:
        self._client = client
        self._systems = systems
        self._codes: dict[str, str] = {}

    async def slots(
        self, department: str, doctor: str, first: date, last: date, deadline: Deadline
    ) -> list[HospitalSlot]:
        """Slots from `first` to `last`, earliest first; of one doctor when her code is given."""
        # a day more than asked on both sides: servers cut date-only values at midnight UTC, the exact rule is below
        floor, ceiling = first - timedelta(days=1), last + timedelta(days=2)
        days = [("date", f"ge{floor}"), ("date", f"lt{ceiling}")]
        schedules = await self._client.search(
            Schedule, [("specialty", f"{self._systems.department}|{department}"), *days], deadline, about=None
        )
        doctors = {one.id: code for one in schedules if (code := await self._doctor(one, deadline))}
        wanted = [number for number, code in doctors.items() if doctor in ("", code)]
        found: list[HospitalSlot] = []
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            for slot in await self._slots(part, floor, ceiling, deadline):
                whose = doctors.get(id_in(slot.schedule.reference, "Schedule", self._client.base_path), "")
                made = self._slot(slot, whose, department)
                if made is not None and whose and first <= (day_of(slot.start) or first) <= last:
                    found.append(made)
        return sorted(found, key=lambda one: (one.starts_at, one.slot_id))

    async def _slots(
        self, schedules: Sequence[str], floor: date, ceiling: date, deadline: Deadline
    ) -> list[Slot]:
        days = [("start", f"ge{floor}"), ("start", f"lt{ceiling}")]
        literals = ",".join(f"Schedule/{number}" for number in schedules)
        return await self._client.search(Slot, [("schedule", literals), *days], deadline, about=None)

    async def _doctor(self, schedule: Schedule, deadline: Deadline) -> str:
        """The code of the doctor a schedule belongs to; empty when it belongs to nobody we could know."""
        if schedule.active is False:
            return ""
        for actor in schedule.actor:
            if actor.identifier and actor.identifier.system == self._systems.practitioner:
                return actor.identifier.value
            if number := id_in(actor.reference, "Practitioner", self._client.base_path):
                return await self._code(number, deadline)
        return ""

    async def _code(self, id: str, deadline: Deadline) -> str:
        if id not in self._codes:
            try:
                found = await self._client.read(Practitioner, id, deadline)
            except NotThere:
                return ""
            code = next(
                (one.value for one in found.identifier if one.system == self._systems.practitioner), ""
            )
            if not code:
                return ""
            self._codes[id] = code
        return self._codes[id]

    def _slot(self, slot: Slot, doctor: str, department: str) -> HospitalSlot | None:
        starts_at, ends_at = moment_of(slot.start), moment_of(slot.end)
        if starts_at is None or ends_at is None or slot.status == "entered-in-error":
            return None
        return HospitalSlot(slot.id, doctor, department, starts_at, ends_at, slot.status)
