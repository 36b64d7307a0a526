"""Structs of the paper routes."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from backend.eligibility.rulefile import PAPER_KINDS
from backend.papers.model import PatientPaper


class PaperQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is uploaded: a kind of paper, and the day it bears."""

    kind: Annotated[str, Meta(max_length=20)]
    dated: date


class SizeQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`small` for the picture in a list."""

    size: Literal["", "small"] = ""


class PaperView(msgspec.Struct, frozen=True):
    """An uploaded paper, without its picture."""

    id: UUID
    kind: str
    kind_label: str
    dated: date
    size: int
    at: datetime


class AskWithPapers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom, for which disease, on which papers."""

    person_id: UUID
    diagnosis_code: Annotated[str, Meta(min_length=3, max_length=20)]
    paper_ids: Annotated[list[UUID], Meta(min_length=1, max_length=20)]


class BasisView(msgspec.Struct, frozen=True):
    """What a doctor has before she accepts: how the decision came about, in words without the hospital's, and the papers."""

    decision_id: UUID
    outcome: str
    reason: str
    level: str
    rule_version: str
    evidence_day: date | None
    evidence_code: str
    steps: list[str]
    papers: list[PaperView]


def paper_view(row: PatientPaper) -> PaperView:
    """From the row."""
    return PaperView(row.id, row.kind, PAPER_KINDS.get(row.kind, "材料"), row.dated, row.size, row.at)
