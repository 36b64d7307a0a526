"""What goes over the chat socket and its routes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.chat.cards import Card, card_of, in_words
from backend.chat.model import Attachment, ChatMessage
from backend.chat.uploads import PIECE_LIMIT, Progress

ClientId = Annotated[str, Meta(min_length=8, max_length=64)]
Sequence = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Say(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="say"):
    """A message to send. `client_id` is made once by the sender; sending it again is harmless."""

    client_id: ClientId
    kind: Annotated[str, Meta(pattern="^(text|image|voice)$")] = "text"
    body: Annotated[str, Meta(max_length=2000)] = ""
    attachment_id: UUID | None = None


class Typing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="typing"):
    """The sender is writing."""


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="read"):
    """The sender has read up to `sequence`."""

    sequence: Sequence


FromClient = Say | Typing | Read


class AttachmentView(msgspec.Struct, frozen=True):
    """A stored file; `small` says that `?size=small` gives a small picture."""

    id: UUID
    media_type: str
    size: int
    width: int
    height: int
    duration_ms: int
    small: bool


class MessageView(msgspec.Struct, frozen=True, tag_field="type", tag="message"):
    """A message as both sides see it; `sender`: patient, doctor, system. What a program says carries its name in `machine`."""

    id: UUID
    sequence: int
    sender: str
    kind: str
    body: str
    attachment_id: UUID | None
    client_id: str
    at: datetime
    machine: str = ""
    card: Card | None = None
    file: AttachmentView | None = None


class MarkView(msgspec.Struct, frozen=True, tag_field="type", tag="mark"):
    """`side` has read up to `sequence`."""

    side: str
    sequence: int


class TypingView(msgspec.Struct, frozen=True, tag_field="type", tag="typing"):
    """`side` is writing; forget it after some seconds."""

    side: str


class MessageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Only messages after this sequence."""

    after: Sequence = 0


class MarkRead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Read up to here."""

    sequence: Sequence


class Examinations(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to have examined at the hospital."""

    client_id: ClientId
    items: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=60)]], Meta(min_length=1, max_length=10)
    ]
    note: Annotated[str, Meta(max_length=200)] = ""


class BeginUpload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to come in pieces; the same `client_id` again finds the same upload."""

    client_id: ClientId
    media_type: Annotated[str, Meta(max_length=40)]
    size: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class UploadView(msgspec.Struct, frozen=True):
    """`offset` bytes are safe, go on from there in pieces of at most `piece`; `attachment` is there when it is done."""

    id: UUID
    offset: int
    size: int
    piece: int
    expires_at: datetime
    attachment: AttachmentView | None


class FileQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`small` for the small twin of a picture."""

    size: Literal["", "small"] = ""


class TicketRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which socket."""

    purpose: Annotated[str, Meta(pattern="^chat$")] = "chat"


class TicketView(msgspec.Struct, frozen=True):
    """A single-use ticket of sixty seconds and the address to open with it."""

    ticket: str
    url: str
    seconds: int


class ConversationView(msgspec.Struct, frozen=True):
    """A running visit in a doctor's list: what she has not read, and since when the patient waits for an answer."""

    encounter_id: UUID
    unread: int
    unanswered_since: datetime | None


def message_view(row: ChatMessage, file: Attachment | None = None) -> MessageView:
    """From the row and the file it carries."""
    card = card_of(row.kind, row.body)
    return MessageView(
        id=row.id, sequence=row.sequence, sender=row.sender, kind=row.kind, body=in_words(card) if card else row.body,
        attachment_id=row.attachment_id, client_id=row.client_id, at=row.at, machine=row.machine, card=card,
        file=attachment_view(file) if file else None,
    )  # fmt: skip


def attachment_view(row: Attachment) -> AttachmentView:
    """From the row."""
    return AttachmentView(
        row.id, row.media_type, row.size, row.width, row.height, row.duration_ms, bool(row.small_key)
    )


def upload_view(found: Progress) -> UploadView:
    """From the row."""
    upload = found.upload
    return UploadView(
        id=upload.id, offset=upload.received, size=upload.size, piece=PIECE_LIMIT, expires_at=upload.expires_at,
        attachment=attachment_view(found.attachment) if found.attachment else None,
    )  # fmt: skip
