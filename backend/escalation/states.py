"""Escalation as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class EscalationState(StrEnum):
    """升级提醒."""

    OPEN = "open"
    SEEN = "seen"
    CLOSED = "closed"


E = EscalationState

ESCALATION = Machine(
    "escalation",
    E.OPEN,
    [
        move(E.OPEN, "see", E.SEEN, "doctor", "pharmacist", "duty_desk"),
        # Seen, and then nothing happened: it is as loud again as before.
        move(E.SEEN, "reopen", E.OPEN, "system"),
        move(E.OPEN, "close", E.CLOSED, "system", "doctor", "pharmacist", "patient", "duty_desk", "clerk"),
        move(E.SEEN, "close", E.CLOSED, "system", "doctor", "pharmacist", "patient", "duty_desk", "clerk"),
    ],
    labels={E.OPEN: "无人查看", E.SEEN: "已查看", E.CLOSED: "已结束"},
)
