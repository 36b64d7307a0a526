"""Jobs that ask WeChat Pay, before the mock."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from backend.alarm.service import open_alarm
from backend.appointment.model import Appointment
from backend.appointment.tasks import expire_hold
from backend.context import Context
from backend.encounter.model import Encounter
from backend.payment import refunding, service, tasks
from backend.payment.model import Payment, Refund
from backend.payment.rules import balance
from foundation.clock import Clock
from foundation.db.audit import AuditEvent
from foundation.db.intents import TryLater, Work
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person
from tests.builders.visits import Patient
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK, OTHER
from tests.town import Town
from tests.unit.payment.paying import a_refund, again, money, parked, pays, prepaid, runs_due

pytestmark = pytest.mark.anyio


async def test_money_is_found_by_asking_even_when_no_notification_comes(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    town: Town, clock: SharedClock,
) -> None:  # fmt: skip
    town.wechat_faults(paid_not_notified=True)
    assert await pays(wechat, await prepaid(api, mother[1], held)) == "requestPayment:ok"
    moves_on(clock, seconds=6)

    await runs_due(running)

    assert (await again(running, held)).state == "confirmed"
    assert await money(running, held) == [("received", 5000)]
    async with unit_of_work(running.db) as session:
        assert (await session.get_one(Appointment, held.subject_id)).state == "booked"


async def test_a_silent_order_is_asked_about_less_and_less(
    api: httpx.AsyncClient,
    running: Context,
    mother: tuple[Patient, Headers],
    held: Payment,
    clock: SharedClock,
) -> None:
    await prepaid(api, mother[1], held)
    waits = []
    for _ in range(5):
        with pytest.raises(TryLater) as later:
            await tasks.settle(Work(running, held.id))
        assert later.value.after is not None
        waits.append(later.value.after.total_seconds())
        moves_on(clock, seconds=waits[-1])

    assert [round(wait) for wait in waits] == [5, 25, 30, 120, 120]


async def test_the_phones_word_is_only_a_hint(
    api: httpx.AsyncClient, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment
) -> None:
    parameters = await prepaid(api, mother[1], held)
    unpaid = (await api.post(f"/payments/{held.id}/refresh", headers=mother[1])).json()
    await pays(wechat, parameters)
    paid = (await api.post(f"/payments/{held.id}/refresh", headers=mother[1])).json()

    assert (unpaid["state"], paid["state"], paid["state_label"]) == ("pending", "confirmed", "已支付")


async def test_a_stranger_neither_sees_nor_pays_the_bill(
    api: httpx.AsyncClient, running: Context, held: Payment
) -> None:
    _, stranger = await a_person(running, OTHER)
    answers = [
        await api.get(f"/payments/{held.id}", headers=stranger),
        await api.post(f"/payments/{held.id}/prepay", headers=stranger),
        await api.post(f"/payments/{held.id}/refresh", headers=stranger),
    ]

    assert [answer.status_code for answer in answers] == [404] * 3


async def test_a_bill_whose_time_is_over_is_not_sent_to_wechat(
    api: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment, clock: SharedClock
) -> None:
    moves_on(clock, minutes=11)

    answer = await api.post(f"/payments/{held.id}/prepay", headers=mother[1])

    assert (answer.status_code, answer.json()["code"]) == (410, "payment_expired")


async def test_a_wrong_amount_at_the_provider_is_a_case_for_a_person(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    clock: SharedClock,
) -> None:  # fmt: skip
    """Design 2, row 6: nothing is confirmed, and nobody overlooks it."""
    await pays(wechat, await prepaid(api, mother[1], held))
    async with unit_of_work(running.db) as session:
        (await session.get_one(Payment, held.id)).amount = 4999
    moves_on(clock, seconds=6)

    await runs_due(running)

    assert (await again(running, held)).state == "pending"
    assert await parked(running) == [service.SETTLE]
    async with unit_of_work(running.db) as session:
        line = (await session.scalars(select(AuditEvent).where(AuditEvent.code == "amount_mismatch"))).one()
        rung = await open_alarm(session, "payment_amount_mismatch", held.id)
    assert line.detail == {"expected": "4999", "got": "5000"}
    assert rung is not None
    assert (rung.detail, rung.link) == ("应收 49.99 元，实收 50.00 元", f"/desk/payments/{held.id}")


async def test_a_hold_that_runs_out_closes_its_order(
    api: httpx.AsyncClient,
    running: Context,
    wechat: httpx.AsyncClient,
    mother: tuple[Patient, Headers],
    held: Payment,
) -> None:
    parameters = await prepaid(api, mother[1], held)
    await expire_hold(Work(running, held.subject_id))

    await tasks.close(Work(running, held.id))

    found = await running.pay.query(held.out_trade_no)
    assert found is not None
    assert found.trade_state == "CLOSED"
    assert (await pays(wechat, parameters)).startswith("requestPayment:fail")


async def test_money_that_was_faster_than_the_end_of_the_hold_goes_back(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    town: Town, clock: SharedClock,
) -> None:  # fmt: skip
    """practice.md 17: paid after the hold expired."""
    town.wechat_faults(paid_not_notified=True, refund_seconds=0)
    await pays(wechat, await prepaid(api, mother[1], held))
    await expire_hold(Work(running, held.subject_id))

    await tasks.close(Work(running, held.id))

    async with unit_of_work(running.db) as session:
        refund = (await session.scalars(select(Refund))).one()
        assert await session.scalar(select(func.count()).select_from(Encounter)) == 0
    assert (refund.reason, refund.amount) == ("paid_after_expiry", 5000)
    for _ in range(20):
        await runs_due(running)
        moves_on(clock, minutes=1)
        if balance(await money(running, held)) == 0:
            break
    assert await money(running, held) == [("received", 5000), ("refunded", 5000)]
    assert await parked(running) == []


async def test_a_refund_on_its_way_is_asked_for_again_with_the_same_number(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    town: Town,
) -> None:  # fmt: skip
    town.wechat_faults(refund_outcome="PROCESSING", refund_seconds=3600)
    refund_id = await a_refund(api, running, wechat, mother, held)

    for _ in range(2):
        with pytest.raises(TryLater, match="on its way"):
            await tasks.drive_refund(Work(running, refund_id))

    async with unit_of_work(running.db) as session:
        assert (await session.get_one(Refund, refund_id)).state == "processing"


async def test_a_refund_that_wechat_closed_is_a_case_for_a_person(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    town: Town, clock: SharedClock,
) -> None:  # fmt: skip
    town.wechat_faults(refund_outcome="CLOSED", refund_seconds=0)
    refund_id = await a_refund(api, running, wechat, mother, held)
    with pytest.raises(TryLater):
        await tasks.drive_refund(Work(running, refund_id))
    moves_on(clock, minutes=1)

    await tasks.drive_refund(Work(running, refund_id))

    async with unit_of_work(running.db) as session:
        assert (await session.get_one(Refund, refund_id)).state == "closed"
        rung = await open_alarm(session, "refund_closed", refund_id)
    assert rung is not None
    assert rung.link == f"/desk/refunds/{refund_id}"
    assert balance(await money(running, held)) == 5000


async def test_a_closed_refund_is_asked_for_anew_under_another_number(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    town: Town, clock: SharedClock,
) -> None:  # fmt: skip
    """And never by itself: somebody must have seen why it was closed."""
    town.wechat_faults(refund_outcome="CLOSED", refund_seconds=0)
    refund_id = await a_refund(api, running, wechat, mother, held)
    for _ in range(3):
        await runs_due(running)
        moves_on(clock, minutes=2)
    town.wechat_faults()
    async with unit_of_work(running.db) as session:
        made = await refunding.renew(session, CLERK.actor, refund_id)
        assert await open_alarm(session, "refund_closed", refund_id) is None

    for _ in range(3):
        await runs_due(running)
        moves_on(clock, minutes=2)

    async with unit_of_work(running.db) as session:
        rows = (await session.scalars(select(Refund).order_by(Refund.requested_at))).all()
    assert [row.state for row in rows] == ["closed", "succeeded"]
    assert made.out_refund_no != rows[0].out_refund_no
    assert await money(running, held) == [("received", 5000), ("refunded", 5000)]


async def test_a_hospital_account_without_money_makes_the_refund_wait_and_calls_for_some(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    town: Town, clock: SharedClock,
) -> None:  # fmt: skip
    """NOT_ENOUGH is no refusal: the same number again once there is money."""
    town.wechat_faults(not_enough=1.0)
    await a_refund(api, running, wechat, mother, held)
    await runs_due(running)
    async with unit_of_work(running.db) as session:
        rung = await open_alarm(session, "refund_not_enough", "wechat_pay")
    assert rung is not None
    assert await parked(running) == []
    town.wechat_faults()

    for _ in range(3):
        moves_on(clock, minutes=31)
        await runs_due(running)

    async with unit_of_work(running.db) as session:
        assert (await session.scalars(select(Refund))).one().state == "succeeded"
        assert await open_alarm(session, "refund_not_enough", "wechat_pay") is None


async def test_a_refund_is_asked_about_on_wechats_own_schedule(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    town: Town, clock: SharedClock,
) -> None:  # fmt: skip
    town.wechat_faults(refund_outcome="PROCESSING", refund_seconds=10**6)
    refund_id = await a_refund(api, running, wechat, mother, held)
    ages, age = [], 0.0
    for _ in range(10):
        with pytest.raises(TryLater) as later:
            await tasks.drive_refund(Work(running, refund_id))
        assert later.value.after is not None
        age += later.value.after.total_seconds()
        ages.append(round(age / 60))
        moves_on(clock, seconds=later.value.after.total_seconds())

    assert ages == [1, 2, 3, 4, 5, 10, 20, 40, 70, 100]


async def test_a_wrong_clock_neither_loses_a_refund_nor_gives_it_up(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    clock: SharedClock,
) -> None:  # fmt: skip
    await a_refund(api, running, wechat, mother, held)
    theirs = (clock.now() - Clock().now()).total_seconds()
    await wechat.post("/_test/clock", json={"offset_seconds": theirs + 600})
    await runs_due(running)
    assert await parked(running) == []
    async with unit_of_work(running.db) as session:
        assert await open_alarm(session, "wechat_pay_clock", "wechat_pay") is not None

    clock.tell()
    for _ in range(3):
        moves_on(clock, minutes=2)
        await runs_due(running)

    assert await money(running, held) == [("received", 5000), ("refunded", 5000)]
    async with unit_of_work(running.db) as session:
        assert await open_alarm(session, "wechat_pay_clock", "wechat_pay") is None


# Closing and paying at once


async def test_a_bill_given_up_while_its_order_is_placed_is_closed_and_not_handed_out(
    api: httpx.AsyncClient, running: Context, mother: tuple[Patient, Headers], held: Payment
) -> None:
    placed = running.pay.order

    async def slowly(**order: Any) -> str:
        prepay_id = await placed(**order)
        await expire_hold(Work(running, held.subject_id))
        return prepay_id

    running.pay.order = slowly  # type: ignore[method-assign]
    answer = await api.post(f"/payments/{held.id}/prepay", headers=mother[1])
    running.pay.order = placed  # type: ignore[method-assign]

    assert (answer.status_code, answer.json()["code"]) == (409, "payment_not_open")
    await runs_due(running)
    found = await running.pay.query(held.out_trade_no)
    assert found is not None
    assert found.trade_state == "CLOSED"


async def test_pressing_pay_again_after_paying_finds_the_money(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    town: Town,
) -> None:  # fmt: skip
    town.wechat_faults(paid_not_notified=True)
    await pays(wechat, await prepaid(api, mother[1], held))

    answer = await api.post(f"/payments/{held.id}/prepay", headers=mother[1])

    assert (answer.status_code, answer.json()["code"]) == (409, "payment_not_open")
    assert (await again(running, held)).state == "confirmed"


async def test_an_order_that_was_closed_at_wechat_is_not_paid_any_more(
    api: httpx.AsyncClient, running: Context, mother: tuple[Patient, Headers], held: Payment
) -> None:
    await prepaid(api, mother[1], held)
    await running.pay.close_order(held.out_trade_no)

    answer = await api.post(f"/payments/{held.id}/prepay", headers=mother[1])

    assert (answer.status_code, answer.json()["code"]) == (410, "payment_expired")


async def test_closing_an_order_twice_or_one_that_nobody_placed_is_done(
    api: httpx.AsyncClient, running: Context, mother: tuple[Patient, Headers], held: Payment
) -> None:
    await prepaid(api, mother[1], held)
    await expire_hold(Work(running, held.subject_id))
    for _ in range(2):
        await tasks.close(Work(running, held.id))
    async with unit_of_work(running.db) as session:
        (await session.get_one(Payment, held.id)).out_trade_no = "NOBODY-PLACED-IT"

    await tasks.close(Work(running, held.id))
