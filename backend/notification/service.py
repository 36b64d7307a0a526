"""Asking that somebody be told."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.notification.model import Message
from backend.notification.rules import CHANNELS, Template, fits
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.intents import intend
from foundation.db.locks import lock
from foundation.db.unit_of_work import clock_of, touch
from foundation.ids import new_id

DELIVER = "notification.deliver"
REPORT = "notification.report"
CALLS = "desk:calls"
"""Stream of the call list."""


async def tell(
    session: AsyncSession,
    recipient_id: UUID,
    template: Template,
    data: dict[str, str],
    *,
    link: str,
    subject_id: UUID,
    channels: Sequence[str] = (),
    count: int = 1,
) -> UUID:
    """Write the message and the intent to deliver it; nothing leaves here. Returns the message's id."""
    kind = "staff" if template.audience == "staff" else "account"
    message = Message(
        id=new_id(), recipient_kind=kind, recipient_id=recipient_id, template=template.id, data=fits(template, data),
        link=link, subject_id=subject_id, made_at=clock_of(session).now(), count=count,
        channels=" ".join(channels or CHANNELS[template.audience]),
    )  # fmt: skip
    session.add(message)
    await intend(session, DELIVER, message.id)
    return message.id


async def called(session: AsyncSession, actor: Actor, message_id: UUID) -> Message:
    """Somebody rang the person up; twice is once."""
    row = await lock(session, Message, message_id)
    if row.called_at is None:
        row.called_at, row.called_by = clock_of(session).now(), actor.id
        audit(session, actor, "notification.called", "notification", row.id)
        touch(session, CALLS)
    return row
