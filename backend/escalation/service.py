"""Raising, seeing and closing an escalation; climbing one rung. Whoever is above names a kind and a subject."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account.model import Staff
from backend.escalation import rules
from backend.escalation.model import Escalation, EscalationStep
from backend.escalation.rules import Climb, Kind, Rung
from backend.escalation.states import EscalationState
from backend.notification.model import Message
from backend.notification.rules import (
    DUTY,
    PRESCRIPTION_RETURNED,
    REVIEW_WAITING,
    SMS,
    VISIT_WAITING,
    WECHAT,
    Template,
)
from backend.notification.service import tell
from backend.policy import policy
from backend.shift.on_call import who_is_on_call
from backend.shift.service import who_is_on_duty
from foundation.actor import SYSTEM, Actor
from foundation.clock import local
from foundation.db.advance import advance
from foundation.db.guards import guarded
from foundation.db.intents import intend
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Forbidden
from foundation.ids import new_id

CLIMB = "escalation.climb"
LOOK_AGAIN = "escalation.look_again"
DESK = "desk:escalations"
"""Stream of the duty desk: something was raised, seen or closed."""
DESK_PAGE = "/desk/escalations"
TEMPLATES: dict[Kind, Template] = {
    Kind.VISIT: VISIT_WAITING,
    Kind.RETURNED: PRESCRIPTION_RETURNED,
    Kind.REVIEW: REVIEW_WAITING,
}
ASKS: dict[Kind, str] = {
    Kind.VISIT: "患者正在候诊，请点击接诊",
    Kind.RETURNED: "请查看原因并修改",
    Kind.REVIEW: "请登录审核处方",
}
MANY: dict[Kind, str] = {
    Kind.VISIT: "位患者正在候诊",
    Kind.RETURNED: "张处方被退回",
    Kind.REVIEW: "张处方待审核",
}
WHO: dict[Kind, str] = {Kind.VISIT: "医生", Kind.RETURNED: "医生", Kind.REVIEW: "药师"}
CHANNELS = {Rung.WECHAT: (WECHAT, SMS), Rung.SMS: (SMS,), Rung.DUTY_DESK: (WECHAT, SMS)}
"""A doctor whom WeChat cannot reach gets the text message at once."""


async def raise_one(
    session: AsyncSession, kind: Kind, subject_id: UUID, practitioner_id: UUID, *, about: str, link: str,
    begins: datetime | None = None,
) -> Escalation:  # fmt: skip
    """Something waits for a doctor from `begins` on (now). What waits already is left as it is."""
    now = clock_of(session).now()
    begun = max(begins or now, now)
    await lock_stream(session, f"escalations:{practitioner_id}")
    known = await open_one(session, kind, subject_id)
    if known is not None and known.practitioner_id == practitioner_id:
        return known
    if known is not None:
        await _close(session, known, "handed_over")
    row = Escalation(
        id=new_id(), kind=kind, subject_id=subject_id, practitioner_id=practitioner_id, about=about, link=link,
        raised_at=now, unseen_since=begun,
    )  # fmt: skip
    session.add(row)
    await intend(session, CLIMB, practitioner_id, due=now)
    touch(session, DESK)
    return row


async def see(session: AsyncSession, actor: Actor, kind: Kind, subject_id: UUID) -> None:
    """The doctor (of what waits for pharmacists one of them), or the duty desk, looks at it: quiet for a while."""
    if actor.has("pharmacist" if kind is not Kind.REVIEW else "doctor"):
        raise Forbidden
    row = await _locked(session, kind, subject_id)
    if row is None or row.state != EscalationState.OPEN:
        return
    now = clock_of(session).now()
    await advance(session, row, "see", actor, seen_at=now, seen_by=actor.id)
    await intend(session, LOOK_AGAIN, row.id, due=now + timedelta(minutes=policy().seen_quiet_minutes))
    touch(session, DESK)


async def close(session: AsyncSession, kind: Kind, subject_id: UUID, reason: str) -> None:
    """It is dealt with, or over. `refund` is the last rung: nobody looked, and the money went back."""
    row = await _locked(session, kind, subject_id)
    if row is None:
        return
    if reason == Rung.REFUND:
        await _note(session, [row], Rung.REFUND, None, None)
    await _close(session, row, reason)


async def _locked(session: AsyncSession, kind: Kind, subject_id: UUID) -> Escalation | None:
    """The open escalation of a subject as it is under its doctor's lock; None when it was closed meanwhile."""
    row = await open_one(session, kind, subject_id)
    if row is None:
        return None
    await lock_stream(session, row.stream)
    return await open_one(session, kind, subject_id)


