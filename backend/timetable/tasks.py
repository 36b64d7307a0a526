"""Each day one more day is opened; whoever was faster has done nothing wrong."""

from backend.context import Context
from backend.timetable import opening
from foundation.db.intents import Handler, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.logs import log


async def open_days(work: Work[Context]) -> None:
    """The coming days of every doctor, one transaction each; then again after midnight."""
    db = work.context.db
    async with unit_of_work(db) as session:
        doctors = await opening.doctors_who_sit(session)
    opened = bare = 0
    for doctor in doctors:
        async with unit_of_work(db) as session:
            laid = await opening.open_coming_days(session, doctor)
        opened, bare = opened + laid.opened, bare + laid.uncovered
    if opened or bare:
        log.info("slots_opened", opened=opened, without_pharmacist=bare)
    async with unit_of_work(db) as session:
        await opening.ask_to_open(session, opening.next_opening(db.clock.now()))


HANDLERS: dict[str, Handler] = {opening.OPEN: open_days}
STANDING = (opening.OPEN,)
"""Intents that must always be open: the worker asks for them when it starts."""
