"""Writing back, one call a step. The external number is the request's id, so nothing is written twice:

before every write the hospital is asked what it has under that number (a write whose answer was lost was perhaps done, and
perhaps through the other gateway), and one that says "exists already" is asked what it is that exists.
"""

import asyncio
import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID
from weakref import WeakValueDictionary

from contracts import his
from contracts.his import Acknowledged
from foundation.canonical import canonical, sha256
from foundation.clock import Clock
from foundation.errors import invalid
from foundation.logs import log
from front_gateway.deadline import Deadline
from front_gateway.dialects.soap.client import Fields, SoapClient, Value
from front_gateway.dialects.soap.patients import Person
from front_gateway.dialects.soap.rows import Row, unusable
from front_gateway.refusals import HospitalRefused

KINDS = {
    "write_registration": ("Encounter", "Appointment"),
    "write_move": ("Encounter", "Appointment"),
    "write_cancellation": ("Encounter", "Appointment"),
    "write_charge": ("Invoice", "Invoice"),
    "write_refund": ("Invoice", "Invoice"),
    "write_record": ("DocumentReference", "Condition"),
    "write_prescription": ("DocumentReference", "MedicationRequest"),
    "write_dispense": ("MedicationDispense", "MedicationDispense"),
}
"""What a step makes, and what stands beside it, in the words of references (FHIR's resource types)."""


class _Request(Protocol):
    @property
    def request_id(self) -> UUID: ...

    @property
    def appointment_id(self) -> UUID: ...


@dataclass(frozen=True)
class Written:
    """What the hospital has under one of our numbers."""

    number: str
    at: datetime
    parts: list[str]

    def acknowledged(self, interface: str, left_out: list[str] | None = None) -> Acknowledged:
        """As the contract says it."""
        kind, part = KINDS[interface]
        also = [f"{part}/{one}" for one in self.parts]
        return Acknowledged(f"{kind}/{self.number}", self.at, also, left_out or [])


