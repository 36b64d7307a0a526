"""Bills as our client reads them from the mock: rows, hash, link, and what is said when there is none."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import httpx
import pytest

from backend.outside.wechat_pay import BillNotReady, PayRefused, WeChatPay
from foundation.errors import Unavailable
from tests.contract.test_wechat_pay_client import a_client, paid, refunded
from tests.database import SharedClock, moves_on
from tests.town import Town

pytestmark = pytest.mark.anyio

DAY = date(2026, 11, 20)


@pytest.fixture
async def pay(town: Town, clock: SharedClock, wechat: httpx.AsyncClient) -> AsyncIterator[WeChatPay]:
    client = a_client(town, clock)
    yield client
    await client.close()


async def test_the_trade_bill_has_what_was_paid_and_what_goes_back(
    pay: WeChatPay, wechat: httpx.AsyncClient, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(refund_seconds=0)
    await paid(pay, wechat, "IH000001")
    await paid(pay, wechat, "IH000002", amount=1)
    back = await refunded(pay, "IH000001", amount=1000)
    order = await pay.query("IH000001")
    moves_on(clock, days=1, hours=1)

    bill = await pay.trade_bill(DAY)

    assert order is not None
    assert [(row.out_trade_no, row.total, row.refund) for row in bill.rows] == [
        ("IH000001", 3000, 0), ("IH000002", 1, 0), ("IH000001", 0, 1000),
    ]  # fmt: skip
    first, _, last = bill.rows
    assert (first.transaction_id, first.fee, first.state) == (order.transaction_id, 18_000, "SUCCESS")
    assert first.at.date() == DAY
    assert (last.refund_id, last.out_refund_no, last.state) == (back.refund_id, "RF-1", "REFUND")
    assert (len(bill.payments), len(bill.refunds), bill.mismatches) == (2, 1, ())


async def test_the_fund_flow_bill_has_fees_and_what_is_left(
    pay: WeChatPay, wechat: httpx.AsyncClient, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(refund_seconds=0)
    await paid(pay, wechat, "IH000001")
    back = await refunded(pay, "IH000001", amount=1000)
    moves_on(clock, seconds=2)
    await pay.query_refund("RF-1")
    moves_on(clock, days=1, hours=1)

    bill = await pay.fund_flow_bill(DAY)

    assert [(row.kind, row.amount, row.balance) for row in bill.rows] == [
        ("交易", 3000, 3000), ("扣除交易手续费", -18, 2982), ("退款", -994, 1988),
    ]  # fmt: skip
    assert (bill.rows[2].number, bill.rows[2].voucher) == (back.refund_id, "RF-1")
    assert bill.mismatches == ()


async def test_a_day_without_trade_has_an_empty_bill(pay: WeChatPay, clock: SharedClock) -> None:
    moves_on(clock, hours=1)
    bill = await pay.trade_bill(DAY - timedelta(days=1))
    flow = await pay.fund_flow_bill(DAY - timedelta(days=1))

    assert (bill.exists, bill.rows, flow.exists, flow.rows) == (False, (), False, ())


async def test_a_bill_that_is_still_made_is_asked_for_later(
    pay: WeChatPay, wechat: httpx.AsyncClient, town: Town, clock: SharedClock
) -> None:
    await paid(pay, wechat)
    moves_on(clock, days=1, hours=1)
    town.wechat_faults(bill_creating=True)

    with pytest.raises(BillNotReady):
        await pay.trade_bill(DAY)


async def two_orders(pay: WeChatPay, wechat: httpx.AsyncClient, clock: SharedClock) -> None:
    """Paid on `DAY`; now it is the next morning."""
    await paid(pay, wechat, "IH000001")
    await paid(pay, wechat, "IH000002", amount=1)
    moves_on(clock, days=1, hours=1)


@pytest.mark.parametrize(
    ("fault", "amounts", "mismatches"),
    [
        ("bill_off_by_one", [3001, 1], []),
        ("bill_row_off_by_one", [3001, 1], ["应结订单总金额", "订单总金额"]),
        ("bill_summary_off_by_one", [3000, 1], ["订单总金额"]),
        ("bill_missing_row", [3000], []),
        ("bill_extra_row", [3000, 1, 3000], []),
    ],
)
async def test_a_bill_that_is_wrong_is_read_as_it_is_and_says_where_it_contradicts_itself(
    pay: WeChatPay, wechat: httpx.AsyncClient, town: Town, clock: SharedClock, fault: str, amounts: list[int],
    mismatches: list[str],
) -> None:  # fmt: skip
    await two_orders(pay, wechat, clock)
    town.wechat_faults(**{fault: True})

    bill = await pay.trade_bill(DAY)

    assert [row.total for row in bill.rows] == amounts
    assert [one.what for one in bill.mismatches] == mismatches


async def test_a_bill_that_is_not_what_was_hashed_is_not_believed(
    pay: WeChatPay, wechat: httpx.AsyncClient, town: Town, clock: SharedClock
) -> None:
    await two_orders(pay, wechat, clock)
    town.wechat_faults(bill_damaged=True)

    with pytest.raises(Unavailable) as refused:
        await pay.trade_bill(DAY)
    assert refused.value.code == "bill_damaged"


async def test_a_bill_that_is_denied_though_there_was_trade_is_an_empty_one(
    pay: WeChatPay, wechat: httpx.AsyncClient, town: Town, clock: SharedClock
) -> None:
    """Whoever reconciles sees that everything of ours is missing in it."""
    await two_orders(pay, wechat, clock)
    town.wechat_faults(bill_missing=True)

    bill = await pay.trade_bill(DAY)

    assert (bill.exists, bill.rows) == (False, ())


async def test_a_bill_comes_through_an_outage_of_the_download(
    pay: WeChatPay, wechat: httpx.AsyncClient, town: Town, clock: SharedClock
) -> None:
    await two_orders(pay, wechat, clock)
    seen: list[str] = []

    async def look(response: httpx.Response) -> None:
        seen.append(response.request.url.path)
        if response.status_code == 500:
            town.wechat_faults()

    pay.signed.exchange.hosts[0].event_hooks["response"].append(look)
    town.wechat_faults(server_error=1.0, only_path="billdownload")

    bill = await pay.trade_bill(DAY)

    assert len(bill.rows) == 2
    assert seen == ["/v3/bill/tradebill", "/v3/billdownload/file", "/v3/billdownload/file"]


async def test_the_day_of_today_has_no_bill_yet(pay: WeChatPay) -> None:
    with pytest.raises(PayRefused):
        await pay.trade_bill(DAY)
