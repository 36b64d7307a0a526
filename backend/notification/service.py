"""Asking that somebody be told."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.notification.model import Message
from backend.notification.rules import Template, fits
from foundation.db.intents import intend
from foundation.db.unit_of_work import clock_of
from foundation.ids import new_id

DELIVER = "notification.deliver"


async def tell(
    session: AsyncSession,
    recipient_id: UUID,
    template: Template,
    data: dict[str, str],
    *,
    link: str,
    subject_id: UUID,
) -> None:
    """Write the message and the intent to deliver it; nothing leaves here."""
    kind = "staff" if template.audience == "staff" else "account"
    message = Message(
        id=new_id(), recipient_kind=kind, recipient_id=recipient_id, template=template.id, data=fits(template, data),
        link=link, subject_id=subject_id, made_at=clock_of(session).now(),
    )  # fmt: skip
    session.add(message)
    await intend(session, DELIVER, message.id)
