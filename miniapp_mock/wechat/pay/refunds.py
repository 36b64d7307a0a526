"""Refunds: accepted at once (PROCESSING), settled later: SUCCESS, ABNORMAL (not final) or CLOSED."""

import base64
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.hashes import SHA1

from miniapp_mock.wechat.clock import DAY, MINUTE, local, rfc3339
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay import errors, notifications, orders
from miniapp_mock.wechat.pay.endpoint import Call
from miniapp_mock.wechat.pay.errors import PayError, wrong_field
from miniapp_mock.wechat.pay.wire import AbnormalRefund, Refund
from miniapp_mock.wechat.store import Row

PROCESSING, SUCCESS, ABNORMAL, CLOSED = "PROCESSING", "SUCCESS", "ABNORMAL", "CLOSED"
REFUNDABLE_DAYS = 365
MOST_REFUNDS = 50
GAP = MINUTE
GIVE_UP_AFTER = 7 * DAY
TO_A_CARD = "OTHER_BANKCARD"


def apply(mock: Mock, call: Call) -> dict[str, Any]:
    """POST /v3/refund/domestic/refunds. 200 says accepted; the same number with the same body is the same refund."""
    refund = call.read(Refund)
    if refund.amount.currency != "CNY":
        raise wrong_field("/amount/currency", "Currency code is invalid", value=refund.amount.currency)
    if refund.notify_url is not None:
        orders.check_notify_url(refund.notify_url)
    if refund.funds_account not in {None, "AVAILABLE", "UNSETTLED"}:
        raise wrong_field("/funds_account", "unknown", value=refund.funds_account)
    settle_due(mock)
    request = orders.canonical(call.body)
    with mock.store.transaction():
        before = _find(mock, refund.out_refund_no)
        if before is not None:
            if before["request"] != request:
                raise errors.invalid("请求参数与该退款单首次请求时不一致", errno=errors.OTHER_PARAMETERS)
            return described(mock, before)
        order = _order_of(mock, refund)
        _check(mock, refund, order)
        _insert(mock, refund, order, request)
        row = _find(mock, refund.out_refund_no)
    mock.bell.set()
    return described(mock, _known(row))


def query(mock: Mock, call: Call) -> dict[str, Any]:
    """GET /v3/refund/domestic/refunds/{out_refund_no}."""
    settle_due(mock)
    return described(mock, _known(_find(mock, call.path["out_refund_no"])))


def apply_abnormal(mock: Mock, call: Call) -> dict[str, Any]:
    """POST …/refunds/{refund_id}/apply-abnormal-refund: the money goes to a card instead."""
    asked = call.read(AbnormalRefund)
    settle_due(mock)
    row = _known(
        mock.store.one(
            "SELECT * FROM refunds WHERE refund_id = ? AND out_refund_no = ?",
            call.path["refund_id"],
            asked.out_refund_no,
        )
    )
    if row["status"] != ABNORMAL:
        raise errors.invalid("退款单状态不是退款异常，不能发起异常退款")
    account = _account(asked, call)
    mock.store.run(
        "UPDATE refunds SET status = ?, channel = ?, received_account = ?, settle_at = ? WHERE refund_id = ?",
        PROCESSING,
        TO_A_CARD,
        account,
        mock.now + _seconds(mock),
        row["refund_id"],
    )
    mock.bell.set()
    return described(mock, _known(_find(mock, asked.out_refund_no)))


def settle_due(mock: Mock) -> None:
    """Settle what is due by the clock, and tell the merchant."""
    outcome = mock.faults.text("refund_outcome") or SUCCESS
    for row in mock.store.all(
        "SELECT * FROM refunds WHERE status = 'PROCESSING' AND settle_at <= ?", mock.now
    ):
        ends = SUCCESS if row["channel"] == TO_A_CARD else outcome
        if ends == PROCESSING:
            if mock.now - row["made_at"] <= GIVE_UP_AFTER:
                continue
            ends = CLOSED
        with mock.store.transaction():
            mock.store.run(
                "UPDATE refunds SET status = ?, settle_at = NULL, settled_at = ? WHERE refund_id = ?",
                ends,
                mock.now,
                row["refund_id"],
            )
            notifications.refund(mock, _known(_find(mock, row["out_refund_no"])))


