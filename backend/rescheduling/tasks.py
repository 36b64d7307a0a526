"""Jobs of stops and moves: each patient's turn, and the end of the time to answer."""

from backend.context import Context
from backend.rescheduling import carrying
from backend.rescheduling.service import CARRY_OUT
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import unit_of_work


async def carry_out(work: Work[Context]) -> None:
    """One patient, one transaction."""
    async with unit_of_work(work.context.db) as session:
        await carrying.carry_out(session, work.subject)


async def lapse(work: Work[Context]) -> None:
    """Nobody answered in time."""
    async with unit_of_work(work.context.db) as session:
        await carrying.lapse(session, work.subject)


HANDLERS: dict[str, Handler] = {CARRY_OUT: carry_out, carrying.LAPSE: lapse}
