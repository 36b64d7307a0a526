"""Pharmacists on call: planned by the schedule manager, told when a prescription waits and nobody is at work (practice.md 12)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Staff
from backend.shift.model import OnCall
from foundation.actor import Actor
from foundation.db.audit import audit
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict, Invalid, Issue, NotFound
from foundation.ids import new_id

DESK = "desk:on-call"
MOST_HOURS = 72
"""One person's call in one piece."""


def span_issues(starts_at: datetime, ends_at: datetime, now: datetime) -> list[Issue]:
    """What is wrong with a call's time. Pure."""
    issues = []
    if ends_at <= starts_at:
        issues.append(Issue("ends_at", "before_begin", "结束时间要晚于开始时间"))
    elif (ends_at - starts_at).total_seconds() > MOST_HOURS * 3600:
        issues.append(Issue("ends_at", "too_long", f"一次听班不超过 {MOST_HOURS} 小时"))
    if ends_at <= now:
        issues.append(Issue("ends_at", "over", "该时间已过"))
    return issues


async def plan(
    session: AsyncSession, actor: Actor, pharmacist_id: UUID, starts_at: datetime, ends_at: datetime
) -> OnCall:
    """Put a pharmacist on call; the same one twice at a time is a slip."""
    if issues := span_issues(starts_at, ends_at, clock_of(session).now()):
        raise Invalid(issues[0].message, issues=issues)
    who = await session.get(Staff, pharmacist_id)
    if who is None or who.role != "pharmacist" or not who.active:
        raise NotFound("没有找到该药师")
    await lock_stream(session, f"on-call:{pharmacist_id}")
    clash = select(OnCall.id).where(
        OnCall.practitioner_id == pharmacist_id, OnCall.withdrawn_at.is_(None), OnCall.starts_at < ends_at,
        OnCall.ends_at > starts_at,
    )  # fmt: skip
    if await session.scalar(clash) is not None:
        raise Conflict("该药师此时已安排听班", code="already_on_call")
    row = OnCall(id=new_id(), practitioner_id=pharmacist_id, starts_at=starts_at, ends_at=ends_at)
    session.add(row)
    audit(session, actor, "shift.plan_on_call", "practitioner", pharmacist_id)
    touch(session, DESK)
    return row


async def withdraw(session: AsyncSession, actor: Actor, on_call_id: UUID) -> None:
    """Take it back; what is over stays as it was."""
    row = await session.get(OnCall, on_call_id, with_for_update=True)
    if row is None or row.withdrawn_at is not None:
        raise NotFound("没有找到这条听班")
    now = clock_of(session).now()
    if row.ends_at <= now:
        raise Conflict("该听班已经结束", code="on_call_over")
    row.withdrawn_at = now
    audit(session, actor, "shift.withdraw_on_call", "practitioner", row.practitioner_id)
    touch(session, DESK)


async def who_is_on_call(session: AsyncSession) -> Sequence[UUID]:
    """Now, the longest planned first."""
    now = clock_of(session).now()
    query = (
        select(OnCall.practitioner_id)
        .join(Staff, Staff.id == OnCall.practitioner_id)
        .where(OnCall.withdrawn_at.is_(None), OnCall.starts_at <= now, OnCall.ends_at > now, Staff.active)
        .order_by(OnCall.starts_at)
    )
    return (await session.scalars(query)).unique().all()


async def planned(session: AsyncSession, limit: int = 100) -> Sequence[tuple[OnCall, Staff]]:
    """Calls that are not over, the next first."""
    query = (
        select(OnCall, Staff)
        .join(Staff, Staff.id == OnCall.practitioner_id)
        .where(OnCall.withdrawn_at.is_(None), OnCall.ends_at > clock_of(session).now())
        .order_by(OnCall.starts_at)
        .limit(limit)
    )
    return [(row, who) for row, who in (await session.execute(query)).all()]
