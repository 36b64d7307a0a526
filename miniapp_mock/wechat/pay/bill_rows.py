"""The text of a bill: a BOM, a header, rows with a backtick before every field, a summary. Amounts in yuan."""

from collections.abc import Sequence
from typing import Any

from miniapp_mock.wechat.clock import local
from miniapp_mock.wechat.mock import Mock

FEE_PER_MILLE = 6
RATE = "0.60%"
ALL = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
).split(",")
_OF_REFUNDS = frozenset(
    "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,申请退款金额".split(",")
)
COLUMNS = {
    "ALL": ALL,
    "SUCCESS": [name for name in ALL if name not in _OF_REFUNDS],
    "REFUND": [*ALL[:14], "退款申请时间", "退款成功时间", *ALL[14:]],
}
TRADE_SUMMARY = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额".split(",")
)
FLOW = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
).split(",")
FLOW_SUMMARY = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额".split(",")

IN_A_BILL = {"ABNORMAL": "CHANGE"}
"""Bills have words of their own for the states of refunds."""

PAID = "SELECT * FROM orders WHERE paid_at >= ? AND paid_at < ? ORDER BY paid_at, out_trade_no"
REFUNDED = (
    "SELECT orders.*, refunds.refund_id, refunds.out_refund_no, refunds.amount, refunds.status, refunds.channel, "
    "refunds.made_at AS asked_at, refunds.settled_at FROM refunds JOIN orders USING (out_trade_no) "
    "WHERE refunds.{moment} >= ? AND refunds.{moment} < ? AND refunds.status IN ({states}) "
    "ORDER BY refunds.{moment}, refunds.refund_id"
)


def trade_bill(mock: Mock, start: float, end: float, kind: str) -> str | None:
    """Payments and accepted refunds of the day; None when there were none."""
    payments = mock.store.all(PAID, start, end) if kind != "REFUND" else []
    refunds = REFUNDED.format(moment="made_at", states="'PROCESSING', 'SUCCESS', 'ABNORMAL'")
    returned = mock.store.all(refunds, start, end) if kind != "SUCCESS" else []
    rows = [_payment(mock, row, row["total"]) for row in payments] + [_refund(mock, row) for row in returned]
    if not rows:
        return None
    rows, totals = _spoilt(mock, rows)
    columns = COLUMNS[kind]
    return _text(columns, [[row[name] for name in columns] for row in rows], TRADE_SUMMARY, totals)


