"""Gives a rejected or parked record back to the machine, with a reason and a name in the audit trail, and what was parked because of
it with it."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from regulator_adapter.days.opening import OPENING, open_supplement
from regulator_adapter.model import Submission
from regulator_adapter.states import SubmissionState
from regulator_adapter.stranded import stranded_by

OPERATOR = frozenset({"operator"})


def operator(name: str) -> Actor:
    """A person at the command line."""
    return Actor("operator", None, OPERATOR, name)


async def resubmit(db: Database, submission_id: UUID, actor: Actor, reason: str) -> bool:
    """Map and send it again from the stored event; False when it is already on its way. `NotFound`, `IllegalMove`."""
    async with unit_of_work(db) as session:
        return await _resubmit(session, submission_id, actor, reason)


async def resubmit_code(db: Database, reply_code: str, actor: Actor, reason: str) -> Sequence[UUID]:
    """All that wait for people under one reply code, after its cause is gone."""
    query = select(Submission.id).where(
        Submission.state.in_((SubmissionState.REJECTED, SubmissionState.PARKED)),
        Submission.reply_code == reply_code,
    )
    async with unit_of_work(db) as session:
        found = (await session.scalars(query)).all()
        return [row_id for row_id in found if await _resubmit(session, row_id, actor, reason)]


async def _resubmit(session: AsyncSession, submission_id: UUID, actor: Actor, reason: str) -> bool:
    await lock_stream(session, OPENING)  # its day may be closing without it in this very moment
    row = await lock(session, Submission, submission_id)
    carried, day = row.carried_at is not None, local(row.occurred_at).date()
    before = {"was": row.state.value, "code": row.reply_code, "reason": reason, "by": actor.name}
    moved = await advance(
        session, row, "resubmit", actor,
        record=None, claimed_until=None, in_flight=False, attempts=0, alone=False, problems="", reply_code="", reply_text="",
        due_at=clock_of(session).now(), carried_at=None, carried_by=None, carried_reason=None,
    )  # fmt: skip
    if moved:
        if carried:  # its day may have closed without it: what it becomes now is stated anew
            await open_supplement(session, day)
        audit(session, actor, "submission.reason", "submission", submission_id, detail=before)
        for waits in await stranded_by(session, row):
            await _resubmit(session, waits, actor, reason)
    return moved
