"""Reads: what waits, and how far it was told."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Staff
from backend.escalation.model import Escalation, EscalationStep
from backend.escalation.states import EscalationState
from backend.notification.model import Delivery, Message
from foundation.db.unit_of_work import clock_of
from foundation.errors import NotFound

MOST = 100
RECENT = timedelta(hours=12)


@dataclass(frozen=True)
class Line:
    """One rung with its message (None where nothing is sent) and the attempts to deliver it."""

    step: EscalationStep
    message: Message | None
    attempts: Sequence[Delivery]

    @property
    def channel(self) -> str:
        """The last one tried."""
        return self.attempts[-1].channel if self.attempts else ""

    @property
    def outcome(self) -> str:
        """Of the last attempt; pending before the first."""
        return self.attempts[-1].outcome if self.attempts else "pending" if self.message else "none"

    @property
    def detail(self) -> str:
        """Why not, where it was not."""
        return self.attempts[-1].detail if self.attempts else ""


async def escalation(session: AsyncSession, escalation_id: UUID) -> Escalation:
    """By id; `NotFound`."""
    row = await session.get(Escalation, escalation_id)
    if row is None:
        raise NotFound("没有找到该提醒")
    return row


async def listed(session: AsyncSession, *, closed: bool) -> Sequence[Escalation]:
    """What waits, the oldest first; or what was closed lately, the newest first."""
    if closed:
        since = clock_of(session).now() - RECENT
        query = select(Escalation).where(
            Escalation.state == EscalationState.CLOSED, Escalation.closed_at > since
        )
        query = query.order_by(Escalation.closed_at.desc())
    else:
        query = select(Escalation).where(Escalation.state != EscalationState.CLOSED)
        query = query.order_by(Escalation.unseen_since)
    return (await session.scalars(query.limit(MOST))).all()


async def lines(session: AsyncSession, rows: Sequence[Escalation]) -> Mapping[UUID, Sequence[Line]]:
    """The rungs of each, in order."""
    ids = [row.id for row in rows]
    query = (
        select(EscalationStep, Message)
        .outerjoin(Message, Message.id == EscalationStep.message_id)
        .where(EscalationStep.escalation_id.in_(ids))
        .order_by(EscalationStep.at, EscalationStep.id)
    )
    steps: list[tuple[EscalationStep, Message | None]] = [
        (row[0], row[1]) for row in await session.execute(query)
    ]
    attempts: dict[UUID, list[Delivery]] = defaultdict(list)
    wanted = [message.id for _, message in steps if message is not None]
    tried = select(Delivery).where(Delivery.message_id.in_(wanted)).order_by(Delivery.at, Delivery.id)
    for one in await session.scalars(tried):
        attempts[one.message_id].append(one)
    found: dict[UUID, list[Line]] = defaultdict(list)
    for step, message in steps:
        found[step.escalation_id].append(Line(step, message, attempts[message.id] if message else []))
    return found


async def names(session: AsyncSession) -> Mapping[UUID, str]:
    """Members of staff by id."""
    return {row.id: row.display_name for row in await session.scalars(select(Staff))}
