"""Structs of the consultation routes."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta


class AskRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question of a person to the doctor of a slot."""

    person_id: UUID
    slot_id: UUID
    question: Annotated[str, Meta(min_length=5, max_length=500)]
    mode: Annotated[str, Meta(pattern="^(video|text)$")] = "text"


class AskedView(msgspec.Struct, frozen=True):
    """A place that is held, or already booked where nothing is to be paid (`payment_id` is null then)."""

    appointment_id: UUID
    state: str
    payment_id: UUID | None


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the doctor advised, in short; the patient keeps it."""

    answer: Annotated[str, Meta(min_length=5, max_length=400)]


class Finished(msgspec.Struct, frozen=True):
    """The state after finishing."""

    state: str
