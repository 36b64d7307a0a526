"""People and deadlines around a refund: agreeing to it, refusing it, asking anew, and the bell when it takes too long."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm import service as alarms
from backend.payment import queries
from backend.payment.model import Payment, Refund
from backend.payment.rules import RefundReason, rule_for
from backend.payment.service import ALARM, DESK, LATE, REFUND, desk_of, request_refund
from backend.payment.states import DEAD, RefundState
from backend.payment.tenders import remaining
from contracts.money import yuan
from foundation.actor import SYSTEM, Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.guards import guarded
from foundation.db.intents import intend, withdraw
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Forbidden, NotFound

OPEN = (RefundState.PROPOSED, RefundState.REQUESTED, RefundState.PROCESSING, RefundState.ABNORMAL)


async def approve(session: AsyncSession, actor: Actor, refund_id: UUID, note: str = "") -> bool:
    """Agree to a proposed refund. Never by who proposed it; False when somebody else was faster with the same answer."""
    refund = await _to_decide(session, actor, refund_id)
    payment = await session.get_one(Payment, refund.payment_id)
    rule, _ = rule_for(RefundReason(refund.reason), local(payment.made_at).date())
    now = clock_of(session).now()
    moved = await advance(
        session, refund, "approve", actor, decided_by=actor.id, decided_at=now, decision_note=note or None,
        settle_by=now + timedelta(hours=rule.settle_within_hours), alarmed_at=None,
    )  # fmt: skip
    if moved:
        await intend(session, REFUND, refund.id)
        await intend(session, ALARM, refund.id, due=refund.settle_by)
        await alarms.over(session, LATE, refund.id)
        touch(session, DESK)
    return moved


async def reject(session: AsyncSession, actor: Actor, refund_id: UUID, note: str) -> bool:
    """Refuse a proposed refund, saying why. Never by who proposed it."""
    refund = await _to_decide(session, actor, refund_id)
    now = clock_of(session).now()
    moved = await advance(
        session, refund, "reject", actor, decided_by=actor.id, decided_at=now, decision_note=note
    )
    if moved:
        await withdraw(session, ALARM, refund.id)
        await alarms.over(session, LATE, refund.id)
        touch(session, DESK)
    return moved


async def _to_decide(session: AsyncSession, actor: Actor, refund_id: UUID) -> Refund:
    """The refund, locked; `Forbidden` for who asked for it (four eyes)."""
    refund = await session.get(Refund, refund_id)
    if refund is None:
        raise NotFound("没有找到该退款")
    if guarded("row_lock"):
        await lock_stream(session, refund.stream)
    refund = await lock(session, Refund, refund_id)
    if actor.id is not None and actor.id == refund.requested_by:
        raise Forbidden("退款须由另一位工作人员审批", code="four_eyes")
    return refund


async def propose(session: AsyncSession, actor: Actor, payment: Payment, amount: int, note: str) -> Refund:
    """A refund by agreement, for what no other rule foresees; somebody else must approve it."""
    made = await request_refund(session, actor, payment, RefundReason.BY_AGREEMENT, note=note, at_most=amount)
    if made is None:
        left = sum((await _left(session, payment)).values())
        if left > 0 and await _in_the_way(session, payment.id, RefundReason.BY_AGREEMENT):
            raise Conflict("已有一笔协商退款在办理，请先办结", code="refund_running")
        raise Conflict("没有可退的金额", code="nothing_to_refund")
    return made


async def _left(session: AsyncSession, payment: Payment) -> dict[str, int]:
    """Of each tender, what has not gone back and is not on its way."""
    return remaining(
        await queries.tenders(session, payment.id), await queries.given_back(session, payment.id)
    )


async def _in_the_way(session: AsyncSession, payment_id: UUID, reason: RefundReason) -> bool:
    """As the database has it (`uq_refund_alive`): a rule gives its share once, people may agree again when the last is done."""
    over = (*DEAD, RefundState.SUCCEEDED) if reason is RefundReason.BY_AGREEMENT else DEAD
    return any(
        one.state not in over for one in await queries.refunds(session, payment_id) if one.reason == reason
    )


async def renew(session: AsyncSession, actor: Actor, refund_id: UUID) -> Refund:
    """What of a closed refund has not gone back, once more: under a new number only when the provider has closed the old one."""
    refund = await session.get_one(Refund, refund_id)
    if guarded("row_lock"):
        await lock_stream(session, refund.stream)
    refund = await lock(session, Refund, refund_id)
    if refund.state is not RefundState.CLOSED:
        raise Conflict("只有已关闭的退款可以重新发起", code="refund_not_closed")
    if refund.given_up_at is not None:
        return await _take_up(session, actor, refund)
    payment, parts = (
        await session.get_one(Payment, refund.payment_id),
        await queries.refund_parts(session, refund_id),
    )
    open_parts = sum(part.amount for part in parts.values() if part.proven_at is None)
    made = await request_refund(
        session, actor, payment, RefundReason(refund.reason), note=refund.note or "", at_most=open_parts
    )
    if made is None:
        raise Conflict("没有可退的金额，或已重新发起", code="nothing_to_refund")
    await alarms.over(session, "refund_closed", refund.id)
    return made


async def _take_up(session: AsyncSession, actor: Actor, refund: Refund) -> Refund:
    """One that a person gave up is where it was; a job asks the provider where that is now. `Conflict` without the money."""
    payment = await lock(session, Payment, refund.payment_id)
    left, parts = await _left(session, payment), await queries.refund_parts(session, refund.id)
    short = any(part.amount > left.get(tender, 0) for tender, part in parts.items())
    if short or await _in_the_way(session, payment.id, RefundReason(refund.reason)):
        raise Conflict("没有可退的金额，或已重新发起", code="nothing_to_refund")
    now, (rule, _) = (
        clock_of(session).now(),
        rule_for(RefundReason(refund.reason), local(payment.made_at).date()),
    )
    settle_by = now + timedelta(hours=rule.settle_within_hours)
    await advance(session, refund, "take_up", actor, given_up_at=None, settle_by=settle_by, alarmed_at=None)
    await intend(session, REFUND, refund.id)
    await intend(session, ALARM, refund.id, due=settle_by)
    words = f"{yuan(refund.amount)} 元，重新办理，退款单号 {refund.out_refund_no}"
    await alarms.ring(session, "refund_abnormal", refund.id, words, link=desk_of(refund))
    touch(session, DESK)
    return refund


async def ring(session: AsyncSession, refund_id: UUID) -> None:
    """A deadline has passed: written down, and on the desk, once for each deadline."""
    refund = await lock(session, Refund, refund_id)
    now = clock_of(session).now()
    due = deadline(refund)
    if refund.state not in OPEN or refund.alarmed_at is not None or due is None or now < due:
        return
    refund.alarmed_at = now
    words = "审批" if refund.state is RefundState.PROPOSED else "到账"
    await alarms.ring(
        session,
        LATE,
        refund.id,
        f"应在 {local(due):%m-%d %H:%M} 前{words}",
        link=f"/desk/refunds/{refund.id}",
    )
    audit(
        session,
        SYSTEM,
        "refund.late",
        "refund",
        refund.id,
        detail={"state": refund.state.value, "rule": refund.rule_id},
    )
    touch(session, DESK)


def deadline(refund: Refund) -> datetime | None:
    """By when something must have happened to it."""
    return refund.approve_by if refund.state is RefundState.PROPOSED else refund.settle_by
