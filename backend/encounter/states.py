"""Encounter as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class EncounterState(StrEnum):
    """在线复诊."""

    PLANNED = "planned"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    DISCONTINUED = "discontinued"


E = EncounterState

ENCOUNTER = Machine(
    "encounter",
    E.PLANNED,
    [
        move(E.PLANNED, "accept", E.IN_PROGRESS, "doctor", event="encounter.started"),
        # `system` declines when nobody accepted in time (refuseType 2).
        move(E.PLANNED, "decline", E.CANCELLED, "doctor", "system", event="encounter.declined"),
        move(E.PLANNED, "cancel", E.CANCELLED, "patient", "system", "clerk"),
        move(E.IN_PROGRESS, "hold", E.ON_HOLD, "doctor"),
        move(E.ON_HOLD, "resume", E.IN_PROGRESS, "doctor"),
        move(E.IN_PROGRESS, "finish", E.COMPLETED, "doctor", event="encounter.completed"),
        move(E.IN_PROGRESS, "refer_offline", E.DISCONTINUED, "doctor", event="encounter.discontinued"),
        move(E.ON_HOLD, "refer_offline", E.DISCONTINUED, "doctor", event="encounter.discontinued"),
    ],
    labels={
        E.PLANNED: "等待接诊",
        E.IN_PROGRESS: "问诊中",
        E.ON_HOLD: "暂停",
        E.COMPLETED: "已完成",
        E.CANCELLED: "已取消",
        E.DISCONTINUED: "已转线下",
    },
    fhir={
        E.PLANNED: "planned",
        E.IN_PROGRESS: "in-progress",
        E.ON_HOLD: "onleave",
        E.COMPLETED: "finished",
        E.CANCELLED: "cancelled",
        E.DISCONTINUED: "finished",
    },
)

RUNNING = (E.IN_PROGRESS, E.ON_HOLD)
"""States in which doctor and patient can talk."""
