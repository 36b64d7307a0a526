"""Drives a day's statement: hear what was sent, state, exchange, compare, replay, close.

Each step is short in the database; while the platform is asked nothing is locked, and a lease keeps a second
reconciler of the same statement away.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.days import DayHeard, Sent
from foundation.actor import SYSTEM, Actor
from foundation.canonical import canonical
from foundation.db.advance import advance
from foundation.db.audit import audit
from foundation.db.guards import guarded
from foundation.db.locks import lock, lock_stream
from foundation.db.unit_of_work import Database, clock_of, unit_of_work
from foundation.errors import AppError, Busy, Conflict, NotFound, invalid
from foundation.logs import log
from regulator_adapter.city_client import CityClient
from regulator_adapter.days import asking, counting, opening
from regulator_adapter.days.closing import Frozen, closing_of, keep, pack
from regulator_adapter.days.counting import Span
from regulator_adapter.days.differences import Difference, as_rows
from regulator_adapter.days.model import PlatformCount, Statement
from regulator_adapter.days.replaying import replay
from regulator_adapter.days.rules import Holes, differing_parts, holes, part_of, ranges, same
from regulator_adapter.days.seals import Seal, Signer, Trust
from regulator_adapter.days.states import DayState
from regulator_adapter.days.stating import Stated, state, still
from regulator_adapter.organisation import Organisation
from regulator_adapter.profiles import Profile

LEASE = timedelta(minutes=3)
REPAIRS_KEPT = 50
PARTS_EXPLAINED = 16
"""At most so many parts in one go; the next turn takes the others."""


@dataclass(frozen=True)
class Days:
    """What reconciling needs. `trust` is whose statements we believe; without a signer nothing can be closed."""

    db: Database
    client: CityClient
    chain: Profile
    who: Organisation
    signer: Signer | None
    trust: Trust | None


@dataclass(frozen=True)
class Told:
    """What the platform said: its document and its very text, or why there is none."""

    document: dict[str, Any] | None = None
    theirs: asking.Theirs | None = None
    problem: Difference | None = None


async def hear(db: Database, day: date, sent: Sent) -> DayHeard:
    """The backend says what it sent of `day`; the answer names what did not arrive. A day that nothing has come of is
    opened by it. Heard after the closing, it changes nothing."""
    async with unit_of_work(db) as session:
        arrived = await counting.arrived_through(session, await opening.settled_through(session))
        missing = []
        if sent.last_number > arrived:
            missing = await counting.missing_numbers(session, arrived, sent.last_number)
        # The lock of all days only where a row has to be made: whoever waits for this one, while it is stated, holds up nobody else.
        newest = await opening.latest(session, day) or await opening.opened(session, day)
        if newest is None:
            return DayHeard(missing, None)
        row = await lock(session, Statement, newest.id)
        if row.state is not DayState.CLOSED:
            row.sent = canonical(sent).decode()
        return DayHeard(missing, row.closed_at)


@dataclass(frozen=True)
class _Turn:
    """One turn of one statement, held by its lease."""

    row: Statement
    stated: Stated
    seal: Seal | None
    lease: datetime
    actor: Actor
    sent: str
    """What the outbox had said when our side was stated; it may say more while the platform is asked."""


async def reconcile(days: Days, day: date, actor: Actor = SYSTEM) -> Statement:
    """One turn for the open statement of `day`; returns the row as it then stands. `NotFound`, `Busy` beside another turn."""
    turn = await _begin(days, day, actor)
    if isinstance(turn, Statement):
        return turn
    told, lost = Told(), Holes([], [])
    if not turn.stated.blocking and days.chain.states_days:
        told = await _ask(days, turn.stated, turn.seal)
        if told.document is not None and not same(turn.stated.document, told.document):
            lost = await _find_holes(days, turn, told.document)
    frozen = await _packed(days, turn) if _may_close(days, turn.stated, told) else None
    return await _end(days, turn, told, lost, frozen)


def _may_close(days: Days, stated: Stated, told: Told) -> bool:
    """As far as it can be told before the last look."""
    agreed = told.document is not None or (told.problem is None and not days.chain.states_days)
    differs = told.document is not None and not same(stated.document, told.document)
    return agreed and not (differs or stated.blocking or stated.uncounted or days.signer is None)


async def _packed(days: Days, turn: _Turn) -> Frozen:
    async with unit_of_work(days.db) as session:
        return await pack(session, Span(turn.row.day, turn.stated.document["through"]))


async def _begin(days: Days, day: date, actor: Actor) -> _Turn | Statement:
    """State our side and take the lease; a closed statement as it is."""
    async with unit_of_work(days.db) as session:
        newest = await opening.latest(session, day)
        if newest is None:
            raise NotFound("这一天没有对账单")
        row, now = await lock(session, Statement, newest.id), clock_of(session).now()
        if row.state is DayState.CLOSED:
            return row
        if guarded("statement_lease") and row.claimed_until is not None and row.claimed_until > now:
            raise Busy("正在对账，请稍后再看", retry_after=10)
        stated = await state(session, row, days.chain, days.who, now)
        seal = days.signer.seal(stated.text.encode()) if days.signer else None
        row.claimed_until = now + LEASE
        row.through, row.events = stated.document["through"], stated.document["events"]
        row.ours, row.our_seal = stated.text, msgspec.to_builtins(seal)
        audit(session, actor, "statement.state", "statement", row.id, detail={"by": actor.name})
        return _Turn(row, stated, seal, row.claimed_until, actor, row.sent)


async def _ask(days: Days, stated: Stated, our_seal: Seal | None) -> Told:
    """Their statement, believed only with their seal on it and about what we asked."""
    if our_seal is None or days.trust is None:
        return Told(problem=Difference("no_seal"))
    try:
        theirs = await asking.exchange(days.client, days.chain, stated.text, our_seal)
    except AppError as error:
        return Told(problem=Difference("platform_silent", note=error.detail[:300]))
    data = theirs.text.encode()
    if problem := days.trust.problem(data, theirs.seal, days.db.clock.now()):
        log.error("statement_seal_refused", problem=problem)
        return Told(problem=Difference("seal_refused", note=problem))
    try:
        document = msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError:
        return Told(problem=Difference("wrong_statement", note="内容无法识别"))
    asked = {name: stated.document[name] for name in ASKED}
    if document.get("by") != "platform" or any(document.get(name) != asked[name] for name in ASKED):
        return Told(problem=Difference("wrong_statement", note="日期、范围或机构不符"))
    return Told(document, theirs)


ASKED = ("profile", "organID", "unitID", "day", "supplement", "through", "depth", "version")
"""What the platform repeats of our statement."""


async def _find_holes(days: Days, turn: _Turn, document: dict[str, Any]) -> Holes:
    """The very records that differ, part by part."""
    stated, row = turn.stated, turn.row
    parts = differing_parts(stated.document, document)[:PARTS_EXPLAINED]
    depth, span = stated.document["depth"], Span(row.day, stated.document["through"])
    async with unit_of_work(days.db) as session:
        ours = [
            line
            async for line in counting.lines(session, span, days.chain.name)
            if part_of(line.stream, depth) in parts
        ]
    theirs = []
    try:
        for part in parts:
            async for line in asking.explain(
                days.client, days.chain, row.day.isoformat(), span.through, part
            ):
                theirs.append(line)
    except AppError as error:
        log.warning("day_not_explained", day=row.day.isoformat(), error=error.detail)
        return Holes([], [])
    return holes(ours, theirs)


async def _end(days: Days, turn: _Turn, told: Told, lost: Holes, frozen: Frozen | None) -> Statement:
    """Write down what came of it: replays, differences, or the closing.

    Under the lock of all days, so that whoever gives a record back meanwhile finds the day closed, or keeps it from closing.
    """
    async with unit_of_work(days.db) as session:
        await lock_stream(session, opening.OPENING)
        row = await lock(session, Statement, turn.row.id)
        if row.claimed_until != turn.lease and guarded("statement_lease"):
            raise Busy("正在对账，请稍后再看", retry_after=10)
        now, actor = clock_of(session).now(), turn.actor
        if told.theirs is not None:
            await advance(
                session, row, "exchange", actor,
                theirs=told.theirs.text, their_seal=msgspec.to_builtins(told.theirs.seal), exchanged_at=now,
            )  # fmt: skip
        found = await _found(session, days, turn, row, told, lost)
        repaired = [
            {"at": now.isoformat(), "count": one.replayed, "numbers": one.numbers}
            for one in found
            if one.replayed
        ]
        row.repairs = [*row.repairs, *repaired][-REPAIRS_KEPT:]
        row.claimed_until, row.differences = None, as_rows(found)
        if found:
            if row.state is not DayState.DIFFERING:
                await advance(session, row, "differ", actor)
            return row
        if (
            row.state is not DayState.EXCHANGED
        ):  # no platform that states days: people have counted everything
            await advance(session, row, "exchange", actor, exchanged_at=now)
        assert frozen is not None
        assert days.signer is not None
        keep(session, row, frozen)
        closing = canonical(await closing_of(session, row, now, frozen.told)).decode()
        seal = msgspec.to_builtins(days.signer.seal(closing.encode()))
        await advance(session, row, "close", actor, closed_at=now, closing=closing, closing_seal=seal)
        return row


async def _found(
    session: AsyncSession, days: Days, turn: _Turn, row: Statement, told: Told, lost: Holes
) -> list[Difference]:
    """All that keeps the day open. What people have to count is asked once the machines agree on what there is to count."""
    stated = turn.stated
    if stated.blocking:
        return stated.blocking
    unchanged = row.sent == turn.sent and await still(session, row, stated)
    if not unchanged and guarded("stated_again"):
        return [Difference("changed")]
    found = [told.problem] if told.problem is not None else []
    if told.document is not None:
        found += await _with_holes(session, days, stated, told.document, lost)
    if days.signer is None and not found:
        found.append(Difference("no_seal"))
    return [*found, *stated.uncounted]


async def _with_holes(
    session: AsyncSession, days: Days, stated: Stated, document: dict[str, Any], lost: Holes
) -> list[Difference]:
    """Name what differs, and send again what the platform has lost."""
    if same(stated.document, document):
        return []
    if not lost.missing and not lost.extra:
        return [
            Difference(
                "unexplained",
                note=", ".join(name or "全部" for name in differing_parts(stated.document, document)),
            )
        ]
    found = []
    if lost.missing:
        again = await replay(session, days.chain, lost.missing)
        for kind, part, replayed in (
            ("missing_there", again.possible, again.moved),
            ("missing_for_good", again.gone, 0),
        ):
            if part:
                numbers = ranges(line.number for line in part)
                found.append(Difference(kind, len(part), days.chain.name, numbers=numbers, replayed=replayed))
    if lost.extra:
        numbers = ranges(line.number for line in lost.extra)
        found.append(Difference("extra_there", len(lost.extra), days.chain.name, numbers=numbers))
    return found


@dataclass(frozen=True)
class Count:
    """What a platform's page shows of one kind of record; `duplicates` of them are stored twice there."""

    profile: str
    method: str
    count: int
    duplicates: int = 0


