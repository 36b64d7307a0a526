"""Rating a visit."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.encounter import queries as encounters
from backend.encounter.model import Encounter
from backend.encounter.states import EncounterState
from backend.evaluation.model import Evaluation
from contracts import events
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.locks import lock_stream
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict
from foundation.ids import new_id

NO_WORDS = "无"


async def evaluate(
    session: AsyncSession, actor: Actor, visit: Encounter, *, satisfaction: int, score: int, words: str
) -> Evaluation:
    """Rate a finished visit; a second rating is refused, the first one stays."""
    await lock_stream(session, visit.stream)
    if visit.state not in (EncounterState.COMPLETED, EncounterState.DISCONTINUED):
        raise Conflict("问诊结束后才能评价", code="encounter_not_finished")
    if await session.scalar(select(Evaluation.id).where(Evaluation.encounter_id == visit.id)) is not None:
        raise Conflict("您已经评价过本次问诊", code="already_evaluated")
    now = clock_of(session).now()
    row = Evaluation(
        id=new_id(), encounter_id=visit.id, person_id=visit.person_id, satisfaction=satisfaction, score=score,
        words=words, at=now,
    )  # fmt: skip
    session.add(row)
    event = events.EvaluationSubmitted(
        evaluation_id=row.id, visit=await encounters.snapshot(session, visit), satisfaction=satisfaction, score=score,
        text=words.strip() or NO_WORDS, submitted_at=now,
    )  # fmt: skip
    await publish(session, visit.stream, event)
    audit(session, actor, "evaluation.submit", "encounter", visit.id)
    return row


async def of_visit(session: AsyncSession, visit: Encounter) -> Evaluation | None:
    """The rating of a visit."""
    return await session.scalar(select(Evaluation).where(Evaluation.encounter_id == visit.id))
