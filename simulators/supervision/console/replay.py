"""A visit as it stood after each of its records: folded from the feed alone, by the time of events or of their arrival."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulators.supervision.console.reading import Item
from simulators.supervision.console.wording import yuan

_BOOKING = {
    "appointment.booked": "已预约",
    "appointment.moved": "已改约",
    "appointment.cancelled": "已取消",
}
_ENCOUNTER = {
    "encounter.started": "问诊中",
    "encounter.completed": "已完成",
    "encounter.discontinued": "已中止，转线下",
    "encounter.declined": "未接诊",
    "consultation.started": "咨询中",
    "consultation.completed": "已完成",
    "consultation.discontinued": "已中止，转线下",
    "consultation.declined": "未接诊",
}
_PRESCRIPTION = {
    "prescription.signed": "待药师审核",
    "prescription.approved": "审核通过",
    "prescription.returned": "退回医师",
    "prescription.cancelled": "已作废",
    "prescription.expired": "已过期",
}
_ELIGIBILITY = {"1": "符合", "2": "由医师判定", "3": "不符合"}


@dataclass(frozen=True)
class Panel:
    name: str
    value: str
    changed: bool


@dataclass(frozen=True)
class Frame:
    """After one record: what was known, and which panels it changed."""

    step: Item
    panels: list[Panel]


@dataclass
class _Known:
    """Grows record by record."""

    identity: str = "未见"
    eligibility: str = "未见"
    booking: str = "未见"
    encounter: str = "未开始"
    record: str = "未写"
    prescriptions: dict[str, str] = field(default_factory=dict)
    paid_fen: int = 0
    refunded_fen: int = 0
    dispensed: str = "未发药"
    views: int = 0
    voice: str = "无"

    def panels(self) -> dict[str, str]:
        money = f"已收{yuan(self.paid_fen)}" if self.paid_fen else "未收"
        if self.refunded_fen:
            money += f"，已退{yuan(self.refunded_fen)}"
        return {
            "实名": self.identity,
            "复诊资格": self.eligibility,
            "预约": self.booking,
            "问诊": self.encounter,
            "病历": self.record,
            "处方": "；".join(self.prescriptions.values()) or "未开",
            "费用": money,
            "药品": self.dispensed,
            "档案浏览": f"{self.views}次",
            "评价与投诉": self.voice,
        }

    def take(self, step: Item) -> None:
        """By the event that the record tells, whichever table it stands in."""
        event, body = step.told.event, step.told.body
        if step.told.method in _AT_THE_END:
            self.heard_at_the_end(event, step)
        elif event in _BOOKING:
            self.booking = _BOOKING[event]
        elif event in _ENCOUNTER:
            self.encounter = _ENCOUNTER[event]
        elif event in _PRESCRIPTION:
            self.prescriptions[_number(step)] = _PRESCRIPTION[event]
        elif taken := _OTHERS.get(event):
            taken(self, body)

    def heard_at_the_end(self, event: str, step: Item) -> None:
        """Tianjin's interface tells a visit once: what is known more closely stays."""
        if event == "appointment.cancelled" or (event in _BOOKING and self.booking == "未见"):
            self.booking = _BOOKING[event]
        elif event in _ENCOUNTER and (self.encounter in ("未开始", "问诊中") or event.endswith("declined")):
            self.encounter = _ENCOUNTER[event]
        elif event in _PRESCRIPTION:
            self.prescriptions.setdefault(_number(step), _PRESCRIPTION[event])

    def verified(self, body: Mapping[str, Any]) -> None:
        self.identity = "已通过" if str(body.get("result")) == "1" else "未通过"

    def decided(self, body: Mapping[str, Any]) -> None:
        self.eligibility = _ELIGIBILITY.get(str(body.get("eligibilityResult")), "已判定")

    def signed(self, _: Mapping[str, Any]) -> None:
        self.record = "已签名" if self.record == "未写" else self.record

    def amended(self, _: Mapping[str, Any]) -> None:
        self.record = "已修订"

    def paid(self, body: Mapping[str, Any]) -> None:
        self.paid_fen += int(body.get("amountFen") or 0)

    def refunded(self, body: Mapping[str, Any]) -> None:
        self.refunded_fen += int(body.get("amountFen") or 0)

    def handed_over(self, _: Mapping[str, Any]) -> None:
        self.dispensed = "已发出"

    def viewed(self, _: Mapping[str, Any]) -> None:
        self.views += 1

    def rated(self, _: Mapping[str, Any]) -> None:
        self.voice = "已评价" if self.voice == "无" else self.voice

    def complained(self, _: Mapping[str, Any]) -> None:
        self.voice = "有投诉"

    def harmed(self, _: Mapping[str, Any]) -> None:
        self.voice = "有不良事件"


def _number(step: Item) -> str:
    return step.told.text("recipeUniqueID") or step.business_no


_AT_THE_END = {
    "uploadAppointRecord", "uploadReferralIndicators", "uploadConsultIndicators", "uploadRecipeIndicators",
}  # fmt: skip
_OTHERS: dict[str, Callable[[_Known, Mapping[str, Any]], None]] = {
    "identity.verified": _Known.verified,
    "eligibility.decided": _Known.decided,
    "record.signed": _Known.signed,
    "record.amended": _Known.amended,
    "payment.confirmed": _Known.paid,
    "refund.succeeded": _Known.refunded,
    "dispense.completed": _Known.handed_over,
    "record.viewed": _Known.viewed,
    "evaluation.submitted": _Known.rated,
    "complaint.filed": _Known.complained,
    "adverse_event.reported": _Known.harmed,
}


def frames(steps: Sequence[Item], *, by_arrival: bool = False) -> list[Frame]:
    """One frame for each record. By arrival, the platform's knowledge grows as it really did."""
    ordered = sorted(steps, key=lambda step: (step.received_at, step.id)) if by_arrival else steps
    known, before, found = _Known(), _Known().panels(), []
    for step in ordered:
        known.take(step)
        now = known.panels()
        found.append(Frame(step, [Panel(name, text, text != before[name]) for name, text in now.items()]))
        before = now
    return found
