"""Drawing a month, commenting on what was drawn."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appraisal import queries, rules
from backend.appraisal.model import Appraisal, AppraisalRound
from backend.policy import policy
from backend.prescription import queries as prescriptions
from foundation.actor import Actor
from foundation.clock import local_day_start
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.guards import guarded
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Forbidden, Invalid, Issue
from foundation.ids import new_id

DRAW = "appraisal.draw"
DESK = "desk:appraisals"
AT = time(3, 0)
"""Of the first of a month, Shanghai time."""


async def draw(session: AsyncSession, actor: Actor, month: date) -> AppraisalRound:
    """Draw a month that is over, once: asked again, the same round. The lot is thrown here and kept."""
    today = clock_of(session).today()
    if month.day != 1 or rules.month_after(month) > today:
        raise Invalid(issues=[Issue("month", "not_over", "只能抽取已经结束的月份")])
    if guarded("appraisal_lock"):
        await lock_stream(session, f"appraisal:{month}")
    known = await queries.round_of(session, month)
    if known is not None:
        return known
    population, each = await queries.passed_in(session, month), policy().appraisal_per_prescriber
    made = AppraisalRound(
        id=new_id(), month=month, seed=secrets.token_hex(32), each=each, drawn_at=clock_of(session).now(),
        population=sum(len(ids) for ids in population.values()),
    )  # fmt: skip
    session.add(made)
    await session.flush()
    for prescriber, ids in rules.draw(made.seed, population, each).items():
        for one in ids:
            values = {"id": new_id(), "hospital_id": hospital_id(), "round_id": made.id, "prescription_id": one,
                      "prescriber_id": prescriber, "state": "drawn", "items": []}  # fmt: skip
            await session.execute(insert(Appraisal).values(**values).on_conflict_do_nothing())
    audit(session, actor, "appraisal.draw", "appraisal_round", made.id, detail={"month": f"{month:%Y-%m}"})
    touch(session, DESK)
    return made


async def judge(
    session: AsyncSession, actor: Actor, appraisal_id: UUID, items: Sequence[str], note: str
) -> Appraisal:
    """A pharmacist's opinion; without items it is a rational prescription."""
    row = await lock(session, Appraisal, (await queries.appraisal(session, appraisal_id)).id)
    row.MACHINE.find(row.state, "judge")
    one = await prescriptions.prescription(session, row.prescription_id)
    chosen = sorted(set(items))
    issues = rules.judging_issues(
        judge=actor.id, reviewers=(one.pharmacist_id, one.confirmed_by), items=chosen, note=note
    )
    if any(issue.code == "own_review" for issue in issues):
        raise Forbidden(issues[0].message, code="own_review", issues=issues)
    if issues:
        raise Invalid(issues[0].message, issues=issues)
    await advance(
        session, row, "judge", actor, items=chosen, note=note.strip() or None, judged_by=actor.id,
        judged_at=clock_of(session).now(),
    )  # fmt: skip
    touch(session, DESK)
    return row


async def reopen(session: AsyncSession, actor: Actor, appraisal_id: UUID, reason: str) -> Appraisal:
    """The quality office wants it looked at again; the audit trail keeps what was said before."""
    row = await queries.appraisal(session, appraisal_id)
    if not await advance(session, row, "reopen", actor):
        raise Conflict("该处方尚未点评", code="not_judged")
    audit(session, actor, "appraisal.reopened_for", "appraisal", row.id, detail={"reason": reason[:100]})
    return row


async def ask_again(session: AsyncSession) -> None:
    """On the first of the next month."""
    first = rules.month_after(clock_of(session).today().replace(day=1))
    await intend(session, DRAW, hospital_id(), due=_at(first))


def _at(first: date) -> datetime:
    return local_day_start(first) + timedelta(hours=AT.hour)
