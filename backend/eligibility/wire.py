"""Structs of the eligibility routes."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta


class KnownDiagnosis(msgspec.Struct, frozen=True):
    """A diagnosis the hospital has, with what the rule says of it today. Shown, not stored."""

    code: str
    name: str
    day: date
    department: str
    outcome: str
    words: str


class AskEligibility(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom and for which diagnosis (ICD-10 code as listed)."""

    person_id: UUID
    diagnosis_code: Annotated[str, Meta(min_length=3, max_length=20)]


class DecisionView(msgspec.Struct, frozen=True):
    """The decision; `outcome`: eligible, doctor_decides, refused."""

    id: UUID
    outcome: str
    reason: str
    words: str
    rule_version: str
    evidence_day: date | None
    last_possible_day: date | None
    decided_at: datetime