def _spoilt(mock: Mock, rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows and summary, with what a tester wants to be wrong."""
    faults = mock.faults
    if faults.on("bill_missing_row"):
        rows = rows[:-1]
    if faults.on("bill_extra_row"):
        rows = [
            *rows,
            rows[0] | {"微信订单号": "4200009999" + "0" * 18, "商户订单号": "UNKNOWN-TO-THE-MERCHANT"},
        ]
    changed = [*rows]
    if rows and (faults.on("bill_off_by_one") or faults.on("bill_row_off_by_one")):
        name = "fen" if rows[0]["fen"] else "refund_fen"
        changed[0] = _priced(rows[0], **{name: rows[0][name] + 1})
    totals = _totals(changed if faults.on("bill_off_by_one") else rows)
    if faults.on("bill_summary_off_by_one"):
        totals[5] = yuan(sum(row["fen"] for row in rows) + 1)
    return changed, totals


def _totals(rows: list[dict[str, Any]]) -> list[str]:
    paid, back = sum(row["fen"] for row in rows), sum(row["refund_fen"] for row in rows)
    fees = f"{yuan(sum(row['fee_fen'] for row in rows))}000"
    return [str(len(rows)), yuan(paid), yuan(back), yuan(0), fees, yuan(paid), yuan(back)]


def fund_flow_bill(mock: Mock, start: float, end: float) -> str | None:
    """What came in and went out, fees apart; refunds on the day of their success."""
    flows: list[tuple[float, str, str, str, int, str]] = []
    for row in mock.store.all(PAID, start, end):
        number, own = row["transaction_id"], row["out_trade_no"]
        flows.append((row["paid_at"], number, "交易", "交易", row["total"], own))
        flows.append((row["paid_at"], number, "交易", "扣除交易手续费", -fee(row["total"]), own))
    for row in mock.store.all(REFUNDED.format(moment="settled_at", states="'SUCCESS'"), start, end):
        number, own = row["refund_id"], row["out_refund_no"]
        flows.append((row["settled_at"], number, "退款", "退款", -(row["amount"] - fee(row["amount"])), own))
    flows = sorted((flow for flow in flows if flow[4]), key=lambda flow: flow[0])
    if not flows:
        return None
    rows, balance = [], 0
    for n, (at, number, name, kind, amount, own) in enumerate(flows):
        balance += amount
        sign = "收入" if amount > 0 else "支出"
        serial = f"{local(at):%Y%m%d}{n:08d}"
        rows.append(
            [_time(at), number, serial, name, kind, sign, yuan(abs(amount)), yuan(balance), "system", "", own]
        )
    came = [flow[4] for flow in flows if flow[4] > 0]
    went = [-flow[4] for flow in flows if flow[4] < 0]
    totals = [str(len(flows)), str(len(came)), yuan(sum(came)), str(len(went)), yuan(sum(went))]
    return _text(FLOW, rows, FLOW_SUMMARY, totals)


def yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def fee(fen: int) -> int:
    """0.6 %, rounded to the nearest fen, half up."""
    return (fen * FEE_PER_MILLE + 500) // 1000


def _payment(mock: Mock, row: Any, fen: int) -> dict[str, Any]:
    named = _shared(mock, row) | {"交易时间": _time(row["paid_at"]), "交易状态": "SUCCESS", "refund_fen": 0}
    return _priced(named, fen=fen, fee_fen=fee(fen))


def _priced(row: dict[str, Any], **amounts: int) -> dict[str, Any]:
    """The columns that follow from the row's amounts in fen."""
    row = row | amounts
    return row | {
        "应结订单金额": yuan(row["fen"]),
        "订单金额": yuan(row["fen"]),
        "退款金额": yuan(row["refund_fen"]),
        "申请退款金额": yuan(row["refund_fen"]),
        "手续费": f"{yuan(row['fee_fen'])}000",
    }


def _refund(mock: Mock, row: Any) -> dict[str, Any]:
    named = _shared(mock, row) | {
        "交易时间": _time(row["asked_at"]),
        "交易状态": "REFUND",
        "退款申请时间": _time(row["asked_at"]),
        "退款成功时间": _time(row["settled_at"]) if row["status"] == "SUCCESS" else "",
        "微信退款单号": row["refund_id"],
        "商户退款单号": row["out_refund_no"],
        "退款类型": row["channel"],
        "退款状态": IN_A_BILL.get(row["status"], row["status"]),
    }
    return _priced(named, fen=0, refund_fen=row["amount"], fee_fen=-fee(row["amount"]))


def _shared(mock: Mock, row: Any) -> dict[str, Any]:
    return dict.fromkeys([*COLUMNS["ALL"], "退款申请时间", "退款成功时间"], "") | {
        "公众账号ID": mock.settings.appid,
        "商户号": mock.settings.mchid,
        "特约商户号": "0",
        "微信订单号": row["transaction_id"],
        "商户订单号": row["out_trade_no"],
        "用户标识": row["openid"],
        "交易类型": "JSAPI",
        "付款银行": "OTHERS",
        "货币种类": "CNY",
        "应结订单金额": yuan(0),
        "代金券金额": yuan(0),
        "微信退款单号": "0",
        "商户退款单号": "0",
        "退款金额": yuan(0),
        "充值券退款金额": yuan(0),
        "商品名称": row["description"].replace("\n", " ").replace("\r", " "),
        "商户数据包": (row["attach"] or "").replace("\n", " ").replace("\r", " "),
        "费率": RATE,
        "订单金额": yuan(0),
        "申请退款金额": yuan(0),
    }


def _text(
    header: Sequence[str], rows: Sequence[Sequence[str]], summary: Sequence[str], totals: Sequence[str]
) -> str:
    lines = [",".join(header), *map(_line, rows), ",".join(summary), _line(totals)]
    return "﻿" + "".join(f"{line}\r\n" for line in lines)


def _line(fields: Sequence[str]) -> str:
    return ",".join(f"`{field}" for field in fields)


def _time(seconds: float) -> str:
    return f"{local(seconds):%Y-%m-%d %H:%M:%S}"
