"""Fees kept from the hospital's window: a ChargeItem that is `planned` ("shall not be billed yet") until its period ends (decision 0087)."""

from decimal import Decimal

from contracts.his import Acknowledged, FeeLock, LockFee, UnlockFee
from foundation.clock import Clock
from front_gateway.deadline import Deadline
from front_gateway.dialects.fhir.bundles import unusable
from front_gateway.dialects.fhir.client import FhirClient
from front_gateway.dialects.fhir.days import instant, moment_of
from front_gateway.dialects.fhir.patients import Person
from front_gateway.dialects.fhir.places import Places
from front_gateway.dialects.fhir.resources import ChargeItem
from front_gateway.dialects.fhir.written import Json, Writer
from front_gateway.refusals import FeeTaken, HospitalRefused

KIND = "ChargeItem"
_OPEN = "planned"


class FeeLocks:
    """Locks and unlocks; that a planned item is not charged, and when its time is over, is the hospital's part."""

    def __init__(self, client: FhirClient, writer: Writer, clock: Clock) -> None:
        self._client = client
        self._writer = writer
        self._clock = clock
        self._places = Places(client, writer)

    async def lock(self, request: LockFee, person: Person, deadline: Deadline) -> FeeLock:
        """The lock of this request, made if it is not there; `FeeTaken` when the window was faster."""
        if not await self._client.has(KIND, deadline):
            raise HospitalRefused(f"no {KIND} there", 404)
        try:
            made = await self._client.create(
                self._resource(request, person.main_id), self._writer.systems.request, str(request.request_id),
                person.ids, deadline,
            )  # fmt: skip
        except HospitalRefused as refused:
            if refused.answered == 409:
                raise FeeTaken(refused.reason, refused.answered) from None
            raise
        stands = await self._client.read(ChargeItem, made.id, deadline)
        self._client.check_subject(stands, KIND, person.ids)
        until = moment_of(stands.occurrence_period.end)
        if until is None:
            raise unusable("a lock without an end")
        held = stands.status == _OPEN and until > self._clock.now()
        return FeeLock(f"{KIND}/{made.id}", until, held)

    async def unlock(self, request: UnlockFee, person: Person, deadline: Deadline) -> Acknowledged:
        """Whatever locks there are on this fee are lifted."""
        done = [
            f"{KIND}/{one.id}"
            for one in await self._open(request, person, deadline)
            if await self._places.change(KIND, one.id, _aborted, deadline)
        ]
        return Acknowledged(done[0] if done else "", self._clock.now(), done[1:])

    async def _open(self, request: UnlockFee, person: Person, deadline: Deadline) -> list[ChargeItem]:
        if not await self._client.has(KIND, deadline):
            return []
        systems = self._writer.systems
        ours = f"{systems.appointment}|{request.appointment_id}"
        found = await self._client.search(ChargeItem, [("identifier", ours)], deadline, about=person.ids)
        return [
            one
            for one in found
            if one.status == _OPEN
            and one.has_identifier(systems.appointment, str(request.appointment_id))
            and (kind := one.code.code_of(systems.charge)) is not None
            and kind.code == request.kind
            and one.identified_by(systems.prescription) == request.fee_number
        ]

    def _resource(self, request: LockFee, patient: str) -> Json:
        systems = self._writer.systems
        amount = {"value": Decimal(request.amount).scaleb(-2).quantize(Decimal("0.01")), "currency": "CNY"}
        number = [{"system": systems.prescription, "value": request.fee_number}] if request.fee_number else []
        return {
            "resourceType": KIND,
            "identifier": [
                {"system": systems.request, "value": str(request.request_id)},
                {"system": systems.appointment, "value": str(request.appointment_id)},
                *number,
            ],
            "status": _OPEN,
            "code": {"coding": [{"system": systems.charge, "code": request.kind}]},
            "subject": {"reference": f"Patient/{patient}"},
            "occurrencePeriod": {"start": instant(self._clock.now()), "end": instant(request.until)},
            "priceOverride": amount,
            "overrideReason": "互联网医院线上支付中",
        }


def _aborted(body: Json) -> Json:
    return {**body, "status": "aborted"} if body.get("status") == _OPEN else body