def described(mock: Mock, row: Row) -> dict[str, Any]:
    order = orders.find(mock, row["out_trade_no"])
    assert order is not None
    body = {
        "refund_id": row["refund_id"],
        "out_refund_no": row["out_refund_no"],
        "transaction_id": order["transaction_id"],
        "out_trade_no": row["out_trade_no"],
        "channel": row["channel"],
        "user_received_account": row["received_account"],
        "create_time": rfc3339(row["made_at"]),
        "status": row["status"],
        "funds_account": json.loads(row["request"]).get("funds_account", "AVAILABLE"),
        "amount": {
            "total": order["total"],
            "refund": row["amount"],
            "from": json.loads(row["request"])["amount"].get("from", []),
            "payer_total": order["total"],
            "payer_refund": row["amount"],
            "settlement_refund": row["amount"],
            "settlement_total": order["total"],
            "discount_refund": 0,
            "currency": "CNY",
        },
        "promotion_detail": [],
    }
    if row["status"] == SUCCESS:
        body["success_time"] = rfc3339(row["settled_at"])
    return body


def _order_of(mock: Mock, refund: Refund) -> Row:
    if refund.transaction_id is not None:
        row = orders.find_transaction(mock, refund.transaction_id)
        if row is not None and refund.out_trade_no not in {None, row["out_trade_no"]}:
            raise errors.invalid("您的请求参数与订单信息不一致")
    elif refund.out_trade_no is not None:
        row = orders.find(mock, refund.out_trade_no)
    else:
        raise wrong_field("/transaction_id", "one of transaction_id and out_trade_no is needed")
    if row is None:
        raise PayError("RESOURCE_NOT_EXISTS", "订单不存在")
    return row


def _check(mock: Mock, refund: Refund, order: Row) -> None:
    if order["paid_at"] is None:
        raise errors.invalid("订单未支付或已关闭，不能退款")
    if refund.amount.total != order["total"]:
        raise errors.invalid("您的请求参数与订单信息不一致")
    if mock.now - order["paid_at"] > REFUNDABLE_DAYS * DAY:
        raise errors.invalid("订单支付成功已超过365天，不能退款")
    others = mock.store.all("SELECT * FROM refunds WHERE out_trade_no = ?", order["out_trade_no"])
    standing = [row for row in others if row["status"] != CLOSED]
    if sum(row["amount"] for row in standing) + refund.amount.refund > order["total"]:
        raise errors.invalid("申请退款金额超过可退金额")
    if len(standing) >= MOST_REFUNDS:
        raise errors.invalid("部分退款次数超过50次")
    if any(mock.now - row["made_at"] < GAP for row in others):
        raise PayError("FREQUENCY_LIMITED", "同一笔订单的多次部分退款需间隔1分钟")
    if mock.faults.strikes("not_enough"):
        raise PayError("NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")


def _insert(mock: Mock, refund: Refund, order: Row, request: str) -> None:
    mock.store.insert(
        "refunds",
        refund_id=f"503{secrets.randbelow(10**8):08d}{local(mock.now):%Y%m%d}{secrets.randbelow(10**10):010d}",
        out_refund_no=refund.out_refund_no,
        out_trade_no=order["out_trade_no"],
        request=request,
        amount=refund.amount.refund,
        notify_url=refund.notify_url,
        status=PROCESSING,
        channel="ORIGINAL",
        received_account="支付用户零钱",
        made_at=mock.now,
        settle_at=mock.now + _seconds(mock),
    )


def _account(asked: AbnormalRefund, call: Call) -> str:
    """Where the money goes now. Raises PayError when a needed field is missing or does not open."""
    if asked.type == "MERCHANT_BANK_CARD":
        return "商户银行账户"
    if asked.type != "USER_BANK_CARD":
        raise wrong_field("/type", "unknown", value=asked.type)
    if not asked.bank_type:
        raise wrong_field("/bank_type", "missing")
    number = _open(asked.bank_account, "/bank_account", call)
    _open(asked.real_name, "/real_name", call)
    return f"用户银行卡({number[-4:]})"


def _open(value: str | None, field: str, call: Call) -> str:
    if not value:
        raise wrong_field(field, "missing")
    padding = OAEP(mgf=MGF1(SHA1()), algorithm=SHA1(), label=None)  # noqa: S303 - WeChat Pay's choice
    try:
        return call.key.key.decrypt(base64.b64decode(value, validate=True), padding).decode()
    except ValueError:
        raise wrong_field(field, "does not open with the key named by Wechatpay-Serial") from None


def _seconds(mock: Mock) -> float:
    return mock.faults.seconds("refund_seconds", 1.0)


def _find(mock: Mock, out_refund_no: str) -> Row | None:
    return mock.store.one("SELECT * FROM refunds WHERE out_refund_no = ?", out_refund_no)


def _known(row: Row | None) -> Row:
    if row is None:
        raise PayError("RESOURCE_NOT_EXISTS", "退款单不存在")
    return row
