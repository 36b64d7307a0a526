"""What the reconciliation asks of others: WeChat Pay's bills, and what the hospital has."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from backend.outside.wechat_pay_bills import FundFlowBill, TradeBill
from contracts.his import Charges, ChargesReply, HospitalCharge
from foundation.errors import Unavailable

T = TypeVar("T")
PATIENCE = 30
"""Times that a busy gateway is asked again, a second apart."""


class Bills(Protocol):
    """`backend.outside.wechat_pay.WeChatPay`. `BillNotReady` while WeChat Pay still makes the bill."""

    async def trade_bill(self, day: date) -> TradeBill:
        """Payments and accepted refunds of a day."""

    async def fund_flow_bill(self, day: date) -> FundFlowBill:
        """What moved on the account on a day."""


class Asks(Protocol):
    """`backend.outside.his.Hospital`."""

    async def call(self, request: Any, kind: type[T]) -> T:
        """One typed operation."""


async def charges_of(hospital: Asks, since: datetime, until: datetime) -> Sequence[HospitalCharge]:
    """All charges of a span of time; halved as often as the answer says that it does not fit."""
    reply = await _patiently(hospital, Charges(purpose="payment", since=since, until=until))
    if reply.complete:
        return reply.charges
    middle = (since + (until - since) / 2).replace(microsecond=0)
    if not since < middle < until:
        raise Unavailable("院内系统一秒内的收费过多", code="hospital_answer_unusable")
    first, second = await charges_of(hospital, since, middle), await charges_of(hospital, middle, until)
    return [*first, *second]


async def _patiently(hospital: Asks, asked: Charges) -> ChargesReply:
    """The gateway lets so many questions a second through: `busy` is asked again, not given up."""
    for _ in range(PATIENCE):
        try:
            return await hospital.call(asked, ChargesReply)
        except Unavailable as error:
            if error.code != "busy":
                raise
        await asyncio.sleep(1)
    return await hospital.call(asked, ChargesReply)
