"""The rule of channels, and the statement that says the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.schedule import rules, service
from backend.schedule.model import Slot
from backend.schedule.rules import HELD, Channel, Pool
from tests.builders.visits import a_slot
from tests.database import SharedClock

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 20, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHARED = Pool(10, 4, {Channel.FOLLOW_UP: 1, Channel.REFERRAL: 2})


def places(pool: Pool, channel: Channel) -> list[Channel]:
    """Whose places a channel gets until it gets none."""
    found = []
    while (taken := rules.take(pool, channel, NOW)) is not None:
        pool, place = taken
        found.append(place)
    return found


def test_a_channel_has_its_own_places_and_what_is_kept_for_nobody() -> None:
    assert places(SHARED, Channel.REFERRAL) == [Channel.REFERRAL, Channel.REFERRAL, Channel.GENERAL]
    assert places(SHARED, Channel.STAFF_ASSISTED) == [Channel.GENERAL]


def test_when_shares_end_what_is_left_is_everybodys() -> None:
    assert places(replace(SHARED, shares_end_at=NOW), Channel.GENERAL) == [Channel.GENERAL] * 4
    assert places(replace(SHARED, shares_end_at=NOW + HOUR), Channel.GENERAL) == [Channel.GENERAL]


def test_nothing_is_sold_before_its_release_or_after_a_stop() -> None:
    assert places(replace(SHARED, released_at=NOW + HOUR), Channel.REFERRAL) == []
    assert places(replace(SHARED, stopped_at=NOW), Channel.REFERRAL) == []
    assert len(places(replace(SHARED, released_at=NOW), Channel.REFERRAL)) == 3


def test_a_mirrored_slot_that_was_not_refreshed_in_time_is_not_sold() -> None:
    assert places(replace(SHARED, fresh_until=NOW), Channel.REFERRAL) == []
    assert len(places(replace(SHARED, fresh_until=NOW + HOUR), Channel.REFERRAL)) == 3


moments = some.sampled_from([None, NOW - HOUR, NOW, NOW + HOUR])
channels = some.sampled_from(list(Channel))


@some.composite
def pools(draw: some.DrawFn) -> Pool:
    """Any pool that the table's constraints allow."""
    held = {channel: draw(some.integers(0, 2)) for channel in HELD}
    remaining = sum(held.values()) + draw(some.integers(0, 3))
    capacity = remaining + draw(some.integers(0, 3))
    return Pool(capacity, remaining, held, draw(moments), draw(moments), draw(some.sampled_from([None, NOW])))


@given(pool=pools(), steps=some.lists(some.tuples(channels, some.booleans()), max_size=12))
def test_whatever_happens_places_are_neither_made_nor_lost(
    pool: Pool, steps: list[tuple[Channel, bool]]
) -> None:
    start = pool.remaining
    taken: list[Channel] = []
    for channel, back in steps:
        if back and taken:
            pool = rules.give_back(pool, taken.pop(), NOW)
        elif (found := rules.take(pool, channel, NOW)) is not None:
            pool, place = found
            taken.append(place)
        assert pool.remaining + len(taken) == start
        assert 0 <= sum(pool.held.values()) <= pool.remaining <= pool.capacity
        assert all(count >= 0 for count in pool.held.values())


async def as_row(session: AsyncSession, slot: Slot, pool: Pool) -> None:
    """The slot looks like `pool`."""
    held = {column: pool.held.get(channel, 0) for channel, column in HELD.items()}
    await session.execute(
        update(Slot)
        .where(Slot.id == slot.id)
        .values(
            capacity=pool.capacity, remaining=pool.remaining, released_at=pool.released_at,
            shares_end_at=pool.shares_end_at, stopped_at=pool.stopped_at, fresh_until=pool.fresh_until,
            surplus=pool.surplus, **held,
        )
    )  # fmt: skip


async def as_pool(session: AsyncSession, slot: Slot) -> Pool:
    """What the table says now."""
    await session.refresh(slot)
    held = {channel: getattr(slot, column) for channel, column in HELD.items()}
    return Pool(
        slot.capacity, slot.remaining, held, slot.released_at, slot.shares_end_at, slot.stopped_at, slot.fresh_until,
        slot.surplus,
    )  # fmt: skip


def samples() -> list[Pool]:
    """Every kind of pool once: shares running and over, unreleased, stopped, empty, all of it kept."""
    held = {Channel.FOLLOW_UP: 1, Channel.STAFF_ASSISTED: 0, Channel.REFERRAL: 1}
    kept = Pool(5, 2, held)
    moments: list[dict[str, Any]] = [
        {}, {"shares_end_at": NOW - HOUR}, {"shares_end_at": NOW + 9 * HOUR}, {"released_at": NOW - HOUR},
        {"released_at": NOW + 9 * HOUR}, {"stopped_at": NOW - HOUR}, {"fresh_until": NOW - HOUR},
        {"fresh_until": NOW + 9 * HOUR},
    ]  # fmt: skip
    return [
        replace(pool, **when)
        for pool in (
            kept,
            replace(kept, remaining=3),
            replace(kept, surplus=2),
            Pool(5, 0),
            Pool(5, 0, surplus=1),
            Pool(5, 5),
        )
        for when in moments
    ]


async def test_the_statement_takes_what_the_rule_takes(session: AsyncSession, clock: SharedClock) -> None:
    slot = await a_slot(session)
    for pool in samples():
        for channel in Channel:
            await as_row(session, slot, pool)
            wanted = rules.take(pool, channel, clock.now())

            taken = await service.take(session, slot.id, channel)

            assert (taken.place if taken else None) == (wanted[1] if wanted else None), (pool, channel)
            after = wanted[0] if wanted else pool
            found = await as_pool(session, slot)
            assert found.remaining == after.remaining
            assert {one: count for one, count in found.held.items() if count} == {
                one: count for one, count in after.held.items() if count
            }


async def test_a_place_goes_back_to_whom_it_was_kept_for(session: AsyncSession, clock: SharedClock) -> None:
    slot = await a_slot(session)
    for pool in samples():
        for place in Channel:
            await as_row(session, slot, pool)
            wanted = rules.give_back(pool, place, clock.now())

            await service.give_back(session, slot.id, place)

            found = await as_pool(session, slot)
            assert (found.capacity, found.remaining, found.surplus) == (
                wanted.capacity, wanted.remaining, wanted.surplus,
            )  # fmt: skip
            assert {one: count for one, count in found.held.items() if count} == {
                one: count for one, count in wanted.held.items() if count
            }
