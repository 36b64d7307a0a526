"""What goes over the chat socket and its routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.chat.model import ChatMessage

ClientId = Annotated[str, Meta(min_length=8, max_length=64)]


class Say(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="say"):
    """A message to send. `client_id` is made once by the sender; sending it again is harmless."""

    client_id: ClientId
    kind: Annotated[str, Meta(pattern="^(text|image|voice)$")] = "text"
    body: Annotated[str, Meta(max_length=2000)] = ""
    attachment_id: UUID | None = None


class Typing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="typing"):
    """The sender is writing."""


FromClient = Say | Typing


class MessageView(msgspec.Struct, frozen=True, tag_field="type", tag="message"):
    """A message as both sides see it; `sender`: patient, doctor, system (a machine)."""

    id: UUID
    sequence: int
    sender: str
    kind: str
    body: str
    attachment_id: UUID | None
    client_id: str
    at: datetime


class MessageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Only messages after this sequence."""

    after: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0


class AttachmentView(msgspec.Struct, frozen=True):
    """A stored file."""

    id: UUID
    media_type: str
    size: int


class TicketRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which socket."""

    purpose: Annotated[str, Meta(pattern="^(chat|signalling)$")]


class TicketView(msgspec.Struct, frozen=True):
    """A single-use ticket of sixty seconds and the address to open with it."""

    ticket: str
    url: str
    seconds: int


def message_view(row: ChatMessage) -> MessageView:
    """From the row."""
    return MessageView(
        row.id, row.sequence, row.sender, row.kind, row.body, row.attachment_id, row.client_id, row.at
    )
