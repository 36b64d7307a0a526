"""Sending and reading messages."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chat import rules
from backend.chat.authors import PLATFORM, Program, Speaker
from backend.chat.cards import KIND, Card, ExaminationCard, packed
from backend.chat.model import Attachment, ChatMessage
from backend.encounter import queries
from backend.encounter.model import Encounter
from foundation.actor import Actor
from foundation.db.guards import guarded
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Forbidden, Invalid, NotFound, invalid
from foundation.ids import new_id

PAGE = 200
"""Messages given out at once."""


def side_of(actor: Actor, row: Encounter) -> str:
    """On which side of the visit the actor is; callers have checked that she is on one."""
    return "doctor" if actor.id == row.practitioner_id else "patient"


def speaker(actor: Actor, row: Encounter) -> Speaker:
    """The actor on her side."""
    return Speaker(actor, side_of(actor, row))


async def say(
    session: AsyncSession, actor: Actor, row: Encounter, *, client_id: str, kind: str, body: str,
    attachment_id: UUID | None = None,
) -> ChatMessage:  # fmt: skip
    """Add a message; the same `client_id` again returns the first one. Only while the visit runs."""
    by = speaker(actor, row)
    known = await _begin(session, row, client_id)
    if known is not None:
        return known
    if kind == "text" and (issues := rules.text_issues(body)):
        raise Invalid(issues=issues)
    if kind in rules.KINDS:
        await _own_file(session, row, by.side, kind, attachment_id)
    message = ChatMessage(kind=kind, body=body, client_id=client_id, attachment_id=attachment_id)
    return await _add(session, row, by, message)


async def hand_card(
    session: AsyncSession, actor: Actor, row: Encounter, card: ExaminationCard, *, client_id: str
) -> ChatMessage:
    """The doctor's own card; the same `client_id` again returns the first one."""
    by = speaker(actor, row)
    if by.side != "doctor":
        raise Forbidden
    known = await _begin(session, row, client_id)
    if known is not None:
        return known
    message = ChatMessage(kind=KIND[type(card)], body=packed(card), client_id=client_id)
    return await _add(session, row, by, message)


async def notice(
    session: AsyncSession, row: Encounter, body: str, *, key: str, by: Program = PLATFORM
) -> None:
    """A program's sentence, labelled as such; once per `key`, in any state of the visit."""
    await _announce(session, row, by, ChatMessage(kind="notice", body=body, client_id=key))


async def post_card(
    session: AsyncSession, row: Encounter, card: Card, *, key: str, by: Program = PLATFORM
) -> None:
    """A program's card; once per `key`, in any state of the visit."""
    await _announce(session, row, by, ChatMessage(kind=KIND[type(card)], body=packed(card), client_id=key))


async def _announce(session: AsyncSession, row: Encounter, by: Program, message: ChatMessage) -> None:
    await _line_up(session, row)
    if await _known(session, row, message.client_id) is None:
        await _add(session, row, by, message)


async def _begin(session: AsyncSession, row: Encounter, client_id: str) -> ChatMessage | None:
    """In line behind everybody who speaks in this visit: the message if it is there already, a refusal if nobody may speak."""
    await _line_up(session, row)
    known = await _known(session, row, client_id)
    if known is None:
        await session.refresh(row, queries.TALKING)
        queries.require_talking(row, clock_of(session).now())
    return known


async def _line_up(session: AsyncSession, row: Encounter) -> None:
    """One speaks at a time until the commit: whoever sees message n has seen all before it."""
    if guarded("chat_line"):
        await lock_stream(session, f"chat:{row.id}")


async def _known(session: AsyncSession, row: Encounter, client_id: str) -> ChatMessage | None:
    query = select(ChatMessage).where(ChatMessage.encounter_id == row.id, ChatMessage.client_id == client_id)
    return await session.scalar(query)


async def _add(
    session: AsyncSession, row: Encounter, by: Speaker | Program, message: ChatMessage
) -> ChatMessage:
    """Give the message its author and its place in the visit."""
    query = select(func.max(ChatMessage.sequence)).where(ChatMessage.encounter_id == row.id)
    last = await session.scalar(query)
    message.id, message.encounter_id, message.sequence = new_id(), row.id, (last or 0) + 1
    message.at = clock_of(session).now()
    match by:
        case Speaker():
            message.sender, message.sender_id, message.machine = by.side, by.actor.id, ""
            if by.side == "doctor" and rules.of_substance(message.kind, message.body):
                row.advice_given = True
        case Program():
            message.sender, message.sender_id, message.machine = "system", None, by.name
    session.add(message)
    await session.flush()
    touch(session, f"chat:{row.id}", row.stream, f"queue:{row.practitioner_id}")
    return message


async def _own_file(
    session: AsyncSession, row: Encounter, side: str, kind: str, attachment_id: UUID | None
) -> None:
    """The sender's own file of this visit, and of the kind the message says."""
    found = await session.get(Attachment, attachment_id) if attachment_id else None
    if found is None or found.encounter_id != row.id or found.sender != side:
        raise NotFound("没有找到该文件", code="attachment_not_found")
    if (kind == "image") != found.media_type.startswith("image/"):
        raise invalid("kind", "wrong_kind", "消息类型与文件不符")


async def after(
    session: AsyncSession, encounter_id: UUID, sequence: int, limit: int = PAGE
) -> Sequence[ChatMessage]:
    """Messages after `sequence`, in order."""
    query = (
        select(ChatMessage)
        .where(ChatMessage.encounter_id == encounter_id, ChatMessage.sequence > sequence)
        .order_by(ChatMessage.sequence)
        .limit(limit)
    )
    return (await session.scalars(query)).all()


async def files_of(session: AsyncSession, messages: Sequence[ChatMessage]) -> dict[UUID, Attachment]:
    """The files that messages carry, by id."""
    ids = [one.attachment_id for one in messages if one.attachment_id is not None]
    if not ids:
        return {}
    found = await session.scalars(select(Attachment).where(Attachment.id.in_(ids)))
    return {one.id: one for one in found}
