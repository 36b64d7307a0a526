"""Structs of the routes about copies."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.kept_copy.model import KeptCopy
from backend.kept_copy.rules import LONGEST, SHORTEST
from backend.kept_copy.states import KeptState


class RetryCopy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it should go well now."""

    reason: Annotated[str, Meta(min_length=SHORTEST, max_length=LONGEST)]


class KeptCount(msgspec.Struct, frozen=True):
    """How many copies are in a state, and their bytes."""

    state: KeptState
    copies: int
    bytes: int


class KeptView(msgspec.Struct, frozen=True):
    """One copy; no content and no key of anything."""

    id: UUID
    kind: str
    state: KeptState
    encounter_id: UUID
    size: int
    sha256: str
    refused_code: str
    asked_at: datetime
    copied_at: datetime | None
    verified_at: datetime | None
    dropped_at: datetime | None


class KeptOverview(msgspec.Struct, frozen=True):
    """`keep_days` 0: nothing is dropped; `configured`: the hospital has given its key."""

    configured: bool
    keep_days: int
    counts: list[KeptCount]
    refused: list[KeptView]
    waiting: list[KeptView]


def kept_view(row: KeptCopy) -> KeptView:
    """From the row."""
    return KeptView(
        row.id, row.kind, row.state, row.encounter_id, row.size, row.sha256, row.refused_code, row.asked_at, row.copied_at,
        row.verified_at, row.dropped_at,
    )  # fmt: skip
