"""The monthly drawing."""

from backend.appraisal import rules, service
from backend.appraisal.service import DRAW
from backend.context import Context
from foundation.actor import SYSTEM
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import clock_of, unit_of_work


async def draw(work: Work[Context]) -> None:
    """Last month, unless it was drawn; then again on the first of the next."""
    async with unit_of_work(work.context.db) as session:
        await service.draw(session, SYSTEM, rules.month_before(clock_of(session).today()))
        await service.ask_again(session)


HANDLERS: dict[str, Handler] = {DRAW: draw}
STANDING = (DRAW,)
"""Always open: the worker asks for it when it starts."""
