"""The payer's side of an order: what `wx.requestPayment` and the cashier do."""

import secrets
from dataclasses import dataclass

from miniapp_mock.wechat.clock import MINUTE, local
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay import notifications, orders
from miniapp_mock.wechat.pay.signatures import verifies
from miniapp_mock.wechat.store import Row


class CannotPay(Exception):
    """In the payer's words."""


@dataclass(frozen=True)
class Invocation:
    """What the merchant's page hands to the phone, in WeChat's names."""

    app_id: str
    time_stamp: str
    nonce_str: str
    package: str
    sign_type: str
    pay_sign: str


def check_invocation(mock: Mock, invocation: Invocation) -> str:
    """The prepay_id that the merchant really asked to pay. Raises CannotPay."""
    if invocation.app_id != mock.settings.appid:
        raise CannotPay("appId 与当前小程序不一致")
    if invocation.sign_type != "RSA":
        raise CannotPay("signType 应为 RSA")
    prepay_id = invocation.package.removeprefix("prepay_id=")
    if prepay_id == invocation.package:
        raise CannotPay("package 应为 prepay_id=…")
    parts = (invocation.app_id, invocation.time_stamp, invocation.nonce_str, invocation.package)
    message = "".join(f"{part}\n" for part in parts).encode()
    if not verifies(mock.keys.merchant, invocation.pay_sign, message):
        raise CannotPay("支付验证签名失败")
    return prepay_id


def order_of(mock: Mock, prepay_id: str) -> Row:
    """Raises CannotPay."""
    row = mock.store.one(
        "SELECT orders.*, prepays.made_at AS prepaid_at FROM prepays JOIN orders USING (out_trade_no) "
        "WHERE prepay_id = ?",
        prepay_id,
    )
    if row is None:
        raise CannotPay("没有这笔订单")
    return row


def check_payable(mock: Mock, prepay_id: str, openid: str) -> Row:
    """Raises CannotPay. Passing `time_expire` does not close the order, it only cannot be paid any more."""
    row = order_of(mock, prepay_id)
    state = orders.state_of(mock, row)
    if state == orders.CLOSED:
        raise CannotPay("订单已关闭，请重新下单")
    if state != orders.NOTPAY:
        raise CannotPay("订单已支付，请勿重复付款")
    late = row["time_expire"] is not None and mock.now > row["time_expire"]
    if late or mock.now - row["prepaid_at"] > orders.PREPAY_LIFE:
        raise CannotPay("订单已超过支付时间，请重新下单")
    if row["openid"] != openid:
        raise CannotPay("下单的微信与当前微信不是同一个")
    return row


def pay(mock: Mock, prepay_id: str, openid: str) -> None:
    """Pays, and tells the merchant unless a fault forbids it. Raises CannotPay."""
    with mock.store.transaction():
        row = check_payable(mock, prepay_id, openid)
        number = (
            f"42000{secrets.randbelow(10**5):05d}{local(mock.now):%Y%m%d}{secrets.randbelow(10**10):010d}"
        )
        mock.store.run(
            "UPDATE orders SET paid_at = ?, transaction_id = ? WHERE out_trade_no = ?",
            mock.now,
            number,
            row["out_trade_no"],
        )
        if not mock.faults.on("paid_not_notified"):
            notifications.payment(mock, row["out_trade_no"])
    mock.bell.set()


def looks_like_a_repeat(mock: Mock, row: Row) -> bool:
    """The same amount by the same payer within a minute: WeChat asks whether it is meant."""
    return bool(
        mock.store.number(
            "SELECT count(*) FROM orders WHERE openid = ? AND total = ? AND out_trade_no <> ? AND paid_at > ?",
            row["openid"],
            row["total"],
            row["out_trade_no"],
            mock.now - MINUTE,
        )
    )
