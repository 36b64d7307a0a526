"""Where a parcel can be, and where it can go from there."""

from collections.abc import Sequence
from enum import StrEnum


class Status(StrEnum):
    ACCEPTED = "accepted"
    COLLECTED = "collected"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    RETURNED = "returned"
    CANCELLED = "cancelled"


_NEXT: dict[Status, tuple[Status, ...]] = {
    Status.ACCEPTED: (Status.COLLECTED, Status.EXCEPTION, Status.CANCELLED),
    Status.COLLECTED: (Status.IN_TRANSIT, Status.EXCEPTION, Status.RETURNED),
    # From one place to the next it stays in transit: each is an event of its own.
    Status.IN_TRANSIT: (Status.OUT_FOR_DELIVERY, Status.IN_TRANSIT, Status.EXCEPTION, Status.RETURNED),
    Status.OUT_FOR_DELIVERY: (Status.DELIVERED, Status.EXCEPTION, Status.RETURNED),
}
_AFTER_EXCEPTION = (Status.OUT_FOR_DELIVERY, Status.IN_TRANSIT, Status.DELIVERED, Status.RETURNED)
_AFTER_EXCEPTION_UNCOLLECTED = (Status.COLLECTED, Status.CANCELLED)

ORDINARY_WAY = {
    Status.ACCEPTED: Status.COLLECTED,
    Status.COLLECTED: Status.IN_TRANSIT,
    Status.IN_TRANSIT: Status.OUT_FOR_DELIVERY,
    Status.OUT_FOR_DELIVERY: Status.DELIVERED,
}
"""What happens to a parcel by itself when nothing goes wrong."""


def possible(past: Sequence[Status]) -> tuple[Status, ...]:
    """Where a parcel with these events may go, the ordinary way first. Empty: its journey is over."""
    if past[-1] is not Status.EXCEPTION:
        return _NEXT.get(past[-1], ())
    return _AFTER_EXCEPTION if Status.COLLECTED in past else _AFTER_EXCEPTION_UNCOLLECTED


LABELS = {
    Status.ACCEPTED: "已下单",
    Status.COLLECTED: "已揽收",
    Status.IN_TRANSIT: "运输中",
    Status.OUT_FOR_DELIVERY: "派送中",
    Status.DELIVERED: "已签收",
    Status.EXCEPTION: "异常",
    Status.RETURNED: "已退回",
    Status.CANCELLED: "已取消",
}

ACTIONS = {
    Status.COLLECTED: "揽收",
    Status.IN_TRANSIT: "到达／发出",
    Status.OUT_FOR_DELIVERY: "开始派送",
    Status.DELIVERED: "签收",
    Status.EXCEPTION: "登记异常",
    Status.RETURNED: "退回寄件人",
    Status.CANCELLED: "取消",
}

NOTES = {
    Status.ACCEPTED: "寄件人已下单，等待上门揽收",
    Status.COLLECTED: "快件已揽收",
    Status.IN_TRANSIT: "快件已发往收件地",
    Status.OUT_FOR_DELIVERY: "快件正在派送，请保持电话畅通",
    Status.DELIVERED: "快件已签收",
    Status.EXCEPTION: "联系不上收件人，将再次派送",
    Status.RETURNED: "快件已退回寄件人",
    Status.CANCELLED: "寄件人已取消",
}
"""What stands with an event when nobody wrote anything."""
