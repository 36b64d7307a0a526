"""Adverse event as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class AdverseEventState(StrEnum):
    """不良事件."""

    REPORTED = "reported"
    SUPPLEMENTED = "supplemented"
    ACCEPTED = "accepted"
    CLOSED = "closed"


S = AdverseEventState
REPORTERS = ("doctor", "pharmacist", "clerk", "quality")
WAITING = (S.REPORTED, S.SUPPLEMENTED)
"""The quality department has not seen the latest report yet."""

ADVERSE_EVENT = Machine(
    "adverse_event",
    S.REPORTED,
    [
        move(S.REPORTED, "accept", S.ACCEPTED, "quality"),
        move(S.SUPPLEMENTED, "accept", S.ACCEPTED, "quality"),
        move(S.ACCEPTED, "close", S.CLOSED, "quality"),
        # Whenever more becomes known, also when all thought it was over: a patient may die weeks later.
        *(move(state, "supplement", S.SUPPLEMENTED, *REPORTERS, event="adverse_event.reported") for state in S),
    ],
    labels={S.REPORTED: "待受理", S.SUPPLEMENTED: "有补充，待受理", S.ACCEPTED: "已受理", S.CLOSED: "已结案"},
    fhir={
        S.REPORTED: "actual", S.SUPPLEMENTED: "actual", S.ACCEPTED: "in-progress", S.CLOSED: "completed",
    },
)  # fmt: skip
