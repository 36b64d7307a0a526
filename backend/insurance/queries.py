"""Reads about insurance payments."""

import re
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Panel
from backend.formulary import queries as drugs
from backend.insurance.model import InsuranceOrder, InsuranceRefund, PaymentChoice
from backend.insurance.rules import Fee, services
from backend.insurance.states import ENDED_BADLY, INSURANCE_ORDER, OPEN, InsuranceState
from backend.outside.insurance import OrderType
from backend.payment import queries as payments
from backend.payment.model import Payment
from backend.prescription import queries as prescriptions
from backend.pricing.rules import DELIVERY
from contracts.money import yuan
from foundation.clock import local

PORTION = 5_000
_ID = re.compile(r"[0-9a-f]{32}")
WAYS = {"insurance": "医保支付", "self_pay": "全部自费"}


async def orders(session: AsyncSession, payment_id: UUID) -> Sequence[InsuranceOrder]:
    """Attempts, oldest first."""
    query = select(InsuranceOrder).where(InsuranceOrder.payment_id == payment_id)
    return (await session.scalars(query.order_by(InsuranceOrder.authorised_at, InsuranceOrder.id))).all()


async def latest(session: AsyncSession, payment_id: UUID) -> InsuranceOrder | None:
    """The newest attempt."""
    found = await orders(session, payment_id)
    return found[-1] if found else None


async def running(session: AsyncSession, payment_id: UUID) -> InsuranceOrder | None:
    """The attempt that may still end in a payment."""
    query = select(InsuranceOrder).where(
        InsuranceOrder.payment_id == payment_id, InsuranceOrder.state.in_(OPEN)
    )
    return await session.scalar(query)


async def by_number(session: AsyncSession, out_trade_no: str) -> InsuranceOrder | None:
    """The attempt that WeChat Pay knows by this number."""
    return await session.scalar(select(InsuranceOrder).where(InsuranceOrder.out_trade_no == out_trade_no))


async def returns(session: AsyncSession, numbers: Iterable[str]) -> dict[str, int]:
    """Cash on its way back, or back, by our own numbers among `numbers`."""
    wanted, found = sorted(set(numbers)), dict[str, int]()
    for place in range(0, len(wanted), PORTION):
        numbers = wanted[place : place + PORTION]
        ids = [UUID(hex=number[:32]) for number in numbers if _ID.match(number)]
        query = select(InsuranceOrder).where(
            InsuranceOrder.id.in_(ids), InsuranceOrder.state.in_(ENDED_BADLY)
        )
        for row in await session.scalars(query):
            found[row.refund_no] = row.cash + row.freight
    return {number: found[number] for number in wanted if number in found}


async def paid(session: AsyncSession, payment_id: UUID) -> InsuranceOrder | None:
    """The attempt by which the bill was paid."""
    query = select(InsuranceOrder).where(
        InsuranceOrder.payment_id == payment_id, InsuranceOrder.state == InsuranceState.PAID
    )
    return await session.scalar(query)


async def choices(session: AsyncSession, payment_id: UUID) -> Sequence[PaymentChoice]:
    """What she chose, oldest first."""
    query = select(PaymentChoice).where(PaymentChoice.payment_id == payment_id)
    return (await session.scalars(query.order_by(PaymentChoice.chosen_at, PaymentChoice.id))).all()


async def refund_of(session: AsyncSession, refund_id: UUID) -> InsuranceRefund | None:
    """The insurance's receipt."""
    return await session.scalar(select(InsuranceRefund).where(InsuranceRefund.refund_id == refund_id))


async def fees(session: AsyncSession, payment: Payment) -> tuple[list[Fee], int, OrderType]:
    """What of a bill the insurance is asked about, the freight it is not, and as what it is paid for."""
    lines = await payments.lines(session, payment.id)
    known = await drugs.by_codes(session, {line.code for line in lines})
    claimed, freight, kind = [], 0, OrderType.PRESCRIPTION
    for line in lines:
        if line.code == DELIVERY:
            freight += line.amount
        elif service := services().get(line.code):
            kind = service.order_type
            claimed.append(Fee(line.name, line.quantity, line.unit_amount, service.code, service.grade))
        elif drug := known.get(line.code):
            claimed.append(
                Fee(
                    line.name, line.quantity, line.unit_amount, drug.insurance_code, drug.insurance_class,
                    drug.insurance_icd10,
                )
            )  # fmt: skip
        else:
            claimed.append(Fee(line.name, line.quantity, line.unit_amount))
    return claimed, freight, kind


async def diagnoses(session: AsyncSession, payment: Payment) -> list[str]:
    """Codes that a restriction of a drug is held against."""
    if payment.subject_kind != "prescription":
        return []
    row = await prescriptions.prescription(session, payment.subject_id)
    return [one.code for one in row.content.diagnoses]


async def panels(session: AsyncSession, payment_id: UUID) -> Sequence[Panel]:
    """What the cashier's desk shows of an order: choices, numbers at bureau and WeChat, states."""
    found = [
        Panel("支付选择", [(local(one.chosen_at).strftime("%m-%d %H:%M"), _chosen(one)) for one in made])
        for made in [await choices(session, payment_id)]
        if made
    ]
    for order in await orders(session, payment_id):
        facts = [
            ("状态", INSURANCE_ORDER.labels[order.state]),
            ("未支付原因", order.failure),
            ("医保支付单号", order.pay_order_id),
            ("混合订单号", order.mix_trade_no),
            ("流水号", order.serial_no),
            ("商户单号", order.out_trade_no),
            ("统筹 / 个账 / 其他", " / ".join(yuan(part) for part in (order.gov, order.own, order.other))),
            ("自付 / 配送", f"{yuan(order.cash)} / {yuan(order.freight)}"),
        ]
        found.append(Panel("医保", [fact for fact in facts if fact[1]]))
    return found


def _chosen(row: PaymentChoice) -> str:
    parts = f"医保 {yuan(row.insurance_amount)}，自付 {yuan(row.cash_amount)}"
    return f"{WAYS[row.way]}（{parts}）" + (f"，因{row.instead_of}" if row.instead_of else "")