class WriteBack:
    """Writes for one person; the number that counts gets it."""

    def __init__(self, client: SoapClient, clock: Clock) -> None:
        self._client = client
        self._words = client.words
        self._clock = clock
        self._running: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    def one_at_a_time(self, request_id: UUID) -> asyncio.Lock:
        """Two copies of one request do not overtake each other between question and write."""
        return self._running.setdefault(request_id, asyncio.Lock())

    async def registration(
        self, request: his.WriteRegistration, person: Person, deadline: Deadline
    ) -> Acknowledged:
        """Step 1, the hospital's slot with it: taken by somebody else, and nothing is written."""
        return await self._step("write_registration", request, self._place(request), person, deadline)

    async def move(self, request: his.WriteMove, person: Person, deadline: Deadline) -> Acknowledged:
        """Another time; the hospital exchanges the slots. A registration that is not there is made."""
        either = ("write_move", "write_registration")
        if there := await self._there(request.request_id, either, person, deadline):
            return there.acknowledged("write_move")
        fields = self._fields(request, self._place(request), person)
        answer = await self._client.ask("write_move", fields, deadline)
        if answer.meaning == "nothing":
            return await self.registration(request, person, deadline)  # type: ignore[arg-type] # the same fields
        found = await self._result("write_move", answer.meaning, answer.rows, request, person, deadline)
        return found.acknowledged("write_move")

    async def cancellation(
        self, request: his.WriteCancellation, person: Person, deadline: Deadline
    ) -> Acknowledged:
        """The visit will not take place. What is over, or was never written, stays as it is."""
        name = "write_cancellation"
        if there := await self._there(request.request_id, (name,), person, deadline):
            return Acknowledged(f"Encounter/{there.number}", there.at)
        more = {
            "at": self._words.moment(request.cancelled_at),
            "reason": request.reason,
            "slot_no": request.slot_id,
        }
        answer = await self._client.ask(name, self._fields(request, more, person), deadline)
        if answer.meaning in ("nothing", "over"):
            return Acknowledged("", self._clock.now())
        found = await self._result(name, answer.meaning, answer.rows, request, person, deadline)
        return found.acknowledged(name)

    async def charge(self, request: his.WriteCharge, person: Person, deadline: Deadline) -> Acknowledged:
        """Step 2."""
        more = {
            "charge_kind": self._words.charge_kind(request.kind), "amount": self._words.money(request.amount),
            "trade_no": request.trade_number, "at": self._words.moment(request.paid_at),
            **({"prescription_no": request.fee_number} if request.fee_number else {}),
        }  # fmt: skip
        return await self._step("write_charge", request, more, person, deadline)

    async def refund(self, request: his.WriteRefund, person: Person, deadline: Deadline) -> Acknowledged:
        """Money of a charge that went back."""
        more = {
            "charge_kind": self._words.charge_kind(request.kind), "amount": self._words.money(request.amount),
            "trade_no": request.trade_number, "refund_no": request.refund_number,
            "at": self._words.moment(request.refunded_at),
        }  # fmt: skip
        return await self._step("write_refund", request, more, person, deadline)

    async def record(self, request: his.WriteRecord, person: Person, deadline: Deadline) -> Acknowledged:
        """Step 3: document and diagnoses in one; the hospital ends the visit with it."""
        _check_digest(request.content, request.content_digest)
        more = {
            "doctor_code": request.practitioner_code, "title": request.title,
            **_document(request.content, request.content_digest), "at": self._words.moment(request.signed_at),
            "diagnoses": self._diagnoses(request.diagnoses),
        }  # fmt: skip
        return await self._step("write_record", request, more, person, deadline)

    async def prescription(
        self, request: his.WritePrescription, person: Person, deadline: Deadline
    ) -> Acknowledged:
        """Step 4: document, lines and diagnoses in one."""
        _check_digest(request.content, request.content_digest)
        more = {
            "doctor_code": request.practitioner_code, "pharmacist_code": request.pharmacist_code,
            "prescription_no": request.number, **_document(request.content, request.content_digest),
            "at": self._words.moment(request.approved_at), "diagnoses": self._diagnoses(request.diagnoses),
            "drugs": [_drug(one) for one in request.drugs],
        }  # fmt: skip
        return await self._step("write_prescription", request, more, person, deadline)

    async def dispense(self, request: his.WriteDispense, person: Person, deadline: Deadline) -> Acknowledged:
        """Step 5; the list as a document where the hospital has no interface for it."""
        if not request.drugs:
            raise invalid("drugs", "too_short", "至少一种药品")
        at = self._words.moment(request.handed_over_at)
        if not self._client.has("write_dispense"):
            content = canonical(request)
            more: Fields = {
                "doctor_code": "", "title": f"发药单 {request.number}", "at": at,
                **_document(content, sha256(content).hex()), "diagnoses": [],
            }  # fmt: skip
            name = "write_record"
            written = await self._write(name, request, more, person, deadline)
            return written.acknowledged(name, ["MedicationDispense"])
        more = {
            "prescription_no": request.number, "waybill": request.waybill, "at": at,
            "drugs": [_drug(one) for one in request.drugs],
        }  # fmt: skip
        return await self._step("write_dispense", request, more, person, deadline)

    async def _step(
        self, interface: str, request: _Request, more: Fields, person: Person, deadline: Deadline
    ) -> Acknowledged:
        return (await self._write(interface, request, more, person, deadline)).acknowledged(interface)

    async def _write(
        self, interface: str, request: _Request, more: Fields, person: Person, deadline: Deadline
    ) -> Written:
        """What is there already, or was written now."""
        if there := await self._there(request.request_id, (interface,), person, deadline):
            return there
        answer = await self._client.ask(interface, self._fields(request, more, person), deadline)
        return await self._result(interface, answer.meaning, answer.rows, request, person, deadline)

    async def _result(
        self,
        interface: str,
        meaning: str,
        rows: list[Row],
        request: _Request,
        person: Person,
        deadline: Deadline,
    ) -> Written:
        """What an answer to a write says: done with a row, or without one, or that somebody was faster."""
        if meaning in ("nothing", "over"):
            raise HospitalRefused("院内没有对应的登记" if meaning == "nothing" else "该就诊已结束或已取消")
        if meaning == "done" and rows:
            return self._written(rows[0], request.request_id, (interface,), person)
        there = await self._there(request.request_id, (interface,), person, deadline)
        if there is None:
            raise unusable(f"{interface}: {meaning}, and it is not there")
        return there

    async def _there(
        self, request_id: UUID, interfaces: tuple[str, ...], person: Person, deadline: Deadline
    ) -> Written | None:
        """What the hospital has under this external number; None when it has nothing. `WrongSubject` for another's."""
        answer = await self._client.ask("written", {"request_no": str(request_id)}, deadline)
        if not answer.rows:
            return None
        if len(answer.rows) > 1:
            raise unusable("written: several bear one external number")
        return self._written(answer.rows[0], request_id, interfaces, person)

    def _written(self, row: Row, request_id: UUID, interfaces: tuple[str, ...], person: Person) -> Written:
        number = row.needed("written_no")
        self._client.check_subject(row, person.numbers, KINDS[interfaces[0]][0], number)
        if row.text("request_no").lower() != str(request_id):
            raise unusable("written: another external number than was asked for")
        if row.text("written_by") not in {self._client.profile.interfaces[one] for one in interfaces}:
            log.warning("request_id_of_another_step", interfaces=interfaces)
            raise unusable("written: the external number is that of another step")
        return Written(number, row.moment("written_at"), row.texts("parts"))

    def _fields(self, request: _Request, more: Fields, person: Person) -> Fields:
        """What every write carries, and `more`."""
        return {
            "request_no": str(request.request_id), "patient_no": person.main,
            "appointment_no": str(request.appointment_id), **more,
        }  # fmt: skip

    def _place(self, request: his.WriteRegistration | his.WriteMove) -> Fields:
        return {
            "department_code": request.department_code, "doctor_code": request.practitioner_code,
            "starts_at": self._words.moment(request.starts_at), "ends_at": self._words.moment(request.ends_at),
            "serial_no": str(request.serial_number), "slot_no": request.slot_id,
        }  # fmt: skip

    def _diagnoses(self, diagnoses: list[his.VisitDiagnosis]) -> Value:
        return [
            {
                "diagnosis_code": one.code, "diagnosis_name": one.name, "rank": str(one.rank),
                "certainty": self._words.code(
                    "certainty", "confirmed" if one.certainty == "confirmed" else "suspected"
                ) or "",
            }
            for one in diagnoses
        ]  # fmt: skip


def _document(content: bytes, digest: str) -> dict[str, str]:
    return {"content": base64.b64encode(content).decode(), "digest": digest}


def _drug(drug: his.WriteDrug) -> Fields:
    return {
        "drug_code": drug.drug_code, "drug_name": drug.name, "dosage": drug.dosage, "route_code": drug.route_code,
        "days": str(drug.days), "quantity": str(drug.quantity), "pack_unit": drug.pack_unit,
    }  # fmt: skip


def _check_digest(content: bytes, digest: str) -> None:
    if sha256(content).hex() != digest:
        raise invalid("content_digest", "mismatch", "内容与摘要不符")
