"""Our side of a day: the statement we sign, and what on our own side keeps the day open."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.days import Sent
from foundation.canonical import canonical
from regulator_adapter.days import counting
from regulator_adapter.days.counting import PEOPLE, MethodDay, Span
from regulator_adapter.days.differences import Difference
from regulator_adapter.days.model import PlatformCount, Statement
from regulator_adapter.days.opening import settled_through
from regulator_adapter.days.rules import Fold, depth_for, ranges
from regulator_adapter.model import ReceivedEvent, Submission
from regulator_adapter.organisation import Organisation
from regulator_adapter.profiles import Profile
from regulator_adapter.states import OPEN

VERSION = 1


Decided = tuple[Any, ...]


@dataclass(frozen=True)
class Stated:
    """Our statement, and what is not settled on our side, by whom it is settled: `blocking` by machines and the desk.

    `methods` and `left_to_people`: where the records stood, and what people had decided, for nobody holds them up while the day is
    counted and the platform is asked.
    """

    document: dict[str, Any]
    blocking: list[Difference]
    uncounted: list[Difference]
    methods: list[MethodDay]
    left_to_people: frozenset[Decided]

    @property
    def text(self) -> str:
        """The very text that is sealed."""
        return canonical(self.document).decode()


async def state(
    session: AsyncSession, row: Statement, chain: Profile, who: Organisation, now: datetime
) -> Stated:
    """Count the day of `row` up to the number that the outbox vouched for, or as far as the feed arrived."""
    sent = msgspec.json.decode(row.sent, type=Sent) if row.sent else None
    arrived = await counting.arrived_through(session, await settled_through(session))
    span = Span(row.day, min(sent.last_number, arrived) if sent else arrived)
    events = await counting.events_of(session, span)
    fold = Fold(depth_for(events))
    async for line in counting.lines(session, span, chain.name):
        fold.add(line)
    methods = await counting.by_method(session, span)
    counted = await _counted(session, row)
    carried = await counting.unsettled(session, span, PEOPLE, carried=True)
    document = fold.totals() | {
        "by": "hospital",
        "version": VERSION,
        "profile": chain.name,
        "organID": who.code,
        "unitID": who.unit_id,
        "day": row.day.isoformat(),
        "supplement": row.supplement,
        "through": span.through,
        "depth": fold.depth,
        "chainHash": await counting.head_at(session, span.through),
        "statedAt": now.isoformat(),
        "carriedOver": [
            {
                "eventNumber": one.number, "profile": one.profile, "method": one.method,
                "businessNumber": one.business_number, "code": one.reply_code,
            }
            for one in carried
        ],
        "others": _others(methods, chain),
    }  # fmt: skip
    blocking = await _of_the_sender(session, sent, span, arrived)
    blocking += await _on_the_way(session, span, methods)
    uncounted = _of_counts(methods, chain, counted)
    return Stated(document, blocking, uncounted, methods, _decided(carried, counted.values()))


async def still(session: AsyncSession, row: Statement, stated: Stated) -> bool:
    """Whether records stand where they stood, and the same ones are carried over and counted: each by its time, for a decision may come
    back as another."""
    span = Span(row.day, row.through)
    if await counting.by_method(session, span) != stated.methods:
        return False
    carried = await counting.unsettled(session, span, PEOPLE, carried=True)
    return _decided(carried, (await _counted(session, row)).values()) == stated.left_to_people


def _decided(carried: Iterable[Submission], counted: Iterable[PlatformCount]) -> frozenset[Decided]:
    over = {(one.id, one.carried_at, one.reply_code) for one in carried}
    return frozenset(over | {(one.id, one.entered_at, one.count, one.duplicates) for one in counted})


def _others(methods: Sequence[MethodDay], chain: Profile) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for line in methods:
        if line.profile != chain.name or not chain.states_days:
            found.setdefault(line.profile, {})[line.method] = line.accepted
    return found


async def _of_the_sender(
    session: AsyncSession, sent: Sent | None, span: Span, arrived: int
) -> list[Difference]:
    """Whether what arrived is what was sent, and all of it."""
    if sent is None:
        return [Difference("sender_silent")]
    found = []
    if sent.unsealed:
        found.append(Difference("unsealed", sent.unsealed))
    if sent.last_number > arrived:
        gaps = await counting.missing_numbers(session, arrived, sent.last_number)
        found.append(Difference("not_arrived", sum(b - a + 1 for a, b in gaps), numbers=gaps))
    else:
        head, events = await counting.head_at(session, span.through), await counting.events_of(session, span)
        if head != sent.head and sent.last_number:
            found.append(Difference("sender_differs", note=f"第 {span.through} 号的链值不同"))
        if events != sent.events:
            found.append(Difference("sender_differs", note=f"后端 {sent.events} 个，到达 {events} 个"))
    if broken := await counting.unlinked(session, span):
        found.append(Difference("unlinked", len(broken), numbers=ranges(broken)))
    if lacking := await counting.lacking_records(session, *span.of(ReceivedEvent)):
        found.append(Difference("records_gone", len(lacking), numbers=ranges(lacking)))
    if later := await counting.later_than(session, span, arrived):
        found.append(Difference("later", later))
    return found


async def _on_the_way(session: AsyncSession, span: Span, methods: Sequence[MethodDay]) -> list[Difference]:
    found = []
    for line in methods:
        for kind, count in (("open", line.open), ("for_people", line.for_people)):
            if count:
                found.append(Difference(kind, count, line.profile, line.method))
    if not found:
        return []
    named: dict[tuple[str, str, str], list[int]] = {}
    for kind, states in (("open", OPEN), ("for_people", PEOPLE)):
        for one in await counting.unsettled(session, span, states):
            named.setdefault((kind, one.profile, one.method), []).append(one.number)
    return [
        msgspec.structs.replace(one, numbers=ranges(named.get((one.kind, one.profile, one.method), [])))
        for one in found
    ]


async def _counted(session: AsyncSession, row: Statement) -> dict[tuple[str, str], PlatformCount]:
    query = select(PlatformCount).where(PlatformCount.statement_id == row.id)
    return {(one.profile, one.method): one for one in await session.scalars(query)}


def _of_counts(
    methods: Sequence[MethodDay], chain: Profile, counted: dict[tuple[str, str], PlatformCount]
) -> list[Difference]:
    """Where a platform cannot be asked, what a person read there must be what we have."""
    found = []
    for line in methods:
        profile, method, accepted = line.profile, line.method, line.accepted
        if (profile == chain.name and chain.states_days) or not (accepted or (profile, method) in counted):
            continue
        theirs = counted.get((profile, method))
        if theirs is None:
            found.append(Difference("uncounted", accepted, profile, method))
        elif theirs.count - theirs.duplicates != accepted or theirs.duplicates > line.twice:
            note = f"平台 {theirs.count} 条（其中重复 {theirs.duplicates} 条），我方 {accepted} 条"
            more = theirs.count - theirs.duplicates - accepted
            found.append(Difference("count_differs", more, profile, method, note=note))
    return found
