"""Delivery. Pure."""

import re

from backend.payment.rulebook import RefundReason
from foundation.errors import Issue

_PHONE = re.compile(r"^1\d{10}$")
DELIVERED = "delivered"
LOST = ("returned", "cancelled")
KNOWN = ("accepted", "collected", "in_transit", "out_for_delivery", DELIVERED, "exception", *LOST)
"""A status we do not know is shown as such and never as delivered."""

DELIVERY, RECEIVER, QUALITY = "delivery", "receiver", "quality"
CAUSES = {
    DELIVERY: (RefundReason.UNDELIVERED, "配送或医院的原因"),
    RECEIVER: (RefundReason.REFUSED_BY_RECEIVER, "收件人拒收或无法联系"),
    QUALITY: (RefundReason.FAULTY_DRUG, "药品质量问题"),
}
"""Why drugs came back (practice.md 16): the refund follows the cause."""

LABELS = {
    "accepted": "快递已接单",
    "collected": "已揽收",
    "in_transit": "运输中",
    "out_for_delivery": "派送中",
    "delivered": "已签收",
    "exception": "配送异常",
    "returned": "已退回",
    "cancelled": "已取消",
}


def receiver_issues(method: str, name: str, phone: str, address: str) -> list[Issue]:
    """What is missing for the chosen way."""
    issues = []
    if len(name.strip()) < 2:
        issues.append(Issue("receiver.name", "missing", "请填写收件人姓名"))
    if not _PHONE.match(phone):
        issues.append(Issue("receiver.phone", "wrong_format", "请填写 11 位手机号"))
    if method == "courier" and len(address.strip()) < 6:
        issues.append(Issue("receiver.address", "too_short", "请填写详细收货地址"))
    return issues


def return_issues(*, cause: str, stopped: bool, completed: bool, judged: bool) -> list[Issue]:
    """What a pharmacist may say of drugs that came back: of delivered ones only that they are faulty (practice.md 16)."""
    if judged:
        return [Issue("cause", "already_judged", "已认定过退回原因")]
    if not (stopped or completed):
        return [Issue("cause", "nothing_returned", "药品没有退回")]
    if completed and cause != QUALITY:
        return [Issue("cause", "delivered", "药品已签收，非质量问题不能退回")]
    return []
