"""The port to medical insurance: pre-settle, authorise, place, query, refund. `SelfPayOnly` is the hospital without it.

Amounts are fen. The patient authorises herself, for one payment (practice.md 3); an authorisation lasts some minutes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from foundation.errors import AppError, Conflict


class OrderType(StrEnum):
    """What is paid for, as WeChat names it for an internet hospital: 挂号, 复诊, 处方."""

    REGISTRATION = "INT_REG_PAY"
    FOLLOW_UP = "INT_RE_DIAG_PAY"
    PRESCRIPTION = "INT_RX_PAY"


@dataclass(frozen=True)
class Split:
    """Who pays which part: pooled fund (医保统筹), personal account (个人账户), other funds (其他), cash (自付)."""

    gov: int
    self_: int
    other: int
    cash: int

    @property
    def insurance(self) -> int:
        """What the insurance pays."""
        return self.gov + self.self_ + self.other

    @property
    def total(self) -> int:
        """What was claimed."""
        return self.insurance + self.cash


@dataclass(frozen=True)
class Authorisation:
    """A person let us pay from her insurance: whose it is, and where she was (经度,纬度)."""

    pay_auth_no: str
    name: str
    id_number: str
    location: str


@dataclass(frozen=True)
class ClaimLine:
    """A fee as the insurance's catalogue knows it; `grade` 甲, 乙, 丙, or empty for what it does not pay."""

    code: str
    name: str
    grade: str
    quantity: int
    unit_amount: int
    amount: int


@dataclass(frozen=True)
class Claim:
    """What the insurance is asked to pay for; the same `serial_no` with the same content is the same claim."""

    serial_no: str
    pay_auth_no: str
    order_type: OrderType
    lines: Sequence[ClaimLine]

    @property
    def total(self) -> int:
        """In fen."""
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True)
class Quote:
    """What the insurance would pay of a claim, binding while the authorisation lasts."""

    pay_order_id: str
    split: Split
    made_at: datetime


@dataclass(frozen=True)
class MixedOrder:
    """One payment from two purses. `freight` is paid in cash and no business of the insurance."""

    out_trade_no: str
    serial_no: str
    order_type: OrderType
    openid: str
    name: str
    id_number: str
    pay_order_id: str
    pay_auth_no: str
    location: str
    quoted_at: datetime
    split: Split
    freight: int
    prepay_id: str
    callback_url: str

    @property
    def cash(self) -> int:
        """What she pays by WeChat."""
        return self.split.cash + self.freight


class Part(StrEnum):
    """State of one side of a mixed order; `none` when it has no such side."""

    CREATED = "CREATED"
    SUCCESS = "SUCCESS"
    REFUND = "REFUND"
    FAIL = "FAIL"
    NONE = ""


@dataclass(frozen=True)
class Mixed:
    """The truth about a mixed order; `split` and `cash` as the provider has them."""

    mix_trade_no: str
    out_trade_no: str
    whole: Part
    cash_part: Part
    insurance_part: Part
    split: Split
    cash: int
    paid_at: datetime | None
    reason: str


@dataclass(frozen=True)
class GivenBack:
    """A refund at the insurance; `refunded_at` is None while it is on its way."""

    refund_no: str
    refund_id: str
    split: Split
    refunded_at: datetime | None


class InsuranceRefused(AppError):
    """The insurance says no, in words for the patient; nothing will change by asking again."""

    status, code, title = 409, "insurance_refused", "医保没有受理"


class MedicalInsurance(Protocol):
    """What paying by insurance needs. `Unavailable` is silence, which nobody may read as a yes or a no."""

    @property
    def offered(self) -> bool:
        """Whether this hospital takes insurance at all."""

    def invitation(self) -> Mapping[str, str]:
        """Parameters of the page on which she authorises; the caller adds where to return."""

    async def authorise(self, code: str, openid: str) -> Authorisation:
        """What the page's code stands for; good once."""

    async def pre_settle(self, claim: Claim) -> Quote:
        """What would be paid."""

    async def revoke(self, pay_order_id: str) -> bool:
        """Take an unsettled claim back; False when it is settled and stays."""

    async def place(self, order: MixedOrder) -> Mixed:
        """Place the mixed order. After silence, asking again is safe: the number is good for one order."""

    async def query(self, out_trade_no: str) -> Mixed | None:
        """The order as the provider has it; None when it never heard of it."""

    async def refund(self, pay_order_id: str, refund_no: str, split: Split, reason: str) -> GivenBack:
        """Give the insurance's parts back; the same number again is the same refund. `split.cash` is nothing here."""

    async def tell_refunded(self, mix_trade_no: str, back: GivenBack) -> None:
        """Tell the provider what the insurance has given back, so that its own record is right."""

    async def close(self) -> None:
        """Close the connections."""


class SelfPayOnly:
    """A hospital that takes no insurance: nothing is offered, and nothing is pretended."""

    offered = False

    def invitation(self) -> Mapping[str, str]:
        """There is none."""
        raise _nothing()

    async def authorise(self, code: str, openid: str) -> Authorisation:
        """Never."""
        raise _nothing()

    async def pre_settle(self, claim: Claim) -> Quote:
        """Never."""
        raise _nothing()

    async def revoke(self, pay_order_id: str) -> bool:
        """Never."""
        raise _nothing()

    async def place(self, order: MixedOrder) -> Mixed:
        """Never."""
        raise _nothing()

    async def query(self, out_trade_no: str) -> Mixed | None:
        """Never."""
        raise _nothing()

    async def refund(self, pay_order_id: str, refund_no: str, split: Split, reason: str) -> GivenBack:
        """Never."""
        raise _nothing()

    async def tell_refunded(self, mix_trade_no: str, back: GivenBack) -> None:
        """Never."""
        raise _nothing()

    async def close(self) -> None:
        """Nothing is open."""


def _nothing() -> Conflict:
    return Conflict("本院暂未开通医保支付，请自费支付", code="insurance_not_offered")
