"""Inquiry as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class InquiryState(StrEnum):
    """监管询问."""

    OPEN = "open"
    ANSWERED = "answered"


S = InquiryState

INQUIRY = Machine(
    "inquiry",
    S.OPEN,
    [move(S.OPEN, "answer", S.ANSWERED, "quality", "admin")],
    labels={S.OPEN: "待答复", S.ANSWERED: "已答复"},
    fhir={S.OPEN: "requested", S.ANSWERED: "completed"},
)
