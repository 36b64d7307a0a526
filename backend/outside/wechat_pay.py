"""WeChat Pay v3: order, query, close, refund, bills. Money moves on what a query says, never on a notification alone."""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlsplit

import msgspec

from backend.outside.wechat_pay_bills import (
    BillUnreadable,
    FundFlowBill,
    TradeBill,
    read_fund_flow_bill,
    read_trade_bill,
)
from backend.outside.wechat_pay_crypto import Notification
from backend.outside.wechat_pay_exchange import PayRefused
from backend.outside.wechat_pay_signed import SignedPay
from foundation.clock import local
from foundation.errors import Unavailable

__all__ = [
    "Amount", "BillNotReady", "Hint", "PayRefused", "RefundAnswer", "Transaction", "UserCard", "WeChatPay",
]  # fmt: skip

ORDERS = "/v3/pay/transactions"
REFUNDS = "/v3/refund/domestic/refunds"
LARGEST_BILL = 256 * 1024 * 1024
"""Bytes: a million rows."""


class Amount(msgspec.Struct, frozen=True):
    """Fen."""

    total: int = 0
    refund: int = 0
    payer_total: int = 0
    currency: str = "CNY"


class Transaction(msgspec.Struct, frozen=True):
    """The truth about an order: `trade_state` NOTPAY, SUCCESS, REFUND, CLOSED, PAYERROR."""

    appid: str = ""
    mchid: str = ""
    out_trade_no: str = ""
    transaction_id: str = ""
    trade_state: str = ""
    success_time: datetime | None = None
    amount: Amount = Amount()


class RefundAnswer(msgspec.Struct, frozen=True):
    """The truth about a refund: `status` PROCESSING, SUCCESS, ABNORMAL, CLOSED; `user_received_account` is where it goes."""

    refund_id: str = ""
    out_refund_no: str = ""
    out_trade_no: str = ""
    status: str = ""
    user_received_account: str = ""
    success_time: datetime | None = None
    amount: Amount = Amount()


class Hint(msgspec.Struct, frozen=True):
    """What a notification points at; its claims are not used."""

    out_trade_no: str = ""
    out_refund_no: str = ""


class _Prepay(msgspec.Struct, frozen=True):
    prepay_id: str


class _BillLink(msgspec.Struct, frozen=True):
    hash_type: str
    hash_value: str
    download_url: str


class BillNotReady(Unavailable):
    """WeChat Pay still makes the bill (from about ten o'clock of the next day it is there)."""

    code = "bill_not_ready"


class UserCard(msgspec.Struct, frozen=True):
    """A bank card of the patient's, to which an abnormal refund goes instead."""

    bank_type: str
    number: str
    holder: str