async def _close(session: AsyncSession, row: Escalation, reason: str) -> None:
    await advance(session, row, "close", SYSTEM, closed_at=clock_of(session).now(), close_reason=reason)
    touch(session, DESK)


async def open_one(session: AsyncSession, kind: Kind, subject_id: UUID) -> Escalation | None:
    """The escalation of a subject that is not closed."""
    query = select(Escalation).where(
        Escalation.kind == kind, Escalation.subject_id == subject_id, Escalation.state != EscalationState.CLOSED
    )  # fmt: skip
    return await session.scalar(query.execution_options(populate_existing=True))


async def duty_desk(session: AsyncSession) -> Sequence[UUID]:
    """Who hears when a doctor does not look."""
    return (await session.scalars(select(Staff.id).where(Staff.role == "duty_desk", Staff.active))).all()


async def _whom(session: AsyncSession, practitioner_id: UUID) -> Sequence[UUID]:
    """The doctor; of what lies before the pharmacy the pharmacists at work, else those on call (practice.md 12)."""
    if practitioner_id != rules.PHARMACY:
        return [practitioner_id]
    return await who_is_on_duty(session) or await who_is_on_call(session)


async def unseen_again(session: AsyncSession, row: Escalation) -> None:
    """Seen, and nothing came of it: the ladder begins anew, at its loudest rung."""
    await lock_stream(session, row.stream)
    await session.refresh(row)
    if row.state != EscalationState.SEEN:
        return
    now = clock_of(session).now()
    loudest = max(rules.ladder(row.kind, policy()).values())
    await advance(
        session, row, "reopen", SYSTEM, unseen_since=now - loudest, round=row.round + 1, seen_at=None
    )
    await intend(session, CLIMB, row.practitioner_id, due=now)
    touch(session, DESK)


async def climb(session: AsyncSession, practitioner_id: UUID) -> None:
    """Climb every rung of this doctor's whose time has come, several at once in one notice; wake up for the next."""
    if guarded("escalation_lock"):
        await lock_stream(session, f"escalations:{practitioner_id}")
    now, limits = clock_of(session).now(), policy()
    rows = await _unseen(session, practitioner_id)
    climbed = await _climbed(session, rows)
    ready: dict[tuple[Kind, Rung], list[Escalation]] = defaultdict(list)
    for row in rows:
        for rung in rules.due(_as_climb(row, climbed[row.id]), now, limits):
            ready[row.kind, rung].append(row)
    waits: list[datetime | None] = []
    for (kind, rung), several in ready.items():
        until = rules.bundle_until(await _last_sent(session, practitioner_id, kind, rung), now, limits)
        if until is not None:
            waits.append(until)
            continue
        await _tell(session, practitioner_id, kind, rung, several)
        for row in several:
            climbed[row.id] |= {rung}
    waits += [rules.next_at(_as_climb(row, climbed[row.id]), limits) for row in rows]
    due = rules.earliest(one for one in waits if one is not None and one > now)
    if due is not None:
        await intend(session, CLIMB, practitioner_id, due=due)


