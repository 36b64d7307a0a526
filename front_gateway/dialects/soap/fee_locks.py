"""Fees kept from the hospital's window, where it has interfaces for that: the lock of a number comes back as it stands, however often it is asked for."""

from contracts.his import Acknowledged, FeeLock, LockFee, UnlockFee
from foundation.clock import Clock
from front_gateway.deadline import Deadline
from front_gateway.dialects.soap.client import Fields, SoapClient
from front_gateway.dialects.soap.patients import Person
from front_gateway.dialects.soap.rows import Row, unusable
from front_gateway.refusals import FeeTaken, HospitalRefused, PlaceTaken

KIND = "ChargeItem"


class FeeLocks:
    """Both are safe to repeat by the hospital's own rule, so nothing is asked before."""

    def __init__(self, client: SoapClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def lock(self, request: LockFee, person: Person, deadline: Deadline) -> FeeLock:
        """`FeeTaken` when the window was faster; a lock that is over stays over."""
        words = self._client.words
        more = {"amount": words.money(request.amount), "held_until": words.moment(request.until)}
        rows = await self._asked("lock_fee", request, more, person, deadline)
        if len(rows) != 1 or rows[0].text("request_no").lower() != str(request.request_id):
            raise unusable("lock_fee: not the lock of this number")
        until = rows[0].moment("held_until")
        held = rows[0].meaning("lock_state", "lock_state") == "held" and until > self._clock.now()
        return FeeLock(f"{KIND}/{rows[0].needed('lock_no')}", until, held)

    async def unlock(self, request: UnlockFee, person: Person, deadline: Deadline) -> Acknowledged:
        """Whatever locks there are on this fee are lifted."""
        rows = await self._asked("unlock_fee", request, {}, person, deadline)
        done = [f"{KIND}/{row.needed('lock_no')}" for row in rows]
        return Acknowledged(done[0] if done else "", self._clock.now(), done[1:])

    async def _asked(
        self, interface: str, request: LockFee | UnlockFee, more: Fields, person: Person, deadline: Deadline
    ) -> list[Row]:
        if not self._client.has(interface):
            raise HospitalRefused(f"本院接口没有此项业务（{request.OPERATION}）")
        fields: Fields = {
            "request_no": str(request.request_id), "patient_no": person.main, "appointment_no": str(request.appointment_id),
            "charge_kind": self._client.words.charge_kind(request.kind), "prescription_no": request.fee_number, **more,
        }  # fmt: skip
        try:
            answer = await self._client.ask(interface, fields, deadline)
        except PlaceTaken as refused:
            raise FeeTaken(refused.reason) from None
        if answer.meaning not in ("done", "nothing"):
            raise unusable(f"{interface}: {answer.meaning}")
        for row in answer.rows:
            self._client.check_subject(row, person.numbers, KIND, row.text("lock_no"))
        return answer.rows
