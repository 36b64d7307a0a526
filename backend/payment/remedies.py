"""An abnormal refund in a person's hands: to a card of hers, to the hospital who hands it over, or given up with a reason."""

from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm.service import over, ring
from backend.context import Context
from backend.outside.wechat_pay import UserCard
from backend.payment import queries
from backend.payment.model import HOSPITAL, USER_CARD, Refund, Remedy
from backend.payment.service import ALARM, DESK, LATE, REDIRECT, REFUND, desk_of, succeeded
from backend.payment.states import RefundState
from backend.payment.tenders import CASH
from foundation.actor import SYSTEM, Actor
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.guards import guarded
from foundation.db.intents import intend, withdraw
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Forbidden, NotFound
from foundation.ids import new_id


async def redirect(session: AsyncSession, actor: Actor, refund_id: UUID, card: UserCard | None) -> Remedy:
    """Ask WeChat Pay, by a job, to send it to `card`, or (None) to the hospital's own account. One at a time."""
    refund = await _abnormal(session, refund_id)
    assert actor.id is not None
    made = new_id()
    statement = insert(Remedy).values(
        id=made, hospital_id=hospital_id(), refund_id=refund.id, way=USER_CARD if card else HOSPITAL,
        bank_type=card.bank_type if card else "", card_number=card.number if card else None,
        card_holder=card.holder if card else None, card_tail=card.number[-4:] if card else "", asked_by=actor.id,
        asked_at=clock_of(session).now(), outcome="",
    )  # fmt: skip
    found = await session.scalar(statement.on_conflict_do_nothing().returning(Remedy.id))
    if found is None:
        raise Conflict("这笔退款已经改退，正在办理", code="remedy_running")
    audit(session, actor, "refund.ask_elsewhere", "refund", refund.id, code=USER_CARD if card else HOSPITAL)
    await intend(session, REDIRECT, made)
    touch(session, DESK)
    return await session.get_one(Remedy, made)


async def sending(session: AsyncSession, remedy_id: UUID) -> None:
    """It is about to be sent: whatever is heard of the refund from now on may be its doing."""
    remedy = await lock(session, Remedy, remedy_id)
    remedy.sent_at = remedy.sent_at or clock_of(session).now()


async def accepted(session: AsyncSession, remedy_id: UUID) -> None:
    """WeChat Pay took it. The card is no longer needed here, and forgotten."""
    remedy = await lock(session, Remedy, remedy_id)
    remedy.accepted_at = remedy.accepted_at or clock_of(session).now()
    remedy.card_number = remedy.card_holder = None
    audit(session, SYSTEM, "refund.redirected", "refund", remedy.refund_id, code=remedy.way)
    await intend(session, REFUND, remedy.refund_id)
    touch(session, DESK)


async def came_to_nothing(session: AsyncSession, remedy_id: UUID, outcome: str) -> None:
    """WeChat Pay refused it, or it is not needed: somebody may try another way."""
    remedy = await lock(session, Remedy, remedy_id)
    remedy.done_at, remedy.outcome = clock_of(session).now(), outcome[:120]
    remedy.card_number = remedy.card_holder = None
    refund = await session.get_one(Refund, remedy.refund_id)
    audit(session, SYSTEM, "refund.not_redirected", "refund", refund.id, detail={"outcome": outcome[:120]})
    if refund.state == RefundState.ABNORMAL:
        await ring(
            session, "refund_abnormal", refund.id, f"改退未成功：{outcome[:120]}", link=desk_of(refund)
        )
    await intend(session, REFUND, refund.id)
    touch(session, DESK)


async def hand_over(
    session: AsyncSession, context: Context, actor: Actor, refund_id: UUID, evidence: str
) -> Refund:
    """The patient has from the hospital what WeChat Pay gave back to it; `evidence` says how. Never by who redirected it."""
    refund = await _abnormal(session, refund_id)
    remedy = await queries.remedy(session, refund.id)
    if remedy is None or remedy.way != HOSPITAL or remedy.proven_at is None:
        raise Conflict("款项还没有退到医院账户，不能登记交付", code="nothing_to_hand_over")
    if remedy.asked_by == actor.id:
        raise Forbidden("交付须由另一位工作人员登记", code="four_eyes")
    now = clock_of(session).now()
    remedy.evidence, remedy.handed_over_by, remedy.done_at, remedy.outcome = (
        evidence,
        actor.id,
        now,
        "已交付患者",
    )
    await succeeded(session, context, refund, now, verb="hand_over", actor=actor)
    touch(session, DESK)
    return refund


async def give_up(session: AsyncSession, actor: Actor, refund_id: UUID, note: str) -> Refund:
    """Close an abnormal refund that nobody pays any more, saying why. Not while it is being sent elsewhere."""
    refund = await _abnormal(session, refund_id)
    if await queries.remedy(session, refund.id) is not None:
        raise Conflict("这笔退款正在改退，不能关闭", code="remedy_running")
    if any(part.proven_at for part in (await queries.refund_parts(session, refund.id)).values()):
        raise Conflict("部分款项已经退回，不能关闭", code="refund_partly_done")
    now = clock_of(session).now()
    await advance(
        session,
        refund,
        "close",
        actor,
        decided_by=actor.id,
        decided_at=now,
        decision_note=note,
        given_up_at=now,
    )
    await withdraw(session, ALARM, refund.id)
    await over(session, LATE, refund.id)
    await withdraw(session, REFUND, refund.id)
    await over(session, "refund_abnormal", refund.id)
    touch(session, DESK)
    return refund


async def _abnormal(session: AsyncSession, refund_id: UUID) -> Refund:
    """Locked; `Conflict` unless it waits for a person because its cash cannot arrive."""
    refund = await session.get(Refund, refund_id)
    if refund is None:
        raise NotFound("没有找到该退款")
    if guarded("row_lock"):
        await lock_stream(session, refund.stream)
    refund = await lock(session, Refund, refund_id)
    if refund.state != RefundState.ABNORMAL or CASH not in await queries.refund_parts(session, refund.id):
        raise Conflict("只有退款异常的款项可以这样处理", code="refund_not_abnormal")
    return refund
