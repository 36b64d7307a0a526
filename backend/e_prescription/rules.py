"""Which step comes next, and what the centre is told of a line. Pure."""

from enum import StrEnum

PATENT_CLASS = "18"


class Step(StrEnum):
    """What to do."""

    NOTHING = "nothing"
    CHECK = "check"
    SIGN = "sign"
    UPLOAD = "upload"
    DROP = "drop"
    UNDO = "undo"


_ON = {"wanted": Step.CHECK, "checked": Step.SIGN, "signed": Step.UPLOAD}


def next_step(state: str, *, withdrawn: bool) -> Step:
    """Of a prescription that holds, or does not any more; `state` is the value of one of `states`."""
    if state in ("undone", "dropped"):
        return Step.NOTHING
    if withdrawn:
        return Step.DROP if state == "wanted" else Step.UNDO
    return _ON.get(state, Step.NOTHING)


def item_type(tj_class: str) -> str:
    """11 western, 12 Chinese patent; herbal pieces are not prescribed here."""
    return "12" if tj_class.startswith(PATENT_CLASS) else "11"


def yuan(fen: int) -> str:
    """`1860` as `18.60`."""
    return f"{fen // 100}.{fen % 100:02d}"
