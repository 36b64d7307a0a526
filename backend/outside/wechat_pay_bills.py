"""Bills of WeChat Pay as typed rows: who paid and got back (trade), what moved on our account (fund flow). Pure.

The file is UTF-8, perhaps with a BOM: a header, rows with a backtick before every field, the header of the summary, one
row of summary. Amounts are yuan. Columns are found by name, so that a new one does no harm; a name may hold commas.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from foundation.clock import LOCAL

YUAN = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,5}))?")
FREE_TEXT = "商品名称"
"""The one column in which `,` followed by a backtick may be part of the value."""


class BillUnreadable(Exception):
    """It is not a bill as WeChat Pay documents it; the text says where."""


@dataclass(frozen=True)
class TradeRow:
    """One payment (`SUCCESS`), one refund (`REFUND`) or one revocation (`REVOKED`) of the day; fen."""

    at: datetime
    state: str
    transaction_id: str
    out_trade_no: str
    openid: str
    trade_type: str
    total: int
    """The order (订单金额); 0 in the row of a refund."""
    settled: int
    """The order without vouchers (应结订单金额)."""
    refund_id: str
    out_refund_no: str
    refund: int
    """Asked to go back (申请退款金额); 0 in the row of a payment."""
    refund_settled: int
    """The same without vouchers (退款金额)."""
    refund_state: str
    """When the bill was made, and not kept up: SUCCESS, PROCESSING, FAIL (closed) or CHANGE (abnormal)."""
    refund_channel: str
    description: str
    attach: str
    fee: int
    """手续费 in thousandths of a fen, as the bill has it; negative in the row of a refund."""


@dataclass(frozen=True)
class FlowRow:
    """One movement on the account. `amount` in fen is negative when it goes out; `balance` is what is left."""

    at: datetime
    number: str
    """微信支付业务单号: the transaction or the refund."""
    flow_number: str
    name: str
    kind: str
    amount: int
    balance: int
    submitted_by: str
    note: str
    voucher: str
    """业务凭证号: our own number."""


@dataclass(frozen=True)
class Mismatch:
    """The summary and the rows of one bill contradict each other; counts or fen (of a fee: thousandths of a fen)."""

    what: str
    said: int
    counted: int


@dataclass(frozen=True)
class TradeBill:
    """A day's bill; `exists` is False when WeChat Pay says that there is none, for there was no trade."""

    day: date
    rows: tuple[TradeRow, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    sha1: str = ""
    exists: bool = True

    @property
    def payments(self) -> list[TradeRow]:
        """Rows in which money came."""
        return [row for row in self.rows if row.state == "SUCCESS"]

    @property
    def refunds(self) -> list[TradeRow]:
        """Rows in which money goes back: accepted on this day, whatever became of them."""
        return [row for row in self.rows if row.state != "SUCCESS"]


@dataclass(frozen=True)
class FundFlowBill:
    """A day's movements on one account; `exists` as in `TradeBill`."""

    day: date
    rows: tuple[FlowRow, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    sha1: str = ""
    exists: bool = True


def read_trade_bill(day: date, content: bytes, sha1: str = "") -> TradeBill:
    """`BillUnreadable` when a row cannot be read; rows that contradict the summary are `mismatches`, not an error."""
    details, summary = _table(content)
    rows = tuple(_trade(one) for one in details)
    counted = {
        "总交易单数": len(rows),
        "应结订单总金额": sum(row.settled for row in rows),
        "退款总金额": sum(row.refund_settled for row in rows),
        "订单总金额": sum(row.total for row in rows),
        "申请退款总金额": sum(row.refund for row in rows),
        "手续费总金额": sum(row.fee for row in rows),
    }
    said = {name: _said(name, value) for name, value in summary.items() if name in counted}
    return TradeBill(day, rows, _mismatches(said, counted), sha1)


def read_fund_flow_bill(day: date, content: bytes, sha1: str = "") -> FundFlowBill:
    """As `read_trade_bill`."""
    details, summary = _table(content)
    rows = tuple(_flow(one) for one in details)
    came, went = (
        [row.amount for row in rows if row.amount > 0],
        [-row.amount for row in rows if row.amount < 0],
    )
    counted = {
        "资金流水总笔数": len(rows), "收入笔数": len(came), "收入金额": sum(came), "支出笔数": len(went),
        "支出金额": sum(went),
    }  # fmt: skip
    said = {name: _said(name, value) for name, value in summary.items() if name in counted}
    return FundFlowBill(day, rows, _mismatches(said, counted), sha1)


def _said(name: str, value: str) -> int:
    if name.endswith("数"):
        if not (value.isascii() and value.isdecimal()):
            raise BillUnreadable(f"{name} is {value!r}, not a number")
        return int(value)
    return thousandths(value, name) if name.startswith("手续费") else fen(value, name)


def _mismatches(said: Mapping[str, int], counted: Mapping[str, int]) -> tuple[Mismatch, ...]:
    return tuple(
        Mismatch(name, value, counted[name]) for name, value in said.items() if value != counted[name]
    )


def _trade(row: "_Row") -> TradeRow:
    return TradeRow(
        at=row.moment("交易时间"), state=row["交易状态"], transaction_id=row["微信订单号"], out_trade_no=row["商户订单号"],
        openid=row["用户标识"], trade_type=row["交易类型"], total=row.fen("订单金额", "应结订单金额"),
        settled=row.fen("应结订单金额", "订单金额"), refund_id=row.number("微信退款单号"), out_refund_no=row.number("商户退款单号"),
        refund=row.fen("申请退款金额", "退款金额"), refund_settled=row.fen("退款金额"), refund_state=row["退款状态"],
        refund_channel=row["退款类型"], description=row[FREE_TEXT], attach=row["商户数据包"],
        fee=thousandths(row["手续费"], "手续费"),
    )  # fmt: skip


def _flow(row: "_Row") -> FlowRow:
    direction, amount = row["收支类型"], row.fen("收支金额")
    if direction not in ("收入", "支出"):
        raise BillUnreadable(f"收支类型 is {direction!r}")
    return FlowRow(
        at=row.moment("记账时间"), number=row["微信支付业务单号"], flow_number=row["资金流水单号"], name=row["业务名称"],
        kind=row["业务类型"], amount=amount if direction == "收入" else -amount, balance=row.fen("账户结余"),
        submitted_by=row["资金变更提交申请人"], note=row["备注"], voucher=row["业务凭证号"],
    )  # fmt: skip


class _Row(dict[str, str]):
    """Fields by the names of the header."""

    def __missing__(self, name: str) -> str:
        raise BillUnreadable(f"no column {name}")

    def number(self, name: str) -> str:
        """An id; WeChat Pay writes 0 for none."""
        return "" if self[name] == "0" else self[name]

    def fen(self, name: str, older: str = "") -> int:
        """The column, or the one that older bills have in its place."""
        return fen(self[name if name in self or not older else older], name)

    def moment(self, name: str) -> datetime:
        """Shanghai's wall clock, aware."""
        try:
            return datetime.strptime(self[name], "%Y-%m-%d %H:%M:%S").replace(tzinfo=LOCAL)
        except ValueError:
            raise BillUnreadable(f"{name} is {self[name]!r}, not a time") from None


class _Table(NamedTuple):
    details: list[_Row]
    summary: _Row


def _table(content: bytes) -> _Table:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BillUnreadable("not UTF-8") from error
    lines = list(_records(text))
    headers = [place for place, line in enumerate(lines) if not line.startswith("`")]
    if len(headers) != 2 or headers[0] != 0 or headers[1] != len(lines) - 2:
        raise BillUnreadable("not a header, rows, a header and one row of summary")
    columns, totals = _names(lines[0]), _names(lines[headers[1]])
    details = [_row(columns, line) for line in lines[1 : headers[1]]]
    return _Table(details, _row(totals, lines[-1]))


def _records(text: str) -> Iterator[str]:
    """Lines; one that a line break in a name has torn apart is put together again."""
    open_row, fields = "", 0
    for line in re.split(r"\r\n|\n|\r", text):
        if open_row and not line.startswith("`") and open_row.count(",`") + 1 < fields:
            open_row += f" {line}"
            continue
        if open_row:
            yield open_row
        open_row = line if line.strip() else ""
        if open_row and not open_row.startswith("`"):
            fields = open_row.count(",") + 1
    if open_row:
        yield open_row


def _names(header: str) -> list[str]:
    """Names of a header; the unit behind a name is dropped: 收支金额(元)."""
    return [re.sub(r"[(（]元[)）]", "", name).strip().lstrip("`") for name in header.split(",")]


def _row(columns: Sequence[str], line: str) -> _Row:
    parts = line.removeprefix("`").split(",`")
    surplus = len(parts) - len(columns)
    if surplus > 0 and FREE_TEXT in columns:
        at = columns.index(FREE_TEXT)
        parts[at : at + surplus + 1] = [",`".join(parts[at : at + surplus + 1])]
    if len(parts) != len(columns):
        raise BillUnreadable(f"{len(parts)} fields under {len(columns)} names")
    return _Row(zip(columns, parts, strict=True))


def thousandths(yuan: str, name: str = "amount") -> int:
    """Yuan with up to five decimals → thousandths of a fen, exactly."""
    found = YUAN.fullmatch(yuan)
    if found is None:
        raise BillUnreadable(f"{name} is {yuan!r}, not an amount")
    sign, whole, part = found.groups()
    value = int(whole) * 100_000 + int((part or "").ljust(5, "0"))
    return -value if sign else value


def fen(yuan: str, name: str = "amount") -> int:
    """Yuan → fen; a part of a fen is not an amount."""
    value = thousandths(yuan, name)
    if value % 1000:
        raise BillUnreadable(f"{name} is {yuan!r}: a part of a fen")
    return value // 1000
