"""The table of operations: which part of the dialect answers what."""

from typing import Any

from contracts import his
from foundation.clock import Clock
from front_gateway.deadline import Deadline
from front_gateway.dialects import Who
from front_gateway.dialects.fhir.charges import ChargeReader
from front_gateway.dialects.fhir.client import FhirClient
from front_gateway.dialects.fhir.fee_locks import FeeLocks
from front_gateway.dialects.fhir.history import HistoryReader
from front_gateway.dialects.fhir.patients import Patients, Person, as_reply
from front_gateway.dialects.fhir.schedules import ScheduleReader
from front_gateway.dialects.fhir.supply import SupplyReader
from front_gateway.dialects.fhir.systems import Systems
from front_gateway.dialects.fhir.visits import VisitReader
from front_gateway.dialects.fhir.write_back import WriteBack
from front_gateway.dialects.fhir.written import Writer
from front_gateway.dialects.hashes import resource_hash
from front_gateway.note import Note
from front_gateway.upstream import Upstream


class FhirDialect:
    """Speaks to one hospital."""

    def __init__(self, upstream: Upstream, systems: Systems, clock: Clock) -> None:
        self._client = FhirClient(upstream)
        self._patients = Patients(self._client, systems)
        self._visits = VisitReader(self._client, systems)
        self._history = HistoryReader(self._client, systems, self._visits)
        self._charges = ChargeReader(self._client, systems)
        self._schedules = ScheduleReader(self._client, systems)
        self._supply = SupplyReader(self._client, systems)
        writer = Writer(systems)
        self._write = WriteBack(self._client, writer, clock)
        self._locks = FeeLocks(self._client, writer, clock)

    async def ready(self, deadline: Deadline) -> None:
        """Raises when the hospital does not answer, or is no FHIR R4 server."""
        await self._client.capability(deadline)

    async def answer(self, request: his.HisRequest, deadline: Deadline, note: Note) -> Any:
        """The reply of `request`'s operation."""
        if isinstance(request, his.FindPatient):
            return await self._found(request, deadline, note)
        if isinstance(request, his.Charges | his.Stock | his.Prices):
            return await self._listed(request, deadline, note)
        if isinstance(request, his.Slots):
            slots = await self._schedules.slots(
                request.department_code, request.practitioner_code, request.first, request.last, deadline
            )
            note.resources = len(slots)
            return his.SlotsReply(slots)
        patient_id: str = request.patient_id  # type: ignore[attr-defined] # every other request has it
        reads = isinstance(request, his.Visits | his.History)
        person = await self._patients.by_id(patient_id, deadline, fresh=not reads)
        _named(note, person)
        if isinstance(request, his.Visits):
            visits = await self._visits.since(person, request.since, deadline)
            note.resources = len(visits)
            return his.VisitsReply(visits)
        if isinstance(request, his.History):
            reply = await self._history.since(person, request.since, deadline)
            note.resources = (
                len(reply.visits) + len(reply.allergies) + len(reply.medications) + len(reply.reports)
            )
            return reply
        return await self._written(request, person, deadline, note)

    async def who(self, patient_id: str, deadline: Deadline, *, fresh: bool) -> Who:
        """The patient as the systems beside the HIS know her: by `Systems.record_number` where that is set, else by her ids here."""
        return await self._patients.who(patient_id, deadline, fresh=fresh)

    async def _found(self, request: his.FindPatient, deadline: Deadline, note: Note) -> his.FindPatientReply:
        found = await self._patients.by_number(request.id_number, request.name, deadline)
        if found is None:
            return his.FindPatientReply(None)
        _named(note, found[0])
        return his.FindPatientReply(as_reply(*found, request.name))

    async def _listed(
        self, request: his.Charges | his.Stock | his.Prices, deadline: Deadline, note: Note
    ) -> his.ChargesReply | his.StockReply | his.PricesReply:
        """What names nobody."""
        if isinstance(request, his.Charges):
            charges = await self._charges.between(request.since, request.until, deadline)
            note.resources = len(charges.charges)
            return charges
        if isinstance(request, his.Stock):
            drugs = await self._supply.stock(request.drug_codes, deadline)
            note.resources = len(drugs)
            return his.StockReply(drugs)
        prices = await self._supply.prices(request.codes, deadline)
        note.resources = len(prices)
        return his.PricesReply(prices)

    async def _written(
        self, request: his.HisRequest, person: Person, deadline: Deadline, note: Note
    ) -> his.Acknowledged | his.FeeLock:
        steps = {
            his.WriteRegistration: self._write.registration,
            his.WriteMove: self._write.move,
            his.WriteCancellation: self._write.cancellation,
            his.WriteCharge: self._write.charge,
            his.WriteRefund: self._write.refund,
            his.WriteRecord: self._write.record,
            his.WritePrescription: self._write.prescription,
            his.WriteDispense: self._write.dispense,
            his.LockFee: self._locks.lock,
            his.UnlockFee: self._locks.unlock,
        }
        step: Any = steps[type(request)]
        async with self._write.one_at_a_time(request.request_id):  # type: ignore[attr-defined]
            done: his.Acknowledged | his.FeeLock = await step(request, person, deadline)
        note.resources = 1 + (len(done.also) if isinstance(done, his.Acknowledged) else 0)
        return done


def _named(note: Note, person: Person) -> None:
    note.subject = resource_hash("Patient", person.main_id)
    note.resources = 1
