"""Wanting, issuing and reversing e-bills. No call to the platform happens here."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.e_bill import queries, rules
from backend.e_bill.model import EBillRow
from backend.e_bill.rules import Step
from backend.e_bill.states import EBillState
from backend.outside.e_bill import IssuedBill
from backend.outside.insurance import Split
from backend.payment.model import Payment, Refund
from backend.payment.states import PaymentState
from foundation.actor import SYSTEM, Actor
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict
from foundation.ids import new_id

DRIVE = "e_bill.drive"
DESK = "desk:e-bills"


async def on_money(session: AsyncSession, context: Context, payment_id: UUID) -> None:
    """A receipt or a refund was proven: the bill follows by a job."""
    if context.e_bills.offered:
        await intend(session, DRIVE, payment_id)


async def look(session: AsyncSession, payment_id: UUID) -> tuple[Step, EBillRow | None]:
    """Which step comes next; what needs no call is done here and looked at again."""
    payment = await session.get_one(Payment, payment_id)
    await lock_stream(session, payment.stream)
    payment = await lock(session, Payment, payment_id)
    if payment.state != PaymentState.CONFIRMED:
        return Step.NOTHING, None
    net, bill = await queries.net(session, payment_id), await queries.live(session, payment_id)
    issued = bill is not None and bill.state == EBillState.ISSUED
    step = rules.next_step(net, bill.split if bill else None, issued=issued)
    if step is Step.WANT:
        return Step.ISSUE, await _want(session, payment, net)
    return step, bill


async def _want(session: AsyncSession, payment: Payment, net: Split) -> EBillRow:
    before = await queries.bills(session, payment.id)
    row = EBillRow(
        id=new_id(), payment_id=payment.id, stream=payment.stream, sequence=len(before) + 1, gov=net.gov, own=net.self_,
        other=net.other, cash=net.cash, wanted_at=clock_of(session).now(),
    )  # fmt: skip
    session.add(row)
    await session.flush()
    return row


async def issued(session: AsyncSession, bill_id: UUID, made: IssuedBill) -> None:
    """The platform's answer."""
    row = await _locked(session, bill_id)
    await advance(
        session, row, "issue", SYSTEM, code=made.code, number=made.number, check_code=made.check_code,
        notice=made.notice[:60], issued_at=made.issued_at, problem="",
    )  # fmt: skip
    touch(session, DESK)


async def drop(session: AsyncSession, bill_id: UUID) -> None:
    """It was never issued, says the platform, and is not needed as it is."""
    row = await _locked(session, bill_id)
    await advance(session, row, "drop", SYSTEM, problem="")
    touch(session, DESK)


async def may_reverse(session: AsyncSession, bill_id: UUID) -> Refund:
    """The refund that a red bill is for. `Conflict` while none has succeeded: never before the money is back."""
    row = await _locked(session, bill_id)
    refund = await queries.newest_refund(session, row.payment_id)
    if refund is None:
        raise Conflict("退款到账后才能冲红", code="red_before_refund")
    return refund


async def reversed_by(session: AsyncSession, bill_id: UUID, refund_id: UUID, made: IssuedBill) -> None:
    """The platform's answer to a reversal."""
    row = await _locked(session, bill_id)
    await advance(
        session, row, "reverse", SYSTEM, red_number=made.number, red_check_code=made.check_code, red_at=made.issued_at,
        red_for=refund_id, problem="",
    )  # fmt: skip
    touch(session, DESK)


async def trouble(session: AsyncSession, bill_id: UUID, words: str) -> None:
    """Why it is not further, for the desk."""
    row = await _locked(session, bill_id)
    row.problem = words[:160]
    touch(session, DESK)


async def retry(session: AsyncSession, actor: Actor, bill_id: UUID) -> EBillRow:
    """A clerk asks for one more attempt now."""
    row = await _locked(session, bill_id)
    await intend(session, DRIVE, row.payment_id)
    audit(session, actor, "e_bill.retry", "e_bill", row.id)
    return row


async def _locked(session: AsyncSession, bill_id: UUID) -> EBillRow:
    row = await session.get_one(EBillRow, bill_id)
    await lock_stream(session, row.stream)
    return await lock(session, EBillRow, bill_id)
