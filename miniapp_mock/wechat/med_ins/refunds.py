"""The merchant tells WeChat that the bureau has given money back."""

from miniapp_mock.wechat.med_ins import checks, orders, refusals
from miniapp_mock.wechat.med_ins.wire import RefundNotice
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay.endpoint import Call
from miniapp_mock.wechat.pay.errors import wrong_field


def notify(mock: Mock, call: Call) -> None:
    """POST /v3/med-ins/refunds/notify?mix_trade_no= → 204. Of the same refund the latest word counts."""
    row = orders.known(orders.find_mix(mock, call.parameter("mix_trade_no")))
    notice = call.read(RefundNotice)
    parts = (notice.med_refund_gov_fee, notice.med_refund_self_fee, notice.med_refund_other_fee)
    if notice.med_refund_total_fee != sum(parts):
        raise refusals.rule("医保退款总金额校验不通过", 268435461)
    if checks.moment(notice.refund_time) is None:
        raise wrong_field("/refund_time", "not RFC 3339 with an offset", value=notice.refund_time)
    order = orders.order_of(row)
    if order.mix_pay_type == checks.CASH_ONLY:
        raise refusals.rule("混合单中没有医保订单，无法接收医保退款通知", 268435461)
    if row["paid_at"] is None:
        raise refusals.rule("当前订单状态不允许退款", 268554200)
    others = mock.store.number(
        "SELECT sum(total) FROM med_ins_refunds WHERE mix_trade_no = ? AND out_refund_no <> ?",
        row["mix_trade_no"], notice.out_refund_no,
    )  # fmt: skip
    if others + notice.med_refund_total_fee > order.insurance:
        raise refusals.rule("医保退款金额超过医保支付金额", 268435461)
    mock.store.run(
        "INSERT OR REPLACE INTO med_ins_refunds (out_refund_no, mix_trade_no, total, gov, own, other, at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        notice.out_refund_no, row["mix_trade_no"], notice.med_refund_total_fee, *parts, mock.now,
    )  # fmt: skip
