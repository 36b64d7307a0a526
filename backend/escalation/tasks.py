"""Jobs: climb, and look whether something came of what was seen."""

from backend.context import Context
from backend.escalation import service
from backend.escalation.model import Escalation
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import unit_of_work


async def climb(work: Work[Context]) -> None:
    """The next rungs of one doctor."""
    async with unit_of_work(work.context.db) as session:
        await service.climb(session, work.subject)


async def look_again(work: Work[Context]) -> None:
    """It was seen a while ago."""
    async with unit_of_work(work.context.db) as session:
        await service.unseen_again(session, await session.get_one(Escalation, work.subject))


HANDLERS: dict[str, Handler] = {service.CLIMB: climb, service.LOOK_AGAIN: look_again}
