"""Payment and refund as tables."""

from enum import StrEnum

from foundation.states import Machine, move


class PaymentState(StrEnum):
    """支付."""

    CREATED = "created"
    PENDING = "pending"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    """退款."""

    PROPOSED = "proposed"
    REQUESTED = "requested"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    ABNORMAL = "abnormal"
    CLOSED = "closed"
    REJECTED = "rejected"


P, R = PaymentState, RefundState

PAYMENT = Machine(
    "payment",
    P.CREATED,
    [
        move(P.CREATED, "submit", P.PENDING, "system", "patient"),
        move(P.CREATED, "cancel", P.CANCELLED, "system", "patient"),
        move(P.CREATED, "fail", P.FAILED, "system"),
        move(P.CREATED, "confirm", P.CONFIRMED, "system", event="payment.confirmed"),
        move(P.PENDING, "confirm", P.CONFIRMED, "system", event="payment.confirmed"),
        move(P.PENDING, "fail", P.FAILED, "system"),
        move(P.PENDING, "cancel", P.CANCELLED, "system", "patient"),
        # Money that arrives after we gave up is still money: it is confirmed, then refunded.
        move(P.CANCELLED, "confirm", P.CONFIRMED, "system", event="payment.confirmed"),
        move(P.FAILED, "confirm", P.CONFIRMED, "system", event="payment.confirmed"),
    ],
    labels={
        P.CREATED: "待支付",
        P.PENDING: "支付中",
        P.CONFIRMED: "已支付",
        P.FAILED: "支付失败",
        P.CANCELLED: "已取消",
    },
    fhir={
        P.CREATED: "draft",
        P.PENDING: "active",
        P.CONFIRMED: "active",
        P.FAILED: "cancelled",
        P.CANCELLED: "cancelled",
    },
)

REFUND = Machine(
    "refund",
    R.PROPOSED,
    [
        # Where the rule names no approver, a refund is requested at once; otherwise never by who proposed it.
        move(R.PROPOSED, "approve", R.REQUESTED, "clerk", "admin", "system"),
        move(R.PROPOSED, "reject", R.REJECTED, "clerk", "admin"),
        move(R.REQUESTED, "send", R.PROCESSING, "system"),
        move(R.REQUESTED, "succeed", R.SUCCEEDED, "system", event="refund.succeeded"),
        move(R.PROCESSING, "succeed", R.SUCCEEDED, "system", event="refund.succeeded"),
        move(R.REQUESTED, "mark_abnormal", R.ABNORMAL, "system"),
        move(R.REQUESTED, "close", R.CLOSED, "system"),
        move(R.PROCESSING, "mark_abnormal", R.ABNORMAL, "system"),
        # ABNORMAL is not final at WeChat: the money may still arrive, or be sent to another account.
        move(R.ABNORMAL, "succeed", R.SUCCEEDED, "system", event="refund.succeeded"),
        move(R.ABNORMAL, "redirect", R.PROCESSING, "system"),
        # It went to the hospital instead: owed to the patient, and done when she has it.
        move(R.REQUESTED, "owe", R.ABNORMAL, "system"),
        move(R.PROCESSING, "owe", R.ABNORMAL, "system"),
        move(R.ABNORMAL, "hand_over", R.SUCCEEDED, "clerk", "admin", event="refund.succeeded"),
        move(R.ABNORMAL, "close", R.CLOSED, "system", "clerk", "admin"),
        move(R.PROCESSING, "close", R.CLOSED, "system"),
        # Given up here, and not by the provider: its number is still good, and another one beside it might arrive as well.
        move(R.CLOSED, "take_up", R.ABNORMAL, "clerk", "admin"),
        # One that a person gave up may still arrive: what the provider proves is true whatever we decided.
        move(R.CLOSED, "succeed", R.SUCCEEDED, "system", event="refund.succeeded"),
    ],
    labels={
        R.PROPOSED: "退款待审批",
        R.REQUESTED: "退款申请中",
        R.PROCESSING: "退款处理中",
        R.SUCCEEDED: "已退款",
        R.ABNORMAL: "退款异常",
        R.CLOSED: "退款关闭",
        R.REJECTED: "不予退款",
    },
)

DEAD = (R.CLOSED, R.REJECTED)
"""States of a refund by which nothing goes back any more."""
