"""Orders: NOTPAY → SUCCESS → REFUND, NOTPAY → CLOSED."""

import json
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from miniapp_mock.wechat.clock import DAY, HOUR, local, rfc3339
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay import errors
from miniapp_mock.wechat.pay.endpoint import Call
from miniapp_mock.wechat.pay.errors import PayError, wrong_field
from miniapp_mock.wechat.pay.wire import Close, Order
from miniapp_mock.wechat.store import Row

NOTPAY, SUCCESS, REFUND, CLOSED = "NOTPAY", "SUCCESS", "REFUND", "CLOSED"
WORDS = {NOTPAY: "订单未支付", SUCCESS: "支付成功", REFUND: "转入退款", CLOSED: "订单已关闭"}
PREPAY_LIFE = 2 * HOUR
UNPAID_LIFE = 7 * DAY


def place(mock: Mock, call: Call) -> dict[str, Any]:
    """POST /v3/pay/transactions/jsapi. The same body again is the same order with another prepay_id."""
    order = call.read(Order)
    time_expire = _check(mock, order)
    request = canonical(call.body)
    with mock.store.transaction():
        row = find(mock, order.out_trade_no)
        if row is not None:
            _check_again(mock, row, request)
        else:
            mock.store.insert(
                "orders",
                out_trade_no=order.out_trade_no,
                request=request,
                description=order.description,
                attach=order.attach,
                notify_url=order.notify_url,
                openid=order.payer.openid,
                total=order.amount.total,
                time_expire=time_expire,
                made_at=mock.now,
            )
        prepay_id = f"wx{local(mock.now):%Y%m%d%H%M%S}{secrets.token_hex(10)}"
        mock.store.insert("prepays", prepay_id=prepay_id, out_trade_no=order.out_trade_no, made_at=mock.now)
    return {"prepay_id": prepay_id}


def query_by_number(mock: Mock, call: Call) -> dict[str, Any]:
    """GET …/out-trade-no/{out_trade_no}?mchid=."""
    check_mchid(mock, call.parameter("mchid"), location="query")
    return transaction(mock, _known(find(mock, call.path["out_trade_no"])))


def query_by_transaction(mock: Mock, call: Call) -> dict[str, Any]:
    """GET …/id/{transaction_id}?mchid=."""
    check_mchid(mock, call.parameter("mchid"), location="query")
    return transaction(mock, _known(find_transaction(mock, call.path["transaction_id"])))


def close(mock: Mock, call: Call) -> None:
    """POST …/out-trade-no/{out_trade_no}/close → 204, also for one that is closed already."""
    check_mchid(mock, call.read(Close).mchid)
    row = _known(find(mock, call.path["out_trade_no"]))
    if state_of(mock, row) in {SUCCESS, REFUND}:
        raise errors.paid()
    mock.store.run(
        "UPDATE orders SET closed_at = coalesce(closed_at, ?) WHERE out_trade_no = ? AND paid_at IS NULL",
        mock.now,
        row["out_trade_no"],
    )


def find(mock: Mock, out_trade_no: str) -> Row | None:
    return mock.store.one("SELECT * FROM orders WHERE out_trade_no = ?", out_trade_no)


def find_transaction(mock: Mock, transaction_id: str) -> Row | None:
    return mock.store.one("SELECT * FROM orders WHERE transaction_id = ?", transaction_id)


def state_of(mock: Mock, row: Row) -> str:
    if row["paid_at"] is not None:
        refunded = mock.store.number(
            "SELECT count(*) FROM refunds WHERE out_trade_no = ? AND status <> 'CLOSED'", row["out_trade_no"]
        )
        return REFUND if refunded else SUCCESS
    over = row["closed_at"] is not None or mock.now - row["made_at"] > UNPAID_LIFE
    return CLOSED if over else NOTPAY


def transaction(mock: Mock, row: Row) -> dict[str, Any]:
    """An order as a query and a notification say it; of an unpaid one only what is known."""
    state = state_of(mock, row)
    known: dict[str, Any] = {
        "appid": mock.settings.appid,
        "mchid": mock.settings.mchid,
        "out_trade_no": row["out_trade_no"],
        "trade_state": state,
        "trade_state_desc": WORDS[state],
        "attach": row["attach"],
        "payer": {"openid": row["openid"]},
        "amount": {"total": row["total"], "currency": "CNY"},
    }
    if row["paid_at"] is not None:
        known |= {
            "transaction_id": row["transaction_id"],
            "trade_type": "JSAPI",
            "bank_type": "OTHERS",
            "success_time": rfc3339(row["paid_at"]),
            "amount": {
                "total": row["total"],
                "payer_total": row["total"],
                "currency": "CNY",
                "payer_currency": "CNY",
            },
            "promotion_detail": [],
        }
    return {name: value for name, value in known.items() if value is not None}


def canonical(body: bytes) -> str:
    """Two requests with the same parameters are the same, whatever their spaces and order."""
    return json.dumps(json.loads(body), ensure_ascii=False, sort_keys=True)


def check_mchid(mock: Mock, mchid: str, *, location: str = "body") -> None:
    if mchid != mock.settings.mchid:
        raise wrong_field(
            "mchid", "not the merchant who signed", message="商户号与签名商户号不一致", location=location
        )


def check_notify_url(url: str) -> None:
    """An address without a query; a real one must also be public and https."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or any(sign in url for sign in "?# \\") or not url.isprintable():
        raise wrong_field(
            "/notify_url", "not an address without query", message="notify_url不合法", value=url
        )


def _check(mock: Mock, order: Order) -> float | None:
    """The moment of `time_expire`. Raises PayError."""
    check_mchid(mock, order.mchid)
    if order.appid != mock.settings.appid:
        raise PayError("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配，请检查后再试")
    if order.amount.currency != "CNY":
        raise wrong_field("/amount/currency", "Currency code is invalid", value=order.amount.currency)
    if mock.people.find(order.payer.openid) is None:
        raise wrong_field("/payer/openid", "unknown", message="无效的openid", value=order.payer.openid)
    check_notify_url(order.notify_url)
    if order.time_expire is None:
        return None
    try:
        moment = datetime.fromisoformat(order.time_expire)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or "T" not in order.time_expire:
        raise wrong_field("/time_expire", "not RFC 3339 with an offset", value=order.time_expire)
    if moment.timestamp() <= mock.now and find(mock, order.out_trade_no) is None:
        raise wrong_field("/time_expire", "already over", value=order.time_expire)
    return moment.timestamp()


def _check_again(mock: Mock, row: Row, request: str) -> None:
    state = state_of(mock, row)
    if state in {SUCCESS, REFUND}:
        raise errors.paid()
    if state == CLOSED:
        raise errors.closed()
    if row["request"] != request:
        raise errors.invalid(
            "请求重入时，参数与首次请求时不一致，请检查后再试", errno=errors.OTHER_PARAMETERS
        )


def _known(row: Row | None) -> Row:
    if row is None:
        raise PayError("ORDER_NOT_EXIST", "订单不存在")
    return row
