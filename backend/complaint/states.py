"""Complaint as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class ComplaintState(StrEnum):
    """投诉."""

    OPEN = "open"
    ANSWERED = "answered"
    ESCALATED = "escalated"
    CLOSED = "closed"


C = ComplaintState

COMPLAINT = Machine(
    "complaint",
    C.OPEN,
    [
        move(C.OPEN, "answer", C.ANSWERED, "clerk", "quality"),
        move(C.OPEN, "escalate", C.ESCALATED, "patient", "quality", "system"),
        move(C.ANSWERED, "escalate", C.ESCALATED, "patient"),
        move(C.ESCALATED, "answer", C.ANSWERED, "quality"),
        move(C.ANSWERED, "close", C.CLOSED, "patient", "clerk", "quality"),
    ],
    labels={C.OPEN: "处理中", C.ANSWERED: "已答复", C.ESCALATED: "升级处理", C.CLOSED: "已结案"},
    fhir={C.OPEN: "requested", C.ANSWERED: "in-progress", C.ESCALATED: "on-hold", C.CLOSED: "completed"},
)
