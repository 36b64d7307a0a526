"""The payer's side: what `wx.requestMedicalInsurancePay` does once she has typed the password of her credential."""

from dataclasses import dataclass

from miniapp_mock.wechat.med_ins import bureau, checks, orders
from miniapp_mock.wechat.med_ins.wire import Order
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay import notifications
from miniapp_mock.wechat.pay import paying as cash
from miniapp_mock.wechat.store import Row


@dataclass(frozen=True)
class Bill:
    """What the payer sees."""

    row: Row
    order: Order


def bill(mock: Mock, mix_trade_no: str, openid: str) -> Bill:
    """Raises CannotPay."""
    row = orders.find_mix(mock, mix_trade_no)
    if row is None:
        raise cash.CannotPay("没有这笔订单")
    if row["openid"] != openid:
        raise cash.CannotPay("下单的微信与当前微信不是同一个")
    whole, _, _ = orders.state_of(mock, row)
    if whole == orders.FAIL:
        raise cash.CannotPay("订单已失效，请重新下单")
    if whole != orders.CREATED:
        raise cash.CannotPay("订单已支付，请勿重复付款")
    return Bill(row, orders.order_of(row))


def check_invocation(mock: Mock, found: Bill, invocation: cash.Invocation | None) -> None:
    """A bill with a cash part brings the signed values of `wx.requestPayment`, one without must not. Raises CannotPay."""
    if found.order.mix_pay_type == checks.INSURANCE_ONLY:
        if invocation is not None:
            raise cash.CannotPay("纯医保订单不应携带自费支付参数")
        return
    if invocation is None:
        raise cash.CannotPay("缺少参数 total_fee")
    if cash.check_invocation(mock, invocation) != found.row["prepay_id"]:
        raise cash.CannotPay("prepay_id 与下单时不一致")


def pay(mock: Mock, mix_trade_no: str, openid: str) -> None:
    """Cash first, then the bureau; a bureau that does not pay leaves the cash with the merchant. Raises CannotPay."""
    found = bill(mock, mix_trade_no, openid)
    if found.row["prepay_id"]:
        cash.pay(mock, found.row["prepay_id"], openid)
    reason = ""
    if found.row["pay_order_id"]:
        reason = bureau.settle(mock, found.row["pay_order_id"], found.row["pay_auth_no"])
    if reason:
        mock.store.run(
            "UPDATE med_ins_orders SET failed_at = ?, fail_reason = ? WHERE mix_trade_no = ?",
            mock.now, reason, mix_trade_no,
        )  # fmt: skip
        raise cash.CannotPay(f"医保支付失败：{reason}")
    mock.store.run("UPDATE med_ins_orders SET paid_at = ? WHERE mix_trade_no = ?", mock.now, mix_trade_no)
    if not mock.faults.on("paid_not_notified"):
        row = orders.known(orders.find_mix(mock, mix_trade_no))
        notifications.insurance(mock, orders.described(mock, row), row["out_trade_no"], row["callback_url"])
    mock.bell.set()
