"""Where a visit stands, in the patient's words: which step of the bar, what to call it, what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from miniapp_mock.front.backend_client import Api
from miniapp_mock.front.words import moment

Row = Mapping[str, Any]
RUNNING = ("in-progress", "on-hold")
CANCEL_WORDS = {
    "patient_cancelled": "您在就诊开始前取消了预约",
    "declined": "医生认为本次不适合线上复诊",
    "nobody_accepted": "医生未在规定时间内接诊",
    "doctor_cancelled": "医生停诊",
    "not_a_follow_up": "医生判断不符合复诊条件",
    "paid_after_expiry": "没有在规定时间内支付，号源已释放",
}


@dataclass(frozen=True)
class Stage:
    """`name` is what the template switches on; `done` counts finished steps of the bar, -1 for none; `tone` colours the label."""

    name: str
    label: str
    tone: str
    done: int
    action: str = "查看详情"


BEFORE = {
    "pending": Stage("unpaid", "待支付", "warn", 1, "去支付"),
    "booked": Stage("booked", "已预约", "info", 2, "去候诊"),
    "checked-in": Stage("waiting", "候诊中", "good", 2, "查看候诊"),
    "noshow": Stage("missed", "未按时候诊", "bad", -1),
    "cancelled": Stage("cancelled", "已取消", "", -1),
}
ACCEPTED = {
    "in-progress": Stage("talking", "问诊中", "good", 3, "进入问诊"),
    "on-hold": Stage("talking", "医生暂时离开", "good", 3, "进入问诊"),
    "discontinued": Stage("referred", "已转线下就诊", "warn", -1),
    "completed": Stage("ended", "问诊已结束", "", 4),
}


def stage_of(appointment: Row, encounter: Row | None = None) -> Stage:
    """The stage of one visit; `encounter` may be left out where it is not known."""
    if stage := BEFORE.get(appointment["state"]):
        return stage
    known = ACCEPTED.get(encounter["state"]) if encounter else None
    return known or Stage("ended", "已接诊", "", 4)


def can_check_in(room: Row | None, now: datetime) -> bool:
    """Whether the waiting room is open already, and still."""
    return room is not None and moment(room["check_in_from"]) <= now < moment(room["check_in_until"])


def opens_at(room: Row | None) -> datetime | None:
    """When it opens."""
    return moment(room["check_in_from"]) if room is not None else None


def cancel_words(appointment: Row) -> str:
    """Why it was cancelled."""
    return CANCEL_WORDS.get(appointment["cancel_reason"], "预约已取消")


def is_open(appointment: Row) -> bool:
    """Whether something is still to be done."""
    return appointment["state"] in ("pending", "booked", "checked-in")


async def with_stage(api: Api, row: Row) -> tuple[Row, Stage]:
    """An appointment with its stage; a visit that was accepted is asked how it stands."""
    accepted = row["state"] == "fulfilled" and row["encounter_id"]
    encounter = await api.get(f"/encounters/{row['encounter_id']}") if accepted else None
    return row, stage_of(row, encounter)
