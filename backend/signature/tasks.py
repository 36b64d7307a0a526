"""A time stamp that the service did not give at once."""

import base64

from backend.context import Context
from backend.signature.model import Signature
from backend.signature.service import STAMP
from foundation.db.intents import Handler, Work
from foundation.db.locks import lock
from foundation.db.unit_of_work import unit_of_work


async def stamp(work: Work[Context]) -> None:
    """Ask again; `Unavailable` brings it back later."""
    async with unit_of_work(work.context.db) as session:
        row = await session.get_one(Signature, work.subject)
    if row.time_stamp or row.voided_at is not None:
        return
    token = await work.context.ca.time_stamp(base64.b64decode(row.value))
    async with unit_of_work(work.context.db) as session:
        row = await lock(session, Signature, work.subject)
        row.time_stamp = row.time_stamp or token


HANDLERS: dict[str, Handler] = {STAMP: stamp}
