"""Tickets in Valkey: one each, sealed, and nothing lost but the draw when they are lost."""

from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, date, datetime, timedelta
from typing import cast
from uuid import UUID

import pytest
from redis.asyncio import Redis

from backend.context import Context
from backend.fairness.tickets import Entered, Release, Result, Ticket, Tickets, by_person
from foundation.ids import new_id

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
COMPLAINT = "头晕三天"


def a_release() -> Release:
    return Release(new_id(), date(2026, 11, 28), AT, AT + timedelta(seconds=3))


def a_ticket(person: UUID | None = None, account: UUID | None = None) -> Ticket:
    return Ticket(person or new_id(), account or new_id(), (new_id(),), new_id(), COMPLAINT, "video")


async def test_one_ticket_per_person_however_often_she_asks(running: Context) -> None:
    tickets, ticket = Tickets(running.redis, a_release().key), a_ticket()

    entered = [await tickets.enter(ticket, is_open=True) for _ in range(5)]

    assert entered == [Entered.FIRST] + [Entered.QUEUED] * 4
    assert await tickets.close() == ([ticket], [])


async def test_two_accounts_of_one_person_are_drawn_once(running: Context) -> None:
    """practice.md 1: quota and fairness belong to the person."""
    tickets, person = Tickets(running.redis, a_release().key), new_id()
    for _ in range(2):
        await tickets.enter(a_ticket(person), is_open=True)

    drawn, _ = await tickets.close()

    assert list(by_person(drawn)) == [person]
    assert len(by_person(drawn)[person]) == 2


async def test_who_comes_while_places_are_given_stands_behind_in_the_order_of_arrival(
    running: Context,
) -> None:
    tickets, early = Tickets(running.redis, a_release().key), a_ticket()
    await tickets.enter(early, is_open=True)
    waiting = a_ticket()
    assert await tickets.enter(waiting, is_open=False) is Entered.QUEUED
    assert await tickets.close() == ([early], [waiting])

    late = [a_ticket() for _ in range(3)]
    for one in late:
        assert await tickets.enter(one, is_open=True) is Entered.QUEUED

    assert await tickets.end_or_more(1) == late
    assert await tickets.end_or_more(4) == []
    assert await tickets.enter(a_ticket(), is_open=False) is Entered.DIRECT


async def test_after_the_close_nobody_waits_for_a_draw_that_nobody_entered(running: Context) -> None:
    tickets = Tickets(running.redis, a_release().key)

    assert await tickets.taking() is False
    assert await tickets.enter(a_ticket(), is_open=False) is Entered.DIRECT


async def test_valkey_emptied_in_the_middle_takes_new_tickets_and_then_books_directly(
    running: Context,
) -> None:
    tickets, ticket = Tickets(running.redis, a_release().key), a_ticket()
    await tickets.enter(ticket, is_open=True)

    await running.redis.flushdb()

    assert not (await tickets.status(ticket.person_id, ticket.account_id)).known
    assert await tickets.enter(ticket, is_open=True) is Entered.FIRST
    await running.redis.flushdb()
    assert await tickets.enter(ticket, is_open=False) is Entered.DIRECT


async def test_without_valkey_booking_is_direct(bound: None) -> None:
    tickets, ticket = Tickets(Redis.from_url("redis://127.0.0.1:1/0"), "x"), a_ticket()

    assert await tickets.enter(ticket, is_open=True) is Entered.DIRECT
    assert await tickets.taking() is None
    assert not (await tickets.status(ticket.person_id, ticket.account_id)).known


async def test_what_somebody_wrote_about_her_health_is_sealed(running: Context) -> None:
    """design.md 5.1: nothing readable of a patient lies in Valkey."""
    tickets = Tickets(running.redis, a_release().key)
    await tickets.enter(a_ticket(), is_open=True)

    kept = b"".join([value async for value in _everything(running.redis)])

    assert kept
    assert COMPLAINT.encode() not in kept


async def _everything(redis: Redis) -> AsyncIterator[bytes]:
    async for name in redis.scan_iter("draw:*"):
        if await redis.type(name) == b"hash":
            for field, value in (await cast("Awaitable[dict[bytes, bytes]]", redis.hgetall(name))).items():
                yield field + value


async def test_a_result_is_for_the_account_that_asked(running: Context) -> None:
    tickets, ticket = Tickets(running.redis, a_release().key), a_ticket()
    await tickets.enter(ticket, is_open=True)
    appointment = new_id()

    await tickets.say({ticket.person_id: Result(appointment_id=appointment)})

    mine = await tickets.status(ticket.person_id, ticket.account_id)
    assert mine.result == Result(appointment_id=appointment)
    somebody = await tickets.status(ticket.person_id, new_id())
    assert (somebody.known, somebody.result) == (False, None)


async def test_everything_of_a_draw_goes_by_itself(running: Context) -> None:
    tickets, ticket = Tickets(running.redis, a_release().key), a_ticket()
    await tickets.enter(ticket, is_open=True)
    await tickets.close()
    await tickets.enter(a_ticket(), is_open=True)
    await tickets.say({ticket.person_id: Result(code="sold_out")})
    await tickets.end_or_more(1)

    lives = [await running.redis.ttl(name) async for name in running.redis.scan_iter("draw:*")]

    assert len(lives) == 4
    assert all(0 < life <= 900 for life in lives)
