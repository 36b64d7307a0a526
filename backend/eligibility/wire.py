"""Structs of the eligibility routes."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta


class KnownDiagnosis(msgspec.Struct, frozen=True):
    """A diagnosis the hospital has, with what the rule says of it today. Shown, not stored.

    `code` is empty for words that could not be read as one: she chooses the disease, a doctor decides.
    """

    code: str
    name: str
    day: date
    department: str
    outcome: str
    words: str
    last_possible_day: date | None = None
    papers_may_help: bool = False


class AskEligibility(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom and for which diagnosis (ICD-10 code as listed)."""

    person_id: UUID
    diagnosis_code: Annotated[str, Meta(min_length=3, max_length=20)]


class DecisionView(msgspec.Struct, frozen=True):
    """The decision; `outcome`: eligible, doctor_decides, refused. `papers_may_help`: uploaded papers would make it the doctor's matter."""

    id: UUID
    outcome: str
    reason: str
    words: str
    rule_version: str
    evidence_day: date | None
    last_possible_day: date | None
    decided_at: datetime
    level: str = ""
    papers_may_help: bool = False
    only_department: str = ""


class DiseaseQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Part of a name or a code."""

    q: Annotated[str, Meta(max_length=40)] = ""


class Disease(msgspec.Struct, frozen=True):
    """A disease by its code and name."""

    code: str
    name: str


class ExplanationView(msgspec.Struct, frozen=True):
    """A decision made again from what was kept: `same` says whether it comes out as it did."""

    id: UUID
    outcome: str
    reason: str
    rule_version: str
    rule_sha256: str
    booking_day: date
    decided_at: datetime
    same: bool
    steps: list[str]
    remarks: list[str]
