"""What the hospital has booked for the internet hospital: invoices that bear one of our trade numbers."""

from datetime import datetime
from decimal import Decimal

from contracts.his import ChargesReply, HospitalCharge
from front_gateway.deadline import Deadline
from front_gateway.dialects.fhir.bundles import unusable
from front_gateway.dialects.fhir.client import FhirClient, TooManyPages
from front_gateway.dialects.fhir.days import instant, moment_of
from front_gateway.dialects.fhir.resources import Invoice
from front_gateway.dialects.fhir.systems import Systems

_VOID = frozenset({"draft", "cancelled", "entered-in-error"})


class ChargeReader:
    """Reads the invoices of a span of time, whoever they are about: who it was is not let out."""

    def __init__(self, client: FhirClient, systems: Systems) -> None:
        self._client = client
        self._systems = systems

    async def between(self, since: datetime, until: datetime, deadline: Deadline) -> ChargesReply:
        """Charges and refunds dated in [since, until), oldest first; not complete when there are too many."""
        query = [("date", f"ge{instant(since)}"), ("date", f"lt{instant(until)}")]
        try:
            found = await self._client.search(Invoice, query, deadline, about=None)
        except TooManyPages:
            return ChargesReply([], complete=False)
        made = [self._charge(one) for one in found if one.status not in _VOID]
        wanted = [one for one in made if one is not None and since <= one.at < until]
        return ChargesReply(sorted(wanted, key=lambda one: (one.at, one.reference)))

    def _charge(self, found: Invoice) -> HospitalCharge | None:
        """None for an invoice of the hospital's own; `Unusable` for one of ours without time or amount."""
        number = next((one.value for one in found.identifier if one.system == self._systems.trade), "")
        if not number:
            return None
        at, amount = moment_of(found.date), found.total_gross
        if at is None or amount.value is None or amount.currency != "CNY":
            raise unusable("an invoice of ours without time or amount")
        kind = found.type.code_of(self._systems.charge)
        return HospitalCharge(
            reference=f"Invoice/{found.id}", kind=kind.code if kind else "", number=number,
            amount=_fen(amount.value), at=at,
        )  # fmt: skip


def _fen(yuan: Decimal) -> int:
    fen = yuan.scaleb(2)
    if fen != fen.to_integral_value() or fen < 0:
        raise unusable("an amount that is not whole fen")
    return int(fen)
