"""What becomes of one patient's appointment when its slot is stopped or moved, as a table."""

from enum import StrEnum

from foundation.states import Machine, move


class RelocationState(StrEnum):
    """停诊改约."""

    PLANNED = "planned"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


R = RelocationState

RELOCATION = Machine(
    "relocation",
    R.PLANNED,
    [
        move(R.PLANNED, "cancel", R.CANCELLED, "system"),
        move(R.PLANNED, "offer", R.OFFERED, "system"),
        # She had given the place back, or the doctor had taken the visit, before it was her turn.
        move(R.PLANNED, "skip", R.SKIPPED, "system"),
        # At the counter and on the telephone staff answer for her, and are named in the audit trail.
        move(R.OFFERED, "accept", R.ACCEPTED, "patient", "clerk", "schedule_manager", "system"),
        move(R.OFFERED, "refuse", R.REFUSED, "patient", "clerk", "schedule_manager"),
        move(R.OFFERED, "lapse", R.LAPSED, "system"),
        # The new time is stopped or moved as well, or she cancelled the visit as a whole.
        move(R.OFFERED, "skip", R.SKIPPED, "system"),
    ],
    labels={
        R.PLANNED: "处理中",
        R.OFFERED: "待患者确认",
        R.ACCEPTED: "已接受改约",
        R.REFUSED: "选择退款",
        R.LAPSED: "未回复，已退款",
        R.CANCELLED: "已取消，费用退回",
        R.SKIPPED: "无需处理",
    },
    fhir={
        R.PLANNED: "proposed",
        R.OFFERED: "proposed",
        R.ACCEPTED: "booked",
        R.REFUSED: "cancelled",
        R.LAPSED: "cancelled",
        R.CANCELLED: "cancelled",
        R.SKIPPED: "cancelled",
    },
)

OPEN = (R.PLANNED, R.OFFERED)
"""States in which something is still to come."""