@dataclass
class WeChatPay:
    """Client of one merchant and one appid."""

    appid: str
    signed: SignedPay

    @property
    def mchid(self) -> str:
        """The merchant's number."""
        return self.signed.exchange.merchant.mchid

    async def order(
        self,
        *,
        out_trade_no: str,
        amount: int,
        description: str,
        openid: str,
        notify_url: str,
        expires: datetime,
    ) -> str:
        """Place an order; returns the prepay id. The same order again gives the same order."""
        body = {
            "appid": self.appid,
            "mchid": self.mchid,
            "description": description,
            "out_trade_no": out_trade_no,
            "notify_url": notify_url,
            "time_expire": local(expires).isoformat(timespec="seconds"),
            "amount": {"total": amount, "currency": "CNY"},
            "payer": {"openid": openid},
        }
        return (await self.signed.call("POST", f"{ORDERS}/jsapi", _Prepay, body)).prepay_id

    async def query(self, out_trade_no: str) -> Transaction | None:
        """The order as WeChat Pay has it; None when it never heard of it. An answer about another order is an error."""
        path = f"{ORDERS}/out-trade-no/{out_trade_no}?mchid={self.mchid}"
        return self._ours(await self.signed.find(path, Transaction), out_trade_no=out_trade_no)

    async def query_transaction(self, transaction_id: str) -> Transaction | None:
        """The same by WeChat Pay's own number, which an order has once it is paid."""
        path = f"{ORDERS}/id/{transaction_id}?mchid={self.mchid}"
        return self._ours(await self.signed.find(path, Transaction), transaction_id=transaction_id)

    def _ours(self, found: Transaction | None, **asked: str) -> Transaction | None:
        expected = asked | {"mchid": self.mchid, "appid": self.appid}
        if found is not None and any(getattr(found, name) != value for name, value in expected.items()):
            raise Unavailable("微信支付返回了其他订单", code="wrong_order")
        return found

    async def close_order(self, out_trade_no: str) -> None:
        """Close an unpaid order; `PayRefused` (`orderpaid`) when the money was faster."""
        path = f"{ORDERS}/out-trade-no/{out_trade_no}/close"
        await self.signed.call("POST", path, None, {"mchid": self.mchid})

    async def refund(
        self, *, out_trade_no: str, out_refund_no: str, refund: int, total: int, reason: str, notify_url: str
    ) -> RefundAnswer:
        """Ask for a refund; 200 means accepted only. A failed attempt is repeated with the same number."""
        body = {
            "out_trade_no": out_trade_no,
            "out_refund_no": out_refund_no,
            "reason": reason[:80],
            "notify_url": notify_url,
            "amount": {"refund": refund, "total": total, "currency": "CNY"},
        }
        return await self.signed.call("POST", REFUNDS, RefundAnswer, body)

    async def query_refund(self, out_refund_no: str) -> RefundAnswer | None:
        """The refund as WeChat Pay has it; None when unknown there. An answer about another refund is an error."""
        found = await self.signed.find(f"{REFUNDS}/{out_refund_no}", RefundAnswer)
        if found is not None and found.out_refund_no != out_refund_no:
            raise Unavailable("微信支付返回了其他退款", code="wrong_refund")
        return found

    async def redirect_refund(
        self, *, refund_id: str, out_refund_no: str, card: UserCard | None
    ) -> RefundAnswer:
        """Send an `ABNORMAL` refund to a card of the patient's, or (None) to the hospital's own bank account.

        Not repeated: a second one is refused, for the refund is not abnormal then. After silence, query.
        """
        body, serial = {"out_refund_no": out_refund_no, "type": "MERCHANT_BANK_CARD"}, ""
        if card is not None:
            key = await self.signed.fields()
            serial = key.serial
            body |= {
                "type": "USER_BANK_CARD",
                "bank_type": card.bank_type,
                "bank_account": key.seal(card.number),
                "real_name": key.seal(card.holder),
            }
        path = f"{REFUNDS}/{refund_id}/apply-abnormal-refund"
        return await self.signed.call("POST", path, RefundAnswer, body, repeat=False, serial=serial)

    async def trade_bill(self, day: date) -> TradeBill:
        """Payments and refunds of a day in Shanghai (not today); `BillNotReady` when it is too early."""
        content, sha1 = await self._bill(f"/v3/bill/tradebill?bill_date={day}&bill_type=ALL&tar_type=GZIP")
        if content is None:
            return TradeBill(day, exists=False)
        try:
            return read_trade_bill(day, content, sha1)
        except BillUnreadable as error:
            raise Unavailable("微信支付账单无法识别", code="bill_unreadable") from error

    async def fund_flow_bill(self, day: date) -> FundFlowBill:
        """What moved on the basic account on a day, fees and refunds included; as `trade_bill`."""
        content, sha1 = await self._bill(
            f"/v3/bill/fundflowbill?bill_date={day}&account_type=BASIC&tar_type=GZIP"
        )
        if content is None:
            return FundFlowBill(day, exists=False)
        try:
            return read_fund_flow_bill(day, content, sha1)
        except BillUnreadable as error:
            raise Unavailable("微信支付账单无法识别", code="bill_unreadable") from error

    async def _bill(self, target: str) -> tuple[bytes | None, str]:
        """The file as it was hashed, and the hash; None when there is no bill."""
        try:
            link = await self.signed.call("GET", target, _BillLink)
        except PayRefused as error:
            if error.code == "no_statement_exist":
                return None, ""
            if error.code == "statement_creating":
                raise BillNotReady("账单尚未生成，请稍后再试") from error
            raise
        url = urlsplit(link.download_url)
        content = await self.signed.download(f"{url.path}?{url.query}")
        plain = _unzipped(content) if content.startswith(b"\x1f\x8b") else content
        sha1 = hashlib.sha1(plain, usedforsecurity=False).hexdigest()
        if link.hash_type != "SHA1" or sha1 != link.hash_value.lower():
            raise Unavailable("微信支付账单校验不符", code="bill_damaged")
        return plain, sha1

    def invoke(self, prepay_id: str) -> dict[str, str]:
        """Parameters for `wx.requestPayment`."""
        exchange = self.signed.exchange
        return exchange.merchant.invoke(self.appid, prepay_id, exchange.clock.timestamp())

    async def open_notification(self, headers: Mapping[str, str], body: bytes) -> tuple[Notification, Hint]:
        """Verify and open a notification; `NotWeChat` when it is none."""
        return await self.signed.open_notification(headers, body, Hint)

    async def close(self) -> None:
        """Close the connections."""
        await self.signed.close()


def _unzipped(content: bytes) -> bytes:
    """The file; `Unavailable` for one that is torn, or larger than any day's bill."""
    machine = zlib.decompressobj(wbits=31)
    try:
        plain = machine.decompress(content, LARGEST_BILL)
    except zlib.error as error:
        raise Unavailable("微信支付账单下载不完整", code="bill_damaged") from error
    if not machine.eof:
        raise Unavailable("微信支付账单下载不完整", code="bill_damaged")
    return plain
