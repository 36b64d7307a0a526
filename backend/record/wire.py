"""Structs of the record routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.record.model import MedicalRecord, RecordContent
from contracts.events import Diagnosis

Text = Annotated[str, Meta(max_length=500)]


class WriteRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The draft; completeness is asked for when it is signed."""

    chief_complaint: Text = ""
    present_history: Text = ""
    past_history: Text = ""
    examination: Text = ""
    opinion: Text = ""
    advice: Text = ""
    amendment_reason: Text = ""


class RecordView(msgspec.Struct, frozen=True):
    """A record; `signature` is empty while it is a draft."""

    id: UUID
    version: int
    chief_complaint: str
    present_history: str
    past_history: str
    examination: str
    opinion: str
    advice: str
    diagnoses: list[Diagnosis]
    digest: str
    signed_at: datetime | None


def record_view(row: MedicalRecord, content: RecordContent) -> RecordView:
    """From the row and what it says."""
    return RecordView(
        id=row.id, version=row.version, chief_complaint=content.chief_complaint,
        present_history=content.present_history, past_history=content.past_history, examination=content.examination,
        opinion=content.opinion, advice=content.advice, diagnoses=content.diagnoses, digest=row.digest.hex(),
        signed_at=row.signed_at,
    )  # fmt: skip
