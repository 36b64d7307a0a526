"""The nightly job: ask for the bills until they are there, ask the hospital, compare, keep. Safe to run at any time, twice."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from backend.context import Context
from backend.outside.wechat_pay import BillNotReady
from backend.outside.wechat_pay_bills import FlowRow, FundFlowBill, TradeBill, TradeRow
from backend.reconciliation import queries, rules, service
from backend.reconciliation.model import ReconciliationDay
from backend.reconciliation.ports import charges_of
from backend.reconciliation.rules import Booked, Books, Money, Moved, Traded
from backend.reconciliation.service import Compared
from contracts.his import HospitalCharge
from foundation.canonical import canonical, sha256
from foundation.clock import local_day_start
from foundation.db.intents import Handler, TryLater, Work, intend
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Unavailable
from foundation.ids import new_id

LATER = timedelta(minutes=30)
FLOWS = {"交易": Money.CHARGE, "退款": Money.REFUND}
"""Kinds of movements (业务类型) that are compared; fees and withdrawals are the account's own."""


async def run(work: Work[Context]) -> None:
    """One day. The next days are opened first, so that the chain never breaks."""
    context = work.context
    async with unit_of_work(context.db) as session:
        await service.ensure_days(session)
        row = await service.begin(session, work.subject)
    if row is None:
        return
    start, end = service.span(row.day)
    trade, flow = await _bills(context, row)
    try:
        booked = await charges_of(context.hospital, start, end)
    except Unavailable as error:
        await _note_wait(context, row, "hospital")
        raise TryLater(f"the hospital does not answer: {error.code}", LATER) from error
    async with unit_of_work(context.db) as session:
        ours = await queries.our_book(session, start, end)
        numbers = [one.out_refund_no for one in trade.refunds]
        refunds = await queries.refunds_by_number(session, numbers)
        if context.wiring.insured is not None:
            refunds |= await context.wiring.insured.returns(session, numbers)
    if not trade.exists and any(one.cash for one in ours if one.money is Money.CHARGE):
        await _until_it_is_sure(context, row)
    books = Books(ours, traded(trade), moved(flow), hospital_book(booked), refunds, sums(trade, flow))
    compared = await _kept(context, row, books, trade, flow)
    async with unit_of_work(context.db) as session:
        await service.finished(session, row.id, compared)


async def _bills(context: Context, row: ReconciliationDay) -> tuple[TradeBill, FundFlowBill]:
    """Both bills; later while WeChat Pay has not made them."""
    try:
        return await context.pay.trade_bill(row.day), await context.pay.fund_flow_bill(row.day)
    except BillNotReady as error:
        await _note_wait(context, row, "bill")
        raise TryLater("the bill is not there yet", LATER) from error


async def _until_it_is_sure(context: Context, row: ReconciliationDay) -> None:
    """We have money of that day and WeChat Pay has no bill: that may be a little early."""
    if context.clock.now() < row.due_at + rules.NO_BILL_IS_NO_TRADE:
        await _note_wait(context, row, "bill")
        raise TryLater("money of ours, and no bill", LATER)


async def _note_wait(context: Context, row: ReconciliationDay, what: str) -> None:
    async with unit_of_work(context.db) as session:
        await service.wait_for(session, row.id, what)


def traded(bill: TradeBill) -> list[Traded]:
    """Lines of the trade bill as rules know them."""
    return [_traded(row) for row in bill.rows]


def _traded(row: TradeRow) -> Traded:
    if row.state == "SUCCESS":
        return Traded(Money.CHARGE, row.transaction_id, row.out_trade_no, row.total, row.settled)
    return Traded(Money.REFUND, row.refund_id, row.out_refund_no, row.refund, row.refund_settled)


def moved(bill: FundFlowBill) -> list[Moved]:
    """Movements about trades."""
    return [_moved(row) for row in bill.rows if row.kind in FLOWS]


def _moved(row: FlowRow) -> Moved:
    money = FLOWS[row.kind]
    return Moved(money, row.number, row.voucher, row.amount if money is Money.CHARGE else -row.amount)


def hospital_book(found: Sequence[HospitalCharge]) -> list[Booked]:
    """What the hospital has."""
    return [
        Booked(Money.REFUND if one.kind == "refund" else Money.CHARGE, one.number, one.amount)
        for one in found
    ]


def sums(trade: TradeBill, flow: FundFlowBill) -> list[tuple[str, int, int]]:
    """What the bills say wrongly about themselves."""
    return [(one.what, one.said, one.counted) for one in (*trade.mismatches, *flow.mismatches)]


async def _kept(
    context: Context, row: ReconciliationDay, books: Books, trade: TradeBill, flow: FundFlowBill
) -> Compared:
    """Compare, and put what was compared away under its hash."""
    found = rules.compare(books)
    at = context.clock.now()
    content = canonical(_statement(row, at, books, trade, flow, found))
    key = f"statements/{row.day:%Y}/{row.day.isoformat()}-{new_id().hex}.json"
    await context.objects.put(key, _whole(content))
    return Compared(
        figures=figures(books, trade, flow), found=found, entries=len(books.ours) + len(books.traded) + len(books.booked),
        trade_sha1=trade.sha1, flow_sha1=flow.sha1, statement=key, statement_hash=sha256(content).hex(),
    )  # fmt: skip


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _statement(
    row: ReconciliationDay, at: datetime, books: Books, trade: TradeBill, flow: FundFlowBill, found: Sequence[rules.Difference]
) -> Any:  # fmt: skip
    """All lines in a fixed order, nobody named."""

    def lines(entries: Sequence[Any]) -> list[Any]:
        return sorted(
            ([*vars(one).values()] for one in entries), key=lambda line: [str(cell) for cell in line]
        )

    return {
        "day": row.day.isoformat(), "at": at.isoformat(), "ours": lines(books.ours), "traded": lines(books.traded),
        "moved": lines(books.moved), "booked": lines(books.booked), "differences": lines(found),
        "trade_bill": {"sha1": trade.sha1, "exists": trade.exists},
        "fund_flow_bill": {"sha1": flow.sha1, "exists": flow.exists},
    }  # fmt: skip


def figures(books: Books, trade: TradeBill, flow: FundFlowBill) -> dict[str, int]:
    """Sums of the day as columns of a run."""
    mine = [(one.money, one.total) for one in books.ours]
    provider = [(one.money, one.amount) for one in books.traded]
    hospital = [(one.money, one.amount) for one in books.booked]
    return {
        "ours_charged": rules.total(mine, Money.CHARGE), "ours_refunded": rules.total(mine, Money.REFUND),
        "provider_charged": rules.total(provider, Money.CHARGE),
        "provider_refunded": rules.total(provider, Money.REFUND), "provider_fee": sum(one.fee for one in trade.rows),
        "account_in": sum(one.amount for one in flow.rows if one.amount > 0),
        "account_out": -sum(one.amount for one in flow.rows if one.amount < 0),
        "hospital_charged": rules.total(hospital, Money.CHARGE),
        "hospital_refunded": rules.total(hospital, Money.REFUND),
    }  # fmt: skip


async def open_days(work: Work[Context]) -> None:
    """A day of ours begins: it will be compared when its bill is there. Again after the next midnight."""
    async with unit_of_work(work.context.db) as session:
        await service.ensure_days(session)
        tomorrow = local_day_start(work.context.clock.today() + timedelta(days=1))
        await intend(session, service.DAYS, work.subject, due=tomorrow)


HANDLERS: dict[str, Handler] = {service.RUN: run, service.DAYS: open_days}
STANDING = (service.DAYS,)
"""Always open: the worker asks for it when it starts."""
