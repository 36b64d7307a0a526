"""Deadlines of a complaint."""

from backend.complaint import service
from backend.complaint.model import Complaint
from backend.complaint.states import ComplaintState
from backend.context import Context
from foundation.actor import SYSTEM
from foundation.db.intents import Handler, Work
from foundation.db.locks import lock
from foundation.db.unit_of_work import unit_of_work


async def escalate_unanswered(work: Work[Context]) -> None:
    """Nobody answered in time."""
    async with unit_of_work(work.context.db) as session:
        row = await lock(session, Complaint, work.subject)
        if row.state == ComplaintState.OPEN:
            await service.escalate(session, SYSTEM, row)


HANDLERS: dict[str, Handler] = {service.ESCALATE: escalate_unanswered}
