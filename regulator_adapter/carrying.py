"""A named person lets a day close without a record that cannot go: it stays rejected or parked, and visible."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.locks import lock
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import Conflict
from regulator_adapter.model import Submission
from regulator_adapter.states import SubmissionState


async def carry_over(db: Database, submission_id: UUID, actor: Actor, reason: str) -> bool:
    """False when it was carried over before. `NotFound`; `Conflict` for a record that is on its way or accepted."""
    async with unit_of_work(db) as session:
        return await _carry_over(session, submission_id, actor, reason)


async def _carry_over(session: AsyncSession, submission_id: UUID, actor: Actor, reason: str) -> bool:
    row = await lock(session, Submission, submission_id)
    if row.state not in (SubmissionState.REJECTED, SubmissionState.PARKED):
        raise Conflict(
            f"当前是“{row.MACHINE.labels[row.state]}”，不能结转", code="submission_carry_over_refused"
        )
    if row.carried_at is not None:
        return False
    row.carried_at, row.carried_by, row.carried_reason = clock_of(session).now(), actor.name, reason
    detail = {"was": row.state.value, "code": row.reply_code, "reason": reason, "by": actor.name}
    audit(session, actor, "submission.carry_over", "submission", submission_id, detail=detail)
    return True