async def _unseen(session: AsyncSession, practitioner_id: UUID) -> Sequence[Escalation]:
    query = select(Escalation).where(
        Escalation.practitioner_id == practitioner_id, Escalation.state == EscalationState.OPEN
    )
    query = query.order_by(Escalation.unseen_since, Escalation.id).execution_options(populate_existing=True)
    return (await session.scalars(query)).all()


async def _climbed(session: AsyncSession, rows: Sequence[Escalation]) -> dict[UUID, frozenset[Rung]]:
    """Rungs of the present round; in a later round only the loudest is climbed again."""
    query = select(EscalationStep).where(EscalationStep.escalation_id.in_([row.id for row in rows]))
    steps = (await session.scalars(query)).all()
    quiet = frozenset({Rung.WECHAT, Rung.SMS})
    return {
        row.id: frozenset(one.rung for one in steps if (one.escalation_id, one.round) == (row.id, row.round))
        | (quiet if row.round else frozenset())
        for row in rows
    }


def _as_climb(row: Escalation, climbed: frozenset[Rung]) -> Climb:
    return Climb(row.kind, row.unseen_since, climbed)


async def _last_sent(session: AsyncSession, practitioner_id: UUID, kind: Kind, rung: Rung) -> datetime | None:
    """When this doctor was last told of this kind over this rung; the duty desk is told of each at once."""
    if rung is Rung.DUTY_DESK:
        return None
    query = (
        select(func.max(EscalationStep.at))
        .join(Escalation, Escalation.id == EscalationStep.escalation_id)
        .where(Escalation.practitioner_id == practitioner_id, Escalation.kind == kind)
        .where(EscalationStep.rung == rung)
    )
    found: datetime | None = await session.scalar(query)
    return found


async def _tell(
    session: AsyncSession, practitioner_id: UUID, kind: Kind, rung: Rung, rows: Sequence[Escalation]
) -> None:
    """One notice about all of them to whom the rung names."""
    if rung is Rung.SMS:
        rows = [row for row in rows if not await _texted(session, row)]
    to_desk = rung is Rung.DUTY_DESK
    recipients = await duty_desk(session) if to_desk else await _whom(session, practitioner_id)
    if not rows or not recipients:
        await _note(session, rows, rung, None, None)
        return
    template = DUTY if to_desk else TEMPLATES[kind]
    one = rows[0]
    about = one.about if len(rows) == 1 else f"{len(rows)} {MANY[kind]}"
    several = "/desk/reviews" if kind is Kind.REVIEW else "/doctor"
    link = f"{DESK_PAGE}?about={one.subject_id}" if to_desk else one.link if len(rows) == 1 else several
    data = {
        "thing1": about, "time2": f"{local(one.raised_at):%Y-%m-%d %H:%M}",
        "thing3": f"{WHO[kind]}未查看，请联系{WHO[kind]}" if to_desk else ASKS[kind],
    }  # fmt: skip
    for recipient in recipients:
        message_id = await tell(
            session, recipient, template, data, link=link, subject_id=one.subject_id, channels=CHANNELS[rung],
            count=len(rows),
        )  # fmt: skip
        await _note(session, rows, rung, recipient, message_id)


async def _texted(session: AsyncSession, row: Escalation) -> bool:
    """Whether the first notice went out as a text message already, because WeChat could not be used."""
    query = (
        select(Message.id)
        .join(EscalationStep, EscalationStep.message_id == Message.id)
        .where(EscalationStep.escalation_id == row.id, EscalationStep.round == row.round)
        .where(Message.channel == SMS, Message.delivered_at.is_not(None))
    )
    return await session.scalar(query.limit(1)) is not None


async def _note(
    session: AsyncSession,
    rows: Sequence[Escalation],
    rung: Rung,
    recipient: UUID | None,
    message: UUID | None,
) -> None:
    session.add_all(
        EscalationStep(
            escalation_id=row.id, rung=rung, round=row.round, recipient_id=recipient, message_id=message,
            bundled=len(rows), at=clock_of(session).now(),
        )
        for row in rows
    )  # fmt: skip
    await session.flush()
