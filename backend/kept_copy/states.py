"""A copy at the hospital, as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class KeptState(StrEnum):
    """医院留存."""

    REQUESTED = "requested"
    COPIED = "copied"
    VERIFIED = "verified"
    DROPPED = "dropped"
    REFUSED = "refused"


K = KeptState

KEPT_COPY = Machine(
    "kept_copy",
    K.REQUESTED,
    [
        move(K.REQUESTED, "copy", K.COPIED, "system"),
        # Read back whole and found equal: without this nothing is ever dropped.
        move(K.COPIED, "verify", K.VERIFIED, "system"),
        move(K.VERIFIED, "drop", K.DROPPED, "system"),
        move(K.REQUESTED, "refuse", K.REFUSED, "system"),
        move(K.COPIED, "refuse", K.REFUSED, "system"),
        move(K.REFUSED, "retry", K.REQUESTED, "clerk", "admin"),
    ],
    labels={
        K.REQUESTED: "待留存", K.COPIED: "已送达，待核对", K.VERIFIED: "已留存", K.DROPPED: "云端已清除", K.REFUSED: "未能留存",
    },
)  # fmt: skip
READABLE = (K.COPIED, K.VERIFIED, K.DROPPED)
"""The hospital has it."""
