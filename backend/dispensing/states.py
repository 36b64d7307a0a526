"""Dispense as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class DispenseState(StrEnum):
    """调剂配送."""

    PREPARATION = "preparation"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    STOPPED = "stopped"


D = DispenseState

DISPENSE = Machine(
    "dispense",
    D.PREPARATION,
    [
        # Packed; it may be packed again until it leaves.
        move(D.PREPARATION, "prepare", D.PREPARATION, "pharmacist"),
        move(D.PREPARATION, "hand_over", D.IN_PROGRESS, "pharmacist"),
        move(D.PREPARATION, "decline", D.DECLINED, "pharmacist"),
        move(D.PREPARATION, "cancel", D.CANCELLED, "system", "clerk"),
        move(D.IN_PROGRESS, "complete", D.COMPLETED, "system", "pharmacist", event="dispense.completed"),
        move(D.IN_PROGRESS, "stop", D.STOPPED, "system", "clerk"),
    ],
    labels={
        D.PREPARATION: "配药中",
        D.IN_PROGRESS: "配送中",
        D.COMPLETED: "已完成",
        D.DECLINED: "无法配药",
        D.CANCELLED: "已取消",
        D.STOPPED: "配送中止",
    },
    fhir={
        D.PREPARATION: "preparation",
        D.IN_PROGRESS: "in-progress",
        D.COMPLETED: "completed",
        D.DECLINED: "declined",
        D.CANCELLED: "cancelled",
        D.STOPPED: "stopped",
    },
)
