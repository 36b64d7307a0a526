"""What adds up to what, and what goes back when. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from foundation.errors import Issue

TENDERS = ("wechat_cash", "ins_gov", "ins_self", "ins_other")


class RefundReason(StrEnum):
    """Why money goes back (practice.md 17)."""

    PATIENT_CANCELLED = "patient_cancelled"
    DECLINED = "declined"
    NOBODY_ACCEPTED = "nobody_accepted"
    DOCTOR_CANCELLED = "doctor_cancelled"
    REFERRED_BEFORE_ADVICE = "referred_before_advice"
    REFERRED_AFTER_ADVICE = "referred_after_advice"
    NOT_A_FOLLOW_UP = "not_a_follow_up"
    PAID_AFTER_EXPIRY = "paid_after_expiry"
    OUT_OF_STOCK = "out_of_stock"
    PRESCRIPTION_EXPIRED = "prescription_expired"
    PRESCRIPTION_CANCELLED = "prescription_cancelled"
    UNDELIVERED = "undelivered"
    NO_SHOW = "no_show"


@dataclass(frozen=True)
class RefundRule:
    """`percent` of the amount goes back; `approver` empty when no person has to agree; `words` is what the patient reads."""

    reason: RefundReason
    percent: int
    approver: str
    words: str


_R = RefundReason
REFUND_RULES: Mapping[RefundReason, RefundRule] = {
    rule.reason: rule
    for rule in (
        RefundRule(_R.PATIENT_CANCELLED, 100, "", "您在就诊开始前取消了预约"),
        RefundRule(_R.DECLINED, 100, "", "医生认为本次不适合线上复诊"),
        RefundRule(_R.NOBODY_ACCEPTED, 100, "", "医生未在规定时间内接诊"),
        RefundRule(_R.DOCTOR_CANCELLED, 100, "", "医生停诊"),
        RefundRule(_R.REFERRED_BEFORE_ADVICE, 100, "", "医生建议您到医院就诊"),
        RefundRule(_R.REFERRED_AFTER_ADVICE, 0, "", "医生已给出诊疗意见并建议您到医院就诊"),
        RefundRule(_R.NOT_A_FOLLOW_UP, 100, "", "医生判断不符合复诊条件"),
        RefundRule(_R.PAID_AFTER_EXPIRY, 100, "", "支付时号源保留时间已过"),
        RefundRule(_R.OUT_OF_STOCK, 100, "", "药品缺货"),
        RefundRule(_R.PRESCRIPTION_EXPIRED, 100, "", "处方已过期"),
        RefundRule(_R.PRESCRIPTION_CANCELLED, 100, "", "医生已作废处方"),
        RefundRule(_R.UNDELIVERED, 100, "clerk", "药品未能送达"),
        RefundRule(_R.NO_SHOW, 0, "", "您未按时候诊"),
    )
}


@dataclass(frozen=True)
class Line:
    """A fee line as priced: `unit` and `amount` in fen, from one version of the price list."""

    code: str
    name: str
    unit: int
    quantity: int
    version: str

    @property
    def amount(self) -> int:
        """Unit price times quantity."""
        return self.unit * self.quantity


def total(lines: Sequence[Line]) -> int:
    """Sum in fen."""
    return sum(line.amount for line in lines)


def tender_issues(amount: int, tenders: Mapping[str, int]) -> list[Issue]:
    """Tenders are known, not negative, and add up to the amount."""
    issues = [
        Issue(f"tenders.{name}", "unknown_tender", "不认识的支付方式")
        for name in tenders
        if name not in TENDERS
    ]
    issues += [
        Issue(f"tenders.{name}", "negative", "金额不能为负") for name, part in tenders.items() if part < 0
    ]
    if sum(tenders.values()) != amount:
        issues.append(Issue("tenders", "does_not_add_up", "各项金额之和与总额不符"))
    return issues


def refund_share(reason: RefundReason, amount: int) -> int:
    """How many fen go back."""
    return amount * REFUND_RULES[reason].percent // 100


def balance(events: Sequence[tuple[str, int]]) -> int:
    """What we hold of a payment: receipts minus refunds that the provider has proven."""
    return sum(
        amount if kind == "received" else -amount
        for kind, amount in events
        if kind in ("received", "refunded")
    )
