"""Places of the hospital's own schedule: one Appointment takes a Slot, and gives it back when it is cancelled.

The Slot itself is never written: that it becomes busy and free again is the hospital's part. Two that want the same place
are told apart by the hospital too (409); it is asked for before anything else is written.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from contracts.his import WriteMove, WriteRegistration
from foundation.logs import log
from front_gateway.deadline import Deadline
from front_gateway.dialects.fhir.client import FhirClient, NotThere
from front_gateway.dialects.fhir.patients import Person
from front_gateway.dialects.fhir.references import id_in
from front_gateway.dialects.fhir.resources import Written
from front_gateway.dialects.fhir.written import Json, Writer
from front_gateway.refusals import HospitalRefused, PlaceTaken

KIND = "Appointment"
_LIVE = frozenset({"proposed", "pending", "booked", "arrived", "checked-in", "waitlist"})
_UNKNOWN = frozenset({404, 405, 501})
"""Answers of a server that has no such resource type."""
_CHANGED = frozenset({409, 412})


class Places:
    """Takes and gives back."""

    def __init__(self, client: FhirClient, writer: Writer) -> None:
        self._client = client
        self._writer = writer

    async def known(self, deadline: Deadline) -> bool:
        """Whether the hospital has appointments at all."""
        return await self._client.has(KIND, deadline)

    async def take(
        self, request: WriteRegistration | WriteMove, person: Person, deadline: Deadline
    ) -> tuple[str, list[str]]:
        """Reference of the Appointment that has the slot, and what was left out; ("", []) for a place of ours.

        `PlaceTaken` when the slot is somebody else's.
        """
        if not request.slot_id:
            return "", []
        if not await self.known(deadline):
            return "", [KIND]
        if there := await self._holding(request, person, deadline):
            return there, []
        resource = self._writer.appointment(request, person.main_id)
        try:
            made = await self._client.create(
                resource, self._writer.systems.request, f"{request.request_id}.1", person.ids, deadline
            )
        except HospitalRefused as refused:
            if refused.answered in _UNKNOWN:
                log.warning("left_out", kind=KIND, reason=refused.reason)
                return "", [KIND]
            if refused.answered != 409:
                raise
            there = await self._holding(request, person, deadline)  # a copy of this request was faster
            if not there:
                raise PlaceTaken(refused.reason, refused.answered) from None
            return there, []
        return f"{KIND}/{made.id}", []

    async def give_back(
        self, appointment_id: UUID, reason: str, person: Person, deadline: Deadline, *, keep: str = ""
    ) -> list[str]:
        """Cancel what the appointment has but `keep`; references of what was cancelled just now."""
        done = []
        for one in await self._live(appointment_id, person, deadline):
            reference = f"{KIND}/{one.id}"

            def cancelled(body: Json) -> Json:
                if body.get("status") not in _LIVE:
                    return body
                return {**body, "status": "cancelled", "cancelationReason": {"text": reason}}

            if reference != keep and await self.change(KIND, one.id, cancelled, deadline):
                done.append(reference)
        return done

    async def change(
        self, kind: str, id: str, change: Callable[[Json], Json], deadline: Deadline, *, again: bool = True
    ) -> bool:
        """Write what `change` makes of a resource; False when it is as wished already, or gone."""
        try:
            body: dict[str, Any] = await self._client.read_plain(kind, id, deadline)
        except NotThere:
            return False
        wanted = change(body)
        if wanted == body:
            return False
        version = str((body.get("meta") or {}).get("versionId", ""))
        try:
            await self._client.replace(kind, id, version, wanted, deadline)
        except HospitalRefused as refused:
            if refused.answered not in _CHANGED or not again:
                raise
            return await self.change(kind, id, change, deadline, again=False)
        return True

    async def _holding(
        self, request: WriteRegistration | WriteMove, person: Person, deadline: Deadline
    ) -> str:
        """The Appointment that already has the wanted slot for this appointment of ours; empty when there is none."""
        for one in await self._live(request.appointment_id, person, deadline):
            if any(
                id_in(slot.reference, "Slot", self._client.base_path) == request.slot_id for slot in one.slot
            ):
                return f"{KIND}/{one.id}"
        return ""

    async def _live(self, appointment_id: UUID, person: Person, deadline: Deadline) -> list[Written]:
        if not await self.known(deadline):
            return []
        try:
            found = await self._client.all_written(
                KIND, self._writer.systems.appointment, str(appointment_id), person.ids, deadline
            )
        except HospitalRefused as refused:
            if refused.answered in _UNKNOWN:
                return []
            raise
        return [one for one in found if one.status in _LIVE]
