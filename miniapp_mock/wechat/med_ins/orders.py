"""Mixed orders: MIX_PAY_CREATED → MIX_PAY_SUCCESS → MIX_PAY_REFUND, MIX_PAY_CREATED → MIX_PAY_FAIL."""

import secrets
from typing import Any

import msgspec

from miniapp_mock.wechat.clock import local, rfc3339
from miniapp_mock.wechat.med_ins import refusals
from miniapp_mock.wechat.med_ins.checks import CASH_ONLY, INSURANCE_ONLY, check
from miniapp_mock.wechat.med_ins.wire import Order
from miniapp_mock.wechat.mock import Mock
from miniapp_mock.wechat.pay import orders as cash_orders
from miniapp_mock.wechat.pay import refunds as cash_refunds
from miniapp_mock.wechat.pay.endpoint import Call
from miniapp_mock.wechat.store import Row

CREATED, SUCCESS, REFUND, FAIL = "CREATED", "SUCCESS", "REFUND", "FAIL"
LEFT_OUT = {"payer", "relative", "passthrough_request_content", "extends"}


def place(mock: Mock, call: Call) -> dict[str, Any]:
    """POST /v3/med-ins/orders. A number that was used, whatever became of it, is refused."""
    order = call.read(Order)
    check(mock, call, order)
    with mock.store.transaction():
        if find(mock, order.out_trade_no) is not None:
            raise refusals.exists()
        number = f"{local(mock.now):%Y%m%d%H%M%S}{secrets.randbelow(10**16):016d}"
        mock.store.insert(
            "med_ins_orders", mix_trade_no=number, out_trade_no=order.out_trade_no, request=call.body.decode(),
            openid=order.openid, prepay_id=order.prepay_id, pay_order_id=order.pay_order_id,
            pay_auth_no=order.pay_auth_no, callback_url=order.callback_url, made_at=mock.now,
        )  # fmt: skip
    return described(mock, known(find(mock, order.out_trade_no)))


def query_by_mix(mock: Mock, call: Call) -> dict[str, Any]:
    """GET …/orders/mix-trade-no/{mix_trade_no}."""
    return described(mock, known(find_mix(mock, call.path["mix_trade_no"])))


def query_by_number(mock: Mock, call: Call) -> dict[str, Any]:
    """GET …/orders/out-trade-no/{out_trade_no}."""
    return described(mock, known(find(mock, call.path["out_trade_no"])))


def find(mock: Mock, out_trade_no: str) -> Row | None:
    return mock.store.one("SELECT * FROM med_ins_orders WHERE out_trade_no = ?", out_trade_no)


def find_mix(mock: Mock, mix_trade_no: str) -> Row | None:
    return mock.store.one("SELECT * FROM med_ins_orders WHERE mix_trade_no = ?", mix_trade_no)


def known(row: Row | None) -> Row:
    """Raises PayError."""
    if row is None:
        raise refusals.not_found()
    return row


def order_of(row: Row) -> Order:
    """The order as it was placed."""
    return msgspec.json.decode(row["request"], type=Order)


def state_of(mock: Mock, row: Row) -> tuple[str, str, str]:
    """Of the whole, the cash part and the insurance part."""
    order = order_of(row)
    cash = _cash_state(mock, row, order)
    insurance = _insurance_state(mock, row, order)
    parts = {state for state in (cash, insurance) if state}
    if row["failed_at"] is not None or cash == FAIL:
        whole = FAIL
    elif parts == {REFUND}:
        whole = REFUND
    else:
        whole = SUCCESS if row["paid_at"] is not None else CREATED
    return whole, cash, insurance


def described(mock: Mock, row: Row) -> dict[str, Any]:
    """An order as an answer and the notification say it. The transaction of the cash part is not in it."""
    order = order_of(row)
    whole, cash, insurance = state_of(mock, row)
    told = {
        name: value
        for name, value in msgspec.to_builtins(order).items()
        if value is not None and name not in LEFT_OUT
    }
    told |= {
        "mix_trade_no": row["mix_trade_no"],
        "mix_pay_status": f"MIX_PAY_{whole}",
        "self_pay_status": f"SELF_PAY_{cash}" if cash else "NO_SELF_PAY",
        "med_ins_pay_status": f"MED_INS_PAY_{insurance}" if insurance else "NO_MED_INS_PAY",
    }
    if row["paid_at"] is not None:
        told["paid_time"] = rfc3339(row["paid_at"])
    if insurance == FAIL:
        told["med_ins_fail_reason"] = row["fail_reason"]
    return told


def _cash_state(mock: Mock, row: Row, order: Order) -> str:
    if order.mix_pay_type == INSURANCE_ONLY:
        return ""
    cash = cash_orders.find(mock, row["out_trade_no"])
    assert cash is not None
    state = cash_orders.state_of(mock, cash)
    if state == cash_orders.CLOSED:
        return FAIL
    if state == cash_orders.NOTPAY:
        return FAIL if row["failed_at"] is not None else CREATED
    back = mock.store.number(
        "SELECT sum(amount) FROM refunds WHERE out_trade_no = ? AND status = ?",
        row["out_trade_no"], cash_refunds.SUCCESS,
    )  # fmt: skip
    return REFUND if back >= cash["total"] else SUCCESS


def _insurance_state(mock: Mock, row: Row, order: Order) -> str:
    if order.mix_pay_type == CASH_ONLY:
        return ""
    if row["failed_at"] is not None:
        return FAIL
    if row["paid_at"] is None:
        return CREATED
    back = mock.store.number(
        "SELECT sum(total) FROM med_ins_refunds WHERE mix_trade_no = ?", row["mix_trade_no"]
    )
    return REFUND if 0 < order.insurance <= back else SUCCESS
