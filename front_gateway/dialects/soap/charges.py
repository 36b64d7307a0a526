"""What the hospital has booked for the internet hospital, for the daily reconciliation."""

from datetime import datetime, timedelta

from contracts.his import ChargesReply, HospitalCharge
from front_gateway.deadline import Deadline
from front_gateway.dialects.soap.client import SoapClient, TooManyPages
from front_gateway.dialects.soap.rows import Row


class ChargeReader:
    """Reads the charges of a span of time, whoever they are about: who it was is not let out."""

    def __init__(self, client: SoapClient) -> None:
        self._client = client

    async def between(self, since: datetime, until: datetime, deadline: Deadline) -> ChargesReply:
        """Charges and refunds dated in [since, until), oldest first; not complete when there are too many."""
        words = self._client.words
        # a second more: whether a hospital counts its end in is not agreed, the exact rule is below
        fields = {"since": words.moment(since), "until": words.moment(until + timedelta(seconds=1))}
        try:
            rows = await self._client.rows("charges", fields, deadline)
        except TooManyPages:
            return ChargesReply([], complete=False)
        wanted = [one for one in map(_charge, rows) if since <= one.at < until]
        return ChargesReply(sorted(wanted, key=lambda one: (one.at, one.reference)))


def _charge(row: Row) -> HospitalCharge:
    return HospitalCharge(
        reference=f"Invoice/{row.needed('charge_no')}", kind=row.meaning("charge_kind", "charge_kind"),
        number=row.needed("trade_no"), amount=row.fen("amount"), at=row.moment("at"),
    )  # fmt: skip
