"""The same money twice, and money against the clock."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

from backend.appointment.model import Appointment
from backend.appointment.tasks import expire_hold
from backend.context import Context
from backend.encounter.model import Encounter
from backend.payment import service
from backend.payment.model import MoneyEvent, Payment, Refund
from backend.payment.rules import balance
from backend.schedule.model import Slot
from foundation.db.guards import without_guard
from foundation.db.inbox import ExternalEvent
from foundation.db.intents import Intent, Work, intend, run_one
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.ids import new_id
from tests.builders.visits import bill, proof, requested
from tests.contract.started import wait_until
from tests.races.lining_up import STREAM, both, kinds, people
from tests.unit.wechat_mock.receiver import receiving

pytestmark = pytest.mark.anyio

PAYMENT = "SELECT id FROM payment WHERE id = :id FOR UPDATE"
INTENT = "SELECT id FROM intent WHERE id = :id FOR UPDATE"


async def a_held_place(db: Database) -> Payment:
    """Its open bill."""
    (patient,) = await people(db, 1)
    async with unit_of_work(db) as session:
        return await bill(session, await requested(session, patient))


async def confirms(context: Context, payment: Payment) -> bool:
    async with unit_of_work(context.db) as session:
        return await service.confirm(session, context, payment.id, proof(payment))


async def events(db: Database) -> list[str]:
    async with unit_of_work(db) as session:
        query = (
            select(OutboxEvent.type)
            .where(OutboxEvent.stream.startswith("visit:"))
            .order_by(OutboxEvent.ordinal)
        )
        return list(await session.scalars(query))


async def money(db: Database) -> tuple[int, list[str]]:
    """What we hold, and why something goes back."""
    async with unit_of_work(db) as session:
        moved = [(row.kind, row.amount) for row in await session.scalars(select(MoneyEvent))]
        return balance(moved), list(await session.scalars(select(Refund.reason)))


async def test_the_same_proof_twice_at_once_is_one_receipt(running: Context) -> None:
    payment = await a_held_place(running.db)

    results = await both(
        running.db, confirms(running, payment), confirms(running, payment), lock=PAYMENT, id=payment.id
    )

    assert kinds(results) == ["False", "True"]
    assert await money(running.db) == (payment.amount, [])
    assert await events(running.db) == ["payment.confirmed", "appointment.booked"]


async def test_without_its_guard_the_same_proof_twice_is_stopped_by_the_last_index_alone(
    running: Context,
) -> None:
    """The twin: both believe that they are the first."""
    payment = await a_held_place(running.db)

    with without_guard("row_lock", allowed=True):
        results = await both(
            running.db, confirms(running, payment), confirms(running, payment), lock=PAYMENT, id=payment.id
        )

    assert kinds(results) == ["IntegrityError", "True"]


async def test_without_guard_and_index_the_same_money_counts_twice_and_is_paid_back(running: Context) -> None:
    """The twin of the twin: what the index keeps away."""
    payment = await a_held_place(running.db)
    async with running.db.engine.begin() as connection:
        await connection.execute(
            text("ALTER TABLE money_event DROP CONSTRAINT uq_money_event_kind_tender_provider_reference")
        )

    with without_guard("row_lock", allowed=True):
        results = await both(
            running.db, confirms(running, payment), confirms(running, payment), lock=PAYMENT, id=payment.id
        )

    assert kinds(results) == ["True", "True"]
    held, refunds = await money(running.db)
    assert held == 2 * payment.amount
    assert (await events(running.db)).count("payment.confirmed") == 2
    assert refunds == ["paid_after_expiry"]


async def race_of_a_doubled_notification(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, payment: Payment
) -> list[int]:
    with receiving() as receiver:
        prepay_id = await running.pay.order(
            out_trade_no=payment.out_trade_no, amount=payment.amount, description="诊查费", openid="o-patient",
            notify_url=receiver.url, expires=payment.expires_at,
        )  # fmt: skip
        await wechat.post("/phone/o-patient/pay", json=running.pay.invoke(prepay_id))
        wait_until(lambda: len(receiver.received) >= 1, "the notification")
        headers, body = receiver.received[0]
    path = "http://test/notify/wechat-pay/payment"
    answers = await asyncio.gather(*(api.post(path, content=body, headers=headers) for _ in range(2)))
    return [answer.status_code for answer in answers]


async def callbacks(db: Database) -> int:
    async with unit_of_work(db) as session:
        return await session.scalar(select(func.count()).select_from(ExternalEvent)) or 0


async def test_the_same_notification_twice_at_once_is_one_callback(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient
) -> None:
    payment = await a_held_place(running.db)

    assert await race_of_a_doubled_notification(api, running, wechat, payment) == [204, 204]

    assert await callbacks(running.db) == 1


async def test_without_its_guard_the_same_notification_counts_twice(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient
) -> None:
    """The twin."""
    payment = await a_held_place(running.db)

    with without_guard("inbox_key", allowed=True):
        assert await race_of_a_doubled_notification(api, running, wechat, payment) == [204, 204]

    assert await callbacks(running.db) == 2


async def race_of_two_workers(db: Database) -> list[Any]:
    done: list[Any] = []

    async def handler(work: Work[object]) -> None:
        done.append(work.subject)

    async with unit_of_work(db) as session:
        await intend(session, "test.work", new_id())
        intent_id = (await session.scalars(select(Intent.id).where(Intent.kind == "test.work"))).one()
    works = [run_one(db, object(), {"test.work": handler}, intent_id) for _ in range(2)]
    await both(db, *works, lock=INTENT, id=intent_id)
    return done


async def test_two_workers_do_one_piece_of_work_once(db: Database) -> None:
    assert len(await race_of_two_workers(db)) == 1


async def test_without_its_guard_two_workers_do_it_twice(db: Database) -> None:
    """The twin."""
    with without_guard("intent_claim", allowed=True):
        assert len(await race_of_two_workers(db)) == 2


async def standing(db: Database, payment: Payment) -> tuple[str, str, int, int]:
    """States of place and bill, visits, places free."""
    async with unit_of_work(db) as session:
        row = await session.get_one(Appointment, payment.subject_id)
        slot = await session.get_one(Slot, row.slot_id)
        visits = await session.scalar(select(func.count()).select_from(Encounter)) or 0
        state = (await session.get_one(Payment, payment.id)).state
        return row.state.value, state.value, visits, slot.capacity - slot.remaining


async def test_money_that_comes_before_the_end_of_the_hold_keeps_the_place(running: Context) -> None:
    payment = await a_held_place(running.db)

    results = await both(
        running.db, confirms(running, payment), expire_hold(Work(running, payment.subject_id)), lock=STREAM,
        name=payment.stream,
    )  # fmt: skip

    assert results == [True, None]
    assert await standing(running.db, payment) == ("booked", "confirmed", 1, 1)
    assert await money(running.db) == (payment.amount, [])


async def test_money_that_comes_after_the_end_of_the_hold_goes_back(running: Context) -> None:
    """practice.md 17."""
    payment = await a_held_place(running.db)

    results = await both(
        running.db, expire_hold(Work(running, payment.subject_id)), confirms(running, payment), lock=STREAM,
        name=payment.stream,
    )  # fmt: skip

    assert results == [None, True]
    assert await standing(running.db, payment) == ("cancelled", "confirmed", 0, 0)
    assert await money(running.db) == (payment.amount, ["paid_after_expiry"])


async def test_without_the_lock_of_the_visit_money_and_clock_block_each_other(running: Context) -> None:
    """The twin: one of them has to be thrown away by the database."""
    payment = await a_held_place(running.db)

    with without_guard("row_lock", allowed=True):
        results = await both(
            running.db, expire_hold(Work(running, payment.subject_id)), confirms(running, payment),
            lock="SELECT id FROM appointment WHERE id = :id FOR UPDATE", id=payment.subject_id,
        )  # fmt: skip

    assert "Busy" in kinds(results)
