"""Taking a question once, answering it once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm import service as alarm
from backend.inquiry.model import Inquiry
from backend.inquiry.states import InquiryState
from foundation.actor import Actor
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, NotFound
from foundation.ids import new_id

ALARM = "supervisor_asked"


async def take(
    session: AsyncSession, actor: Actor, *, question_id: UUID, encounter_id: UUID | None, authority: str, title: str,
    words: str, answer_by: datetime,
) -> Inquiry:  # fmt: skip
    """Keep a question once for its id: the same one again changes nothing, another one under its id is refused."""
    assert actor.id is not None
    fresh = await session.scalar(
        insert(Inquiry)
        .values(
            id=new_id(), hospital_id=hospital_id(), question_id=question_id, asked_by=actor.id, supervisor=actor.name,
            encounter_id=encounter_id, authority=authority, state=InquiryState.OPEN, title=title, words=words,
            answer="", asked_at=clock_of(session).now(), answer_by=answer_by, answered_name="",
        )
        .on_conflict_do_nothing()
        .returning(Inquiry.id)
    )  # fmt: skip
    row = (await session.scalars(select(Inquiry).where(Inquiry.question_id == question_id))).one()
    if fresh is None:
        if (row.asked_by, row.words) != (actor.id, words):
            raise Conflict("这个编号已用于另一个询问", code="question_differs")
        return row
    detail = {"authority": authority, "supervisor": actor.name, "number": str(question_id)}
    audit(session, actor, "inquiry.ask", "inquiry", row.id, detail=detail)
    link = f"/desk/inquiries/{row.id}"
    await alarm.ring(session, ALARM, row.id, f"监管人员{actor.name}询问，请按期答复", link=link)
    return row


async def own(session: AsyncSession, actor: Actor, question_id: UUID) -> Inquiry:
    """The supervisor's own question."""
    query = select(Inquiry).where(Inquiry.question_id == question_id, Inquiry.asked_by == actor.id)
    row = await session.scalar(query)
    if row is None:
        raise NotFound("没有找到该询问")
    return row


async def answer(session: AsyncSession, actor: Actor, row: Inquiry, words: str) -> bool:
    """The hospital's answer; the platform fetches it."""
    moved = await advance(
        session,
        row,
        "answer",
        actor,
        answer=words,
        answered_at=clock_of(session).now(),
        answered_name=actor.name,
    )
    await alarm.over(session, ALARM, row.id)
    return moved
