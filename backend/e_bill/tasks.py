"""The job that makes the bill of a payment agree with its money."""

from backend.context import Context
from backend.e_bill import queries, rules, service
from backend.e_bill.model import EBillRow
from backend.e_bill.rules import Step
from backend.outside.e_bill import BillRequest, EBillRefused
from backend.patient import queries as patients
from backend.payment.model import Payment
from backend.payment.rulebook import RefundReason
from backend.payment.rules import REFUND_RULES
from foundation.db.intents import Handler, TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Unavailable

STEPS_AT_ONCE = 4
"""Reverse, want, issue, look again: no payment needs more in one go."""
SILENT = "电子票据平台暂时没有响应，稍后自动重试"


async def drive(work: Work[Context]) -> None:
    """One step after the other until bill and money agree; each step is written down before the next."""
    context = work.context
    if not context.e_bills.offered:
        return
    for _ in range(STEPS_AT_ONCE):
        async with unit_of_work(context.db) as session:
            step, bill = await service.look(session, work.subject)
        if step is Step.NOTHING or bill is None:
            return
        try:
            await _do(context, step, bill)
        except (EBillRefused, Unavailable) as error:
            words = error.detail if isinstance(error, EBillRefused) else SILENT
            async with unit_of_work(context.db) as session:
                await service.trouble(session, bill.id, words)
            raise
    raise TryLater("bill and money do not agree yet")


async def _do(context: Context, step: Step, bill: EBillRow) -> None:
    if step is Step.ISSUE:
        await _issue(context, bill)
    elif step is Step.DROP:
        await _drop(context, bill)
    elif step is Step.REVERSE:
        await _reverse(context, bill)


async def _issue(context: Context, bill: EBillRow) -> None:
    made = await context.e_bills.issue(await _request(context, bill))
    async with unit_of_work(context.db) as session:
        await service.issued(session, bill.id, made)


async def _drop(context: Context, bill: EBillRow) -> None:
    """A bill that may have been issued although its answer was lost is kept, and reversed in the next step."""
    made = await context.e_bills.query(bill.request_id)
    async with unit_of_work(context.db) as session:
        if made is None:
            await service.drop(session, bill.id)
        else:
            await service.issued(session, bill.id, made)


async def _reverse(context: Context, bill: EBillRow) -> None:
    async with unit_of_work(context.db) as session:
        refund = await service.may_reverse(session, bill.id)
    reason = REFUND_RULES[RefundReason(refund.reason)].words
    made = await context.e_bills.red((bill.code, bill.number), bill.red_request_id, reason)
    async with unit_of_work(context.db) as session:
        await service.reversed_by(session, bill.id, refund.id, made)


async def _request(context: Context, bill: EBillRow) -> BillRequest:
    async with unit_of_work(context.db) as session:
        payment = await session.get_one(Payment, bill.payment_id)
        person = await patients.person(session, payment.person_id)
        fees = await queries.fees(session, payment)
    assert payment.paid_at is not None
    return BillRequest(
        bill.request_id, person.name, payment.transaction_id, payment.paid_at, rules.items(fees, bill.split.total),
        bill.split,
    )  # fmt: skip


HANDLERS: dict[str, Handler] = {service.DRIVE: drive}
