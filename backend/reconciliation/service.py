"""Opening days, keeping what a comparison found, settling differences. Nobody is called from here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from backend.alarm import service as alarms
from backend.payment import service as money
from backend.payment.model import Payment, Refund
from backend.reconciliation import queries, rules
from backend.reconciliation.model import DifferenceRow, ReconciliationDay, ReconciliationRun
from backend.reconciliation.rules import Difference, Kind, Money, Resolution
from backend.reconciliation.states import DayState, DifferenceState
from backend.writeback.model import WriteBack
from backend.writeback.service import SEND
from foundation.actor import SYSTEM, Actor
from foundation.clock import local_day_start
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.base import hospital_id
from foundation.db.guards import guarded
from foundation.db.intents import intend
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import clock_of, touch
from foundation.errors import Conflict
from foundation.ids import new_id

RUN = "reconciliation.run"
DAYS = "reconciliation.days"
DESK = "desk:reconciliation"
DIFFERS, WAITS = "reconciliation_differs", "reconciliation_waits"
"""Kinds of alarms."""
PATIENCE = timedelta(days=1)
SOON = timedelta(seconds=20)
"""How long a repair is given before the day is compared again."""


@dataclass(frozen=True)
class Compared:
    """What one comparison came to: figures for the run, differences, and where the statement lies."""

    figures: Mapping[str, int]
    found: Sequence[Difference]
    entries: int
    trade_sha1: str
    flow_sha1: str
    statement: str
    statement_hash: str


async def ensure_days(session: AsyncSession) -> None:
    """A row and a job for every day from the last known one to today; safe to call at any time."""
    today = clock_of(session).today()
    last = await session.scalar(select(func.max(ReconciliationDay.day)))
    day = today if last is None else last
    while day <= today:
        await _open_day(session, day)
        day += timedelta(days=1)


async def _open_day(session: AsyncSession, day: date) -> None:
    due = rules.due_at(day)
    statement = insert(ReconciliationDay).values(
        id=new_id(), hospital_id=hospital_id(), day=day, state=DayState.OPEN, due_at=due, waiting_for=""
    )
    made = await session.scalar(statement.on_conflict_do_nothing().returning(ReconciliationDay.id))
    if made is not None:
        await intend(session, RUN, made, due=due)


def span(day: date) -> tuple[datetime, datetime]:
    """Midnight to midnight in Shanghai."""
    return local_day_start(day), local_day_start(day + timedelta(days=1))


async def begin(session: AsyncSession, day_id: UUID) -> ReconciliationDay | None:
    """The day, being compared from now on; None when it is closed."""
    row = await queries.day_row(session, day_id)
    await lock_stream(session, row.stream)
    row = await lock(session, ReconciliationDay, day_id)
    if row.state is DayState.CLOSED:
        return None
    await advance(session, row, "start", SYSTEM)
    touch(session, DESK)
    return row


async def finished(session: AsyncSession, day_id: UUID, compared: Compared) -> ReconciliationDay:
    """Keep the run; known differences stay as they are, gone ones vanish, and a day without open ones closes."""
    row = await queries.day_row(session, day_id)
    await lock_stream(session, row.stream)
    row = await lock(session, ReconciliationDay, day_id)
    if row.state is not DayState.MATCHING:
        return row
    now = clock_of(session).now()
    run = ReconciliationRun(
        id=new_id(), day_id=day_id, at=now, differences=len(compared.found), entries=compared.entries,
        trade_sha1=compared.trade_sha1, flow_sha1=compared.flow_sha1, statement=compared.statement,
        statement_hash=compared.statement_hash, **compared.figures,
    )  # fmt: skip
    session.add(run)
    await session.flush()
    row.last_run, row.waiting_for = run.id, ""
    waiting = await _keep(session, row, compared.found)
    await alarms.over(session, WAITS, row.day)
    if waiting:
        await advance(session, row, "differ", SYSTEM)
        link = f"/desk/reconciliation/{row.id}"
        await alarms.ring(session, DIFFERS, row.day, f"{row.day} 有 {waiting} 笔差异待处理", link=link)
    else:
        await advance(session, row, "close", SYSTEM, closed_at=now)
        await alarms.over(session, DIFFERS, row.day)
    touch(session, DESK)
    return row


async def wait_for(session: AsyncSession, day_id: UUID, what: str) -> None:
    """Note what is waited for; a day later somebody is told."""
    row = await queries.day_row(session, day_id)
    row.waiting_for = what
    if clock_of(session).now() >= row.due_at + PATIENCE:
        link = f"/desk/reconciliation/{row.id}"
        await alarms.ring(session, WAITS, row.day, f"{row.day} 的账目还不能核对", link=link)
    touch(session, DESK)


async def _keep(session: AsyncSession, row: ReconciliationDay, found: Sequence[Difference]) -> int:
    """Differences as rows; how many of them wait for a person."""
    known = {(one.kind, one.money, one.number): one for one in await queries.differences(session, row.id)}
    wanted = {one.key: one for one in found}
    for key, old in known.items():
        if key not in wanted and old.state is DifferenceState.OPEN:
            await advance(session, old, "vanish", SYSTEM)
    for key, one in wanted.items():
        there = known.get(key)
        if there is None:
            await _add(session, row, one)
        elif there.state is not DifferenceState.OPEN and not _explained(there, one):
            await advance(session, there, "return_to_open", SYSTEM, mine=one.mine, theirs=one.theirs)
        elif there.state is DifferenceState.OPEN:
            there.mine, there.theirs = one.mine, one.theirs
    await session.flush()
    counts = await queries.open_counts(session)
    return counts.get(row.id, 0)


def _explained(there: DifferenceRow, one: Difference) -> bool:
    """A person settled exactly this: the same amounts."""
    return there.state is DifferenceState.SETTLED and (there.mine, there.theirs) == (one.mine, one.theirs)


async def _add(session: AsyncSession, row: ReconciliationDay, one: Difference) -> None:
    payment_id, refund_id = await _ours(session, one)
    made = DifferenceRow(
        id=new_id(), day_id=row.id, day=row.day, kind=one.kind, money=one.money, number=one.number, own=one.own,
        mine=one.mine, theirs=one.theirs, payment_id=payment_id, refund_id=refund_id,
        found_at=clock_of(session).now(),
    )  # fmt: skip
    session.add(made)
    audit(
        session, SYSTEM, "difference.found", "difference", made.id,
        detail={"kind": one.kind, "number": one.number, "mine": str(one.mine), "theirs": str(one.theirs)},
    )  # fmt: skip


async def _ours(session: AsyncSession, one: Difference) -> tuple[UUID | None, UUID | None]:
    """The payment or refund of ours it is about, by either number."""
    if one.kind is Kind.BILL_SUMS:
        return None, None
    if one.money is Money.REFUND:
        query = select(Refund.id, Refund.payment_id).where(
            (Refund.out_refund_no == one.own) if one.own else (Refund.provider_refund_id == one.number)
        )
        refund = (await session.execute(query.limit(1))).first()
        return (refund.payment_id, refund.id) if refund else (None, None)
    own = Payment.out_trade_no == one.own if one.own else Payment.transaction_id == one.number
    return await session.scalar(select(Payment.id).where(own).limit(1)), None


async def settle(
    session: AsyncSession, actor: Actor, difference_id: UUID, resolution: Resolution, note: str
) -> bool:
    """A person says how a difference was settled. The last one closes the day. False when somebody said the same before."""
    row = await queries.difference(session, difference_id)
    if guarded("day_lock"):
        await lock_stream(session, row.stream)
    row = await lock(session, DifferenceRow, difference_id)
    if row.state is DifferenceState.SETTLED and row.resolution != resolution:
        raise Conflict("该差异已由他人处理，请刷新查看", code="difference_settled")
    now = clock_of(session).now()
    moved = await advance(
        session,
        row,
        "settle",
        actor,
        resolution=resolution.value,
        note=note,
        settled_by=actor.id,
        settled_at=now,
    )
    if moved:
        await _close_if_done(session, actor, row.day_id, now)
        touch(session, DESK)
    return moved


async def _close_if_done(session: AsyncSession, actor: Actor, day_id: UUID, now: datetime) -> None:
    counts = await queries.open_counts(session)
    day = await lock(session, ReconciliationDay, day_id)
    if counts.get(day_id, 0) == 0 and day.state is DayState.DIFFERING:
        await advance(session, day, "close", actor, closed_at=now)
        await alarms.over(session, DIFFERS, day.day)


async def again(session: AsyncSession, actor: Actor, day_id: UUID) -> ReconciliationDay:
    """Compare the day once more, at once; a closed one is opened for it."""
    row = await queries.day_row(session, day_id)
    await lock_stream(session, row.stream)
    row = await lock(session, ReconciliationDay, day_id)
    now = clock_of(session).now()
    if now < row.due_at:
        raise Conflict("微信支付次日 10 时起提供账单，请稍后再核对", code="bill_not_ready")
    if row.state is DayState.CLOSED:
        await advance(session, row, "reopen", actor, closed_at=None)
    audit(session, actor, "reconciliation.again", "reconciliation", row.id)
    await intend(session, RUN, row.id)
    touch(session, DESK)
    return row


async def mend(session: AsyncSession, actor: Actor, difference_id: UUID) -> DifferenceRow:
    """Let a job do again what may be missing (ask the provider, write to the hospital), then compare the day again."""
    row = await queries.difference(session, difference_id)
    await lock_stream(session, row.stream)
    row = await lock(session, DifferenceRow, difference_id)
    if row.state is not DifferenceState.OPEN:
        raise Conflict("该差异已处理", code="difference_settled")
    if row.kind == Kind.MISSING_HOSPITAL:
        done = await _write_again(session, row.refund_id or row.payment_id)
    else:
        done = await _ask_again(session, row)
    if not done:
        raise Conflict("这类差异不能自动补办，请查明后登记处理结果", code="nothing_to_mend")
    audit(session, actor, "difference.mend", "difference", row.id)
    await intend(session, RUN, row.day_id, due=clock_of(session).now() + SOON)
    return row


async def _ask_again(session: AsyncSession, row: DifferenceRow) -> bool:
    """The provider has something that we do not: the query decides."""
    if row.kind not in (Kind.MISSING_OURS, Kind.MISSING_FLOW):
        return False
    if row.refund_id is not None:
        await intend(session, money.REFUND, row.refund_id)
    elif row.payment_id is not None:
        await intend(session, money.SETTLE, row.payment_id)
    return row.refund_id is not None or row.payment_id is not None


async def _write_again(session: AsyncSession, subject_id: UUID | None) -> bool:
    query = select(WriteBack).where(WriteBack.subject_id == subject_id, WriteBack.acknowledged_at.is_(None))
    step = await session.scalar(query)
    if step is None:
        return False
    step.refused_code = ""
    await intend(session, SEND, step.id)
    return True
