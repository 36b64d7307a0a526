"""One prescription's way into circulation as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class ERxState(StrEnum):
    """医保电子处方."""

    WANTED = "wanted"
    CHECKED = "checked"
    SIGNED = "signed"
    UPLOADED = "uploaded"
    UNDONE = "undone"
    DROPPED = "dropped"


S = ERxState

E_PRESCRIPTION = Machine(
    "e_prescription",
    S.WANTED,
    [
        move(S.WANTED, "check", S.CHECKED, "system"),
        # Withdrawn before the centre knew of it.
        move(S.WANTED, "drop", S.DROPPED, "system"),
        move(S.CHECKED, "sign", S.SIGNED, "system"),
        move(S.CHECKED, "undo", S.UNDONE, "system"),
        move(S.SIGNED, "upload", S.UPLOADED, "system"),
        move(S.SIGNED, "undo", S.UNDONE, "system"),
        move(S.UPLOADED, "undo", S.UNDONE, "system"),
    ],
    labels={
        S.WANTED: "待预核验",
        S.CHECKED: "已预核验",
        S.SIGNED: "医保已签名",
        S.UPLOADED: "已上传",
        S.UNDONE: "已撤销",
        S.DROPPED: "无需上传",
    },
)
OVER = (S.UNDONE, S.DROPPED)
