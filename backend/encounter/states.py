"""Follow-up and consultation as tables: the same verbs, other events."""

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

_LABELS: dict[StrEnum, str] = {
    E.PLANNED: "等待接诊",
    E.IN_PROGRESS: "问诊中",
    E.ON_HOLD: "暂停",
    E.COMPLETED: "已完成",
    E.CANCELLED: "已取消",
    E.DISCONTINUED: "已转线下",
}
_FHIR: dict[StrEnum, str] = {
    E.PLANNED: "planned",
    E.IN_PROGRESS: "in-progress",
    E.ON_HOLD: "onleave",
    E.COMPLETED: "finished",
    E.CANCELLED: "cancelled",
    E.DISCONTINUED: "finished",
}


def _machine(name: str, labels: dict[StrEnum, str]) -> Machine:
    return Machine(
        name,
        E.PLANNED,
        [
            move(E.PLANNED, "accept", E.IN_PROGRESS, "doctor", event=f"{name}.started"),
            # `system` declines when nobody accepted in time (refuseType 2).
            move(E.PLANNED, "decline", E.CANCELLED, "doctor", "system", event=f"{name}.declined"),
            move(E.PLANNED, "cancel", E.CANCELLED, "patient", "system", "clerk"),
            move(E.IN_PROGRESS, "hold", E.ON_HOLD, "doctor"),
            move(E.ON_HOLD, "resume", E.IN_PROGRESS, "doctor"),
            move(E.IN_PROGRESS, "finish", E.COMPLETED, "doctor", event=f"{name}.completed"),
            move(E.IN_PROGRESS, "refer_offline", E.DISCONTINUED, "doctor", event=f"{name}.discontinued"),
            move(E.ON_HOLD, "refer_offline", E.DISCONTINUED, "doctor", event=f"{name}.discontinued"),
        ],
        labels=labels,
        fhir=_FHIR,
    )


ENCOUNTER = _machine("encounter", _LABELS)
CONSULTATION = _machine("consultation", {**_LABELS, E.IN_PROGRESS: "咨询中", E.DISCONTINUED: "已建议就诊"})

RUNNING = (E.IN_PROGRESS, E.ON_HOLD)
"""States in which doctor and patient can talk."""
