"""Reads of conversations."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat import marks, service
from backend.chat.model import ChatMessage
from backend.chat.wire import ConversationView, MessageView, message_view
from backend.encounter.model import Encounter
from backend.encounter.states import RUNNING


async def as_views(session: AsyncSession, rows: Sequence[ChatMessage]) -> list[MessageView]:
    """Messages with the files they carry."""
    files = await service.files_of(session, rows)
    return [message_view(row, files.get(row.attachment_id) if row.attachment_id else None) for row in rows]


async def views(session: AsyncSession, encounter_id: UUID, after: int) -> list[MessageView]:
    """A page of messages after a sequence."""
    return await as_views(session, await service.after(session, encounter_id, after))


async def conversations(session: AsyncSession, practitioner_id: UUID) -> list[ConversationView]:
    """A doctor's running visits, the patient who has waited longest for an answer first."""
    query = select(Encounter.id).where(
        Encounter.practitioner_id == practitioner_id, Encounter.state.in_(RUNNING)
    )
    ids = (await session.scalars(query)).all()
    unread = await marks.unread(session, ids, "doctor")
    since = await _unanswered(session, ids)
    found = [ConversationView(one, unread.get(one, 0), since.get(one)) for one in ids]
    return sorted(found, key=_longest_first)


def _longest_first(view: ConversationView) -> tuple[bool, datetime | None, UUID]:
    return view.unanswered_since is None, view.unanswered_since, view.encounter_id


async def _unanswered(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Since when the patient's last words wait for the doctor's."""
    answered = (
        select(ChatMessage.encounter_id, func.max(ChatMessage.sequence).label("last"))
        .where(ChatMessage.encounter_id.in_(ids), ChatMessage.sender == "doctor")
        .group_by(ChatMessage.encounter_id)
        .subquery()
    )
    query = (
        select(ChatMessage.encounter_id, func.min(ChatMessage.at))
        .outerjoin(answered, answered.c.encounter_id == ChatMessage.encounter_id)
        .where(ChatMessage.encounter_id.in_(ids), ChatMessage.sender == "patient")
        .where(ChatMessage.sequence > func.coalesce(answered.c.last, 0))
        .group_by(ChatMessage.encounter_id)
    )
    return {row[0]: row[1] for row in await session.execute(query)}
