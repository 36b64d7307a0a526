"""Handing a waiting patient over to a colleague, as a table: proposed by the duty desk, decided by the patient."""

from enum import StrEnum

from foundation.states import Machine, move


class HandoverState(StrEnum):
    """转给其他医生."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


H = HandoverState

HANDOVER = Machine(
    "handover",
    H.PROPOSED,
    [
        # Somebody without a phone says so to the duty desk, which is named in the audit trail.
        move(H.PROPOSED, "agree", H.AGREED, "patient", "duty_desk"),
        move(H.PROPOSED, "refuse", H.REFUSED, "patient", "duty_desk"),
        # Her own doctor was faster, she gave up, or the desk thought better of it.
        move(H.PROPOSED, "withdraw", H.WITHDRAWN, "duty_desk", "system"),
    ],
    labels={
        H.PROPOSED: "待患者同意",
        H.AGREED: "已转",
        H.REFUSED: "患者不同意",
        H.WITHDRAWN: "已撤回",
    },
    fhir={H.PROPOSED: "requested", H.AGREED: "accepted", H.REFUSED: "rejected", H.WITHDRAWN: "cancelled"},
)
