"""Cloud → hospital: a typed operation in, a dialect asked, the reply cut to the fields of the line."""

import asyncio

import msgspec

from contracts import his
from foundation.web.parsing import decode
from front_gateway.call import Answer
from front_gateway.deadline import Deadline
from front_gateway.dialects import Dialect
from front_gateway.note import Note
from front_gateway.policy.lines import Entry
from front_gateway.refusals import Target, TooSlow

_HEADERS = (("content-type", "application/json"), ("cache-control", "no-store"))
_encoder = msgspec.json.Encoder()


class Inward:
    """Asks the hospital through its dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @staticmethod
    def decode(operation: str, body: bytes) -> his.HisRequest:
        """The request struct; `BadRequest` or `Invalid` naming every wrong field."""
        return decode(body, his.BY_OPERATION[operation])

    async def answer(self, entry: Entry, request: his.HisRequest, note: Note) -> Answer:
        """The hospital's reply within the line's time, cut."""
        assert entry.cut is not None
        deadline = Deadline(entry.text.seconds)
        try:
            async with asyncio.timeout(
                entry.text.seconds + 0.5
            ):  # requests keep the deadline; this is the net below
                reply = await self._dialect.answer(request, deadline, note)
        except TimeoutError:
            raise TooSlow(Target.HIS) from None
        return Answer(200, _HEADERS, _encoder.encode(entry.cut(reply)))
