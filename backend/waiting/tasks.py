"""When somebody has waited too long."""

from backend.context import Context
from backend.encounter.service import LATE
from backend.waiting import queries, service
from backend.waiting.states import HandoverState
from foundation.actor import SYSTEM
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import unit_of_work


async def offer_choice(work: Work[Context]) -> None:
    """Money or place: the patient is asked."""
    async with unit_of_work(work.context.db) as session:
        await service.offer(session, work.subject)


async def lapse(work: Work[Context]) -> None:
    """Nobody answered a proposal."""
    async with unit_of_work(work.context.db) as session:
        row = await queries.handover(session, work.subject)
        if row.state == HandoverState.PROPOSED:
            await service.withdraw(session, SYSTEM, row)


HANDLERS: dict[str, Handler] = {LATE: offer_choice, service.LAPSE: lapse}
