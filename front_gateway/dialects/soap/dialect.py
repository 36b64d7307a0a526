"""The table of operations: which part of the dialect answers what."""

from collections.abc import Awaitable, Callable
from typing import Any

from contracts import his
from foundation.clock import Clock
from front_gateway.deadline import Deadline
from front_gateway.dialects import Who
from front_gateway.dialects.hashes import resource_hash
from front_gateway.dialects.soap.charges import ChargeReader
from front_gateway.dialects.soap.client import SoapClient
from front_gateway.dialects.soap.fee_locks import FeeLocks
from front_gateway.dialects.soap.history import HistoryReader
from front_gateway.dialects.soap.hospital_profile import Profile
from front_gateway.dialects.soap.patients import Patients, Person, as_reply
from front_gateway.dialects.soap.schedules import ScheduleReader
from front_gateway.dialects.soap.supply import SupplyReader
from front_gateway.dialects.soap.visits import VisitReader
from front_gateway.dialects.soap.write_back import WriteBack
from front_gateway.note import Note
from front_gateway.refusals import HospitalRefused
from front_gateway.upstream import Upstream

ANSWERED: tuple[type[his.HisRequest], ...] = (
    his.FindPatient, his.Visits, his.History, his.Slots, his.Charges, his.WriteRegistration, his.WriteMove,
    his.WriteCancellation, his.WriteCharge, his.WriteRefund, his.WriteRecord, his.WritePrescription, his.WriteDispense, his.Stock, his.Prices, his.LockFee,
    his.UnlockFee,
)  # fmt: skip
"""The contract's requests that this dialect has."""


class SoapDialect:
    """Speaks to one hospital by its profile."""

    def __init__(self, upstream: Upstream, profile: Profile, clock: Clock) -> None:
        self._client = SoapClient(upstream, profile, clock)
        self._patients = Patients(self._client)
        self._visits = VisitReader(self._client)
        self._history = HistoryReader(self._client, self._visits)
        self._charges = ChargeReader(self._client)
        self._schedules = ScheduleReader(self._client)
        self._fees = FeeLocks(self._client, clock)
        self._supply = SupplyReader(self._client)
        write = WriteBack(self._client, clock)
        self._one_at_a_time = write.one_at_a_time
        self._writes: dict[type[his.HisRequest], Callable[..., Awaitable[his.Acknowledged]]] = {
            his.WriteRegistration: write.registration,
            his.WriteMove: write.move,
            his.WriteCancellation: write.cancellation,
            his.WriteCharge: write.charge,
            his.WriteRefund: write.refund,
            his.WriteRecord: write.record,
            his.WritePrescription: write.prescription,
            his.WriteDispense: write.dispense,
        }

    async def ready(self, deadline: Deadline) -> None:
        """Raises when the hospital does not answer, or does not have the method."""
        await self._client.greet(deadline)

    async def who(self, patient_id: str, deadline: Deadline, *, fresh: bool) -> Who:
        """The patient as the systems beside the HIS know her: by her numbers here."""
        return await self._patients.who(patient_id, deadline, fresh=fresh)

    async def answer(self, request: his.HisRequest, deadline: Deadline, note: Note) -> Any:
        """The reply of `request`'s operation; an operation that this dialect does not have is refused in words."""
        if not isinstance(request, ANSWERED):
            raise HospitalRefused(f"本院接口没有此项业务（{request.OPERATION}）")
        if isinstance(request, his.FindPatient):
            return await self._found(request, deadline, note)
        if isinstance(request, his.Charges | his.Slots | his.Stock | his.Prices):
            return await self._of_nobody(request, deadline, note)
        if isinstance(request, his.Visits):
            person = await self._person(request.patient_id, deadline, note)
            visits = await self._visits.since(person, request.since, deadline)
            note.resources = len(visits)
            return his.VisitsReply(visits)
        if isinstance(request, his.History):
            person = await self._person(request.patient_id, deadline, note)
            reply = await self._history.since(person, request.since, deadline)
            note.resources = (
                len(reply.visits) + len(reply.allergies) + len(reply.medications) + len(reply.reports)
            )
            return reply
        if isinstance(request, his.LockFee | his.UnlockFee):
            return await self._of_a_fee(request, deadline, note)
        return await self._written(request, deadline, note)

    async def _of_a_fee(
        self, request: his.LockFee | his.UnlockFee, deadline: Deadline, note: Note
    ) -> his.FeeLock | his.Acknowledged:
        person = await self._person(request.patient_id, deadline, note, fresh=True)
        if isinstance(request, his.LockFee):
            return await self._fees.lock(request, person, deadline)
        return await self._fees.unlock(request, person, deadline)

    async def _of_nobody(
        self, request: his.Charges | his.Slots | his.Stock | his.Prices, deadline: Deadline, note: Note
    ) -> his.ChargesReply | his.SlotsReply | his.StockReply | his.PricesReply:
        """What names no patient."""
        if isinstance(request, his.Charges):
            charges = await self._charges.between(request.since, request.until, deadline)
            note.resources = len(charges.charges)
            return charges
        if isinstance(request, his.Slots):
            slots = await self._schedules.slots(
                request.department_code, request.practitioner_code, request.first, request.last, deadline
            )
            note.resources = len(slots)
            return his.SlotsReply(slots)
        if isinstance(request, his.Stock):
            drugs = await self._supply.stock(request.drug_codes, deadline)
            note.resources = len(drugs)
            return his.StockReply(drugs)
        prices = await self._supply.prices(request.codes, deadline)
        note.resources = len(prices)
        return his.PricesReply(prices)

    async def _found(self, request: his.FindPatient, deadline: Deadline, note: Note) -> his.FindPatientReply:
        found = await self._patients.by_card(request.id_number, request.name, deadline)
        if found is None:
            return his.FindPatientReply(None)
        _named(note, found[0])
        return his.FindPatientReply(as_reply(*found, request.name))

    async def _person(
        self, patient_id: str, deadline: Deadline, note: Note, *, fresh: bool = False
    ) -> Person:
        person = await self._patients.by_number(patient_id, deadline, fresh=fresh)
        _named(note, person)
        return person

    async def _written(self, request: his.HisRequest, deadline: Deadline, note: Note) -> his.Acknowledged:
        step = self._writes[type(request)]
        person = await self._person(request.patient_id, deadline, note, fresh=True)  # type: ignore[attr-defined]
        async with self._one_at_a_time(request.request_id):  # type: ignore[attr-defined]
            done = await step(request, person, deadline)
        note.resources = 1 + len(done.also)
        return done


def _named(note: Note, person: Person) -> None:
    note.subject = resource_hash("Patient", person.main)
    note.resources = 1
