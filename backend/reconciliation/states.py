"""A day's reconciliation, and a difference, as tables."""

from enum import StrEnum

from foundation.states import Machine, move


class DayState(StrEnum):
    """对账日."""

    OPEN = "open"
    MATCHING = "matching"
    DIFFERING = "differing"
    CLOSED = "closed"


class DifferenceState(StrEnum):
    """差异."""

    OPEN = "open"
    SETTLED = "settled"
    VANISHED = "vanished"


D, X = DayState, DifferenceState

RECONCILIATION = Machine(
    "reconciliation",
    D.OPEN,
    [
        move(D.OPEN, "start", D.MATCHING, "system"),
        move(D.DIFFERING, "start", D.MATCHING, "system"),
        move(D.MATCHING, "differ", D.DIFFERING, "system"),
        # A day without differences closes itself; the last difference that a person settles closes the others.
        move(D.MATCHING, "close", D.CLOSED, "system"),
        move(D.DIFFERING, "close", D.CLOSED, "clerk", "admin"),
        move(D.CLOSED, "reopen", D.OPEN, "clerk", "admin"),
    ],
    labels={D.OPEN: "待核对", D.MATCHING: "核对中", D.DIFFERING: "有差异", D.CLOSED: "已结账"},
)

DIFFERENCE = Machine(
    "difference",
    X.OPEN,
    [
        move(X.OPEN, "settle", X.SETTLED, "clerk", "admin"),
        move(X.OPEN, "vanish", X.VANISHED, "system"),
        move(X.VANISHED, "return_to_open", X.OPEN, "system"),
        move(X.SETTLED, "return_to_open", X.OPEN, "system"),
    ],
    labels={X.OPEN: "待处理", X.SETTLED: "已处理", X.VANISHED: "已消失"},
)
