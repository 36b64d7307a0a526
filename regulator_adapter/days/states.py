"""The life of a day's statement (日结)."""

from enum import StrEnum

from foundation.states import Machine, move


class DayState(StrEnum):
    """`exchanged` means: both sides have stated the day, and what they said is being compared."""

    OPEN = "open"
    EXCHANGED = "exchanged"
    DIFFERING = "differing"
    CLOSED = "closed"


_S = DayState

STATEMENT = Machine(
    "statement",
    _S.OPEN,
    [
        move(_S.OPEN, "differ", _S.DIFFERING, "system", "operator"),
        move(_S.OPEN, "exchange", _S.EXCHANGED, "system", "operator"),
        move(_S.EXCHANGED, "differ", _S.DIFFERING, "system", "operator"),
        move(_S.EXCHANGED, "close", _S.CLOSED, "system", "operator"),
        move(_S.DIFFERING, "exchange", _S.EXCHANGED, "system", "operator"),
    ],
    labels={
        _S.OPEN: "未对账",
        _S.EXCHANGED: "已交换",
        _S.DIFFERING: "有差异",
        _S.CLOSED: "已结清",
    },
)