async def enter_count(db: Database, day: date, read: Count, actor: Actor) -> PlatformCount:
    """A named person read this from the platform's page; entering again replaces. `NotFound`, `Conflict` when closed, `Invalid`."""
    if read.duplicates > read.count:
        raise invalid("duplicates", "too_large", "重复条数不能多于总条数")
    async with unit_of_work(db) as session:
        newest = await opening.latest(session, day)
        if newest is None:
            raise NotFound("这一天没有对账单")
        row = await lock(session, Statement, newest.id)
        if row.state is DayState.CLOSED:
            raise Conflict("这一天已经结清")
        query = select(PlatformCount).where(
            PlatformCount.statement_id == row.id,
            PlatformCount.profile == read.profile,
            PlatformCount.method == read.method,
        )
        found = await session.scalar(query)
        if found is None:
            found = PlatformCount(statement_id=row.id, profile=read.profile, method=read.method)
            session.add(found)
        found.count, found.duplicates = read.count, read.duplicates
        found.entered_by, found.entered_at = actor.name, clock_of(session).now()
        told = {
            "profile": read.profile, "method": read.method, "count": str(read.count),
            "duplicates": str(read.duplicates), "by": actor.name,
        }  # fmt: skip
        audit(session, actor, "statement.count", "statement", row.id, detail=told)
        await session.flush()
        return found
