"""Filing, answering, escalating, closing."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.complaint.model import Complaint
from backend.encounter import queries as encounters
from backend.patient import queries as patients
from contracts import events
from foundation.actor import Actor
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.intents import intend
from foundation.db.outbox import publish
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound
from foundation.ids import new_id

ESCALATE = "complaint.escalate"
ANSWER_WITHIN = timedelta(days=7)
"""Five working days, until holidays are data here."""


async def file(
    session: AsyncSession, actor: Actor, *, person_id: UUID, encounter_id: UUID | None, words: str
) -> Complaint:
    """A new complaint; the supervisor hears of it at once, and it escalates by itself when nobody answers."""
    assert actor.id is not None
    await patients.grant_on(session, actor, person_id)
    visit = None
    if encounter_id is not None:
        found = await encounters.visible(session, actor, encounter_id)
        if found.person_id != person_id:
            raise NotFound("没有找到该次问诊")
        visit = await encounters.snapshot(session, found)
    now = clock_of(session).now()
    row = Complaint(
        id=new_id(), account_id=actor.id, person_id=person_id, encounter_id=encounter_id, words=words, filed_at=now,
        answer_by=now + ANSWER_WITHIN,
    )  # fmt: skip
    session.add(row)
    person = patients.snapshot(await patients.person(session, person_id))
    event = events.ComplaintFiled(
        complaint_id=row.id, person=person, visit=visit, text=words, filed_at=now, answer_by=row.answer_by,
    )  # fmt: skip
    await publish(session, row.stream, event)
    audit(session, actor, "complaint.file", "complaint", row.id)
    await intend(session, ESCALATE, row.id, due=row.answer_by)
    return row


async def answer(session: AsyncSession, actor: Actor, row: Complaint, words: str) -> bool:
    """Answer it."""
    return await advance(session, row, "answer", actor, answer=words, answered_at=clock_of(session).now())


async def escalate(session: AsyncSession, actor: Actor, row: Complaint) -> bool:
    """To the quality department."""
    return await advance(session, row, "escalate", actor)


async def close(session: AsyncSession, actor: Actor, row: Complaint) -> bool:
    """Settled."""
    return await advance(session, row, "close", actor)
