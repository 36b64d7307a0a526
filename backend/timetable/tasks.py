"""Each day one more day is opened; every few minutes the hospital's own slots are read."""

from datetime import datetime, timedelta

from backend.context import Context
from backend.outside.his import HospitalRefused
from backend.policy import policy
from backend.practitioner.model import Practitioner
from backend.timetable import mirroring, opening
from backend.timetable.model import ScheduleSource
from contracts import his
from foundation.db.intents import Handler, Work, intend
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import NotFound, Unavailable
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


async def read_hospital(work: Work[Context]) -> None:
    """Mirror one source; a hospital that does not answer is asked again at the next turn, and the mirror grows stale."""
    context, db = work.context, work.context.db
    async with unit_of_work(db) as session:
        row = await session.get(ScheduleSource, work.subject)
        if row is None or row.source != "his":
            return
        doctor = await session.get(Practitioner, row.practitioner_id) if row.practitioner_id else None
        asked = mirroring.question(row, doctor.code if doctor else "", db.clock.today())
    try:
        reply = await context.hospital.call(asked, his.SlotsReply)
    except (Unavailable, HospitalRefused, NotFound) as error:
        log.warning("schedule_not_read", department=asked.department_code, code=error.code)
        async with unit_of_work(db) as session:
            await mirroring.not_read(session, work.subject, error.detail)
            await intend(session, mirroring.READ, work.subject, due=_next(db.clock.now()))
        return
    async with unit_of_work(db) as session:
        told = context.wiring.standings or mirroring.nothing_told
        done = await mirroring.mirror(session, work.subject, reply.slots, told)
        await intend(session, mirroring.READ, work.subject, due=_next(db.clock.now()))
    if done.opened or done.closed or done.changed or done.problems:
        log.info("schedule_read", department=asked.department_code, opened=done.opened, closed=done.closed,
                 changed=done.changed, problems=len(done.problems))  # fmt: skip


def _next(now: datetime) -> datetime:
    return now + timedelta(minutes=policy().his_sync_minutes)


HANDLERS: dict[str, Handler] = {opening.OPEN: open_days, mirroring.READ: read_hospital}
STANDING = (opening.OPEN,)
"""Intents that must always be open: the worker asks for them when it starts."""
