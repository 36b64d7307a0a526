"""Every day has its report: who never came to read it may come later."""

from backend.context import Context
from backend.fairness_report import service
from backend.fairness_report.service import KEEP
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import unit_of_work


async def keep(work: Work[Context]) -> None:
    """Finish what is over, one transaction a day, days that a worker slept through too; then again after midnight."""
    db = work.context.db
    async with unit_of_work(db) as session:
        days = await service.unfinished(session)
    for day in days:
        async with unit_of_work(db) as session:
            await service.finish(session, day)
    async with unit_of_work(db) as session:
        await service.ask_again(session)


HANDLERS: dict[str, Handler] = {KEEP: keep}
STANDING = (KEEP,)
"""Always open: the worker asks for it when it starts."""
