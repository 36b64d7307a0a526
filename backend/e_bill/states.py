"""One e-bill as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class EBillState(StrEnum):
    """电子票据."""

    WANTED = "wanted"
    ISSUED = "issued"
    REVERSED = "reversed"
    DROPPED = "dropped"


S = EBillState

E_BILL = Machine(
    "e_bill",
    S.WANTED,
    [
        move(S.WANTED, "issue", S.ISSUED, "system"),
        # Everything was refunded, or a part, before it was issued: this one is not needed any more.
        move(S.WANTED, "drop", S.DROPPED, "system"),
        move(S.ISSUED, "reverse", S.REVERSED, "system"),
    ],
    labels={
        S.WANTED: "开具中",
        S.ISSUED: "已开具",
        S.REVERSED: "已冲红",
        S.DROPPED: "无需开具",
    },
)

LIVE = (S.WANTED, S.ISSUED)
