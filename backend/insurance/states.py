"""One attempt to pay a bill by insurance, as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class InsuranceState(StrEnum):
    """医保支付."""

    AUTHORISED = "authorised"
    QUOTED = "quoted"
    PLACED = "placed"
    PAID = "paid"
    RETURNING = "returning"
    FAILED = "failed"
    ABANDONED = "abandoned"


S = InsuranceState

INSURANCE_ORDER = Machine(
    "insurance_order",
    S.AUTHORISED,
    [
        move(S.AUTHORISED, "quote", S.QUOTED, "system"),
        move(S.AUTHORISED, "fail", S.FAILED, "system"),
        move(S.AUTHORISED, "abandon", S.ABANDONED, "system", "patient"),
        move(S.QUOTED, "place", S.PLACED, "system", "patient"),
        # The answer to placing was lost, and the query says what became of it.
        move(S.QUOTED, "pay", S.PAID, "system"),
        move(S.QUOTED, "fail", S.FAILED, "system"),
        move(S.QUOTED, "abandon", S.ABANDONED, "system", "patient"),
        move(S.QUOTED, "return_cash", S.RETURNING, "system"),
        move(S.PLACED, "pay", S.PAID, "system"),
        move(S.PLACED, "fail", S.FAILED, "system"),
        move(S.PLACED, "abandon", S.ABANDONED, "system", "patient"),
        # Her cash was taken and the insurance did not pay: the cash goes back, then it has failed.
        move(S.PLACED, "return_cash", S.RETURNING, "system"),
        move(S.RETURNING, "fail", S.FAILED, "system"),
        # The order was over, and her cash was faster than its closing.
        move(S.FAILED, "return_cash", S.RETURNING, "system"),
        move(S.ABANDONED, "return_cash", S.RETURNING, "system"),
    ],
    labels={
        S.AUTHORISED: "已授权，待医保结算",
        S.QUOTED: "待确认",
        S.PLACED: "医保支付中",
        S.PAID: "医保已支付",
        S.RETURNING: "自费部分退回中",
        S.FAILED: "医保未支付",
        S.ABANDONED: "已改为自费",
    },
)

OPEN = (S.AUTHORISED, S.QUOTED, S.PLACED)
"""An attempt that may still end in a payment."""
ENDED_BADLY = (S.RETURNING, S.FAILED)
"""After these she is asked what she wants; nothing is assumed."""
