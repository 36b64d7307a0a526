"""One bill and two ways of paying it at the same moment: only one of them is left to be paid."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from backend.alarm.model import Alarm
from backend.appointment.model import Appointment
from backend.context import Context
from backend.counter import queries as codes
from backend.counter import service as counter
from backend.insurance import service as insurance
from backend.insurance import tasks
from backend.outside.insurance import Split
from backend.payment import queries as payments
from backend.payment import service
from backend.payment.model import Payment
from backend.payment.tasks import settle
from foundation.actor import Actor
from foundation.db.guards import without_guard
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from tests.builders.insuring import SPLIT, Insured, insured
from tests.builders.visits import Patient
from tests.races.lining_up import both, kinds, people
from tests.races.test_money_races import PAYMENT, a_held_place
from tests.small_world import CLERK
from tests.town import Town

pytestmark = pytest.mark.anyio

ORDER = "SELECT id FROM insurance_order WHERE payment_id = :id FOR UPDATE"


@pytest.fixture
async def she(running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient) -> Insured:
    """Authorised, and shown the split."""
    found = await insured(running, api, wechat)
    await found.quoted()
    return found


def actor_of(she: Insured) -> Actor:
    return Actor("account", she.patient.account, frozenset({"patient"}))


async def agrees(she: Insured) -> str:
    split = Split(SPLIT["gov"], SPLIT["self"], SPLIT["other"], SPLIT["cash"])
    async with unit_of_work(she.context.db) as session:
        payment = await session.get_one(Payment, she.bill)
        return (await insurance.agree(session, actor_of(she), payment, split)).state.value


async def placed(she: Insured, number: str) -> str:
    """An order for all of the bill is at WeChat Pay under `number`; → the bill's state when that is written down."""
    async with unit_of_work(she.context.db) as session:
        row = await service.submitted(session, actor_of(she), she.bill, "wx-plain", number)
        return row.state.value


async def standing(she: Insured) -> tuple[str, bool, bool]:
    """The prepay id of the bill, whether it is to be paid by insurance, and whether she has agreed to that."""
    payment, [order] = await she.payment(), await she.orders()
    return payment.prepay_id, payment.out_trade_no == order.out_trade_no, order.agreed_at is not None


async def race_of_agreeing_and_a_plain_order(she: Insured, *, first: str) -> list[Any]:
    works = [agrees(she), placed(she, (await she.payment()).out_trade_no)]
    if first == "plain":
        works.reverse()
    return await both(she.context.db, *works, lock=PAYMENT, id=she.bill)


async def test_an_order_for_all_of_it_that_is_placed_as_she_agrees_is_not_handed_out(she: Insured) -> None:
    results = await race_of_agreeing_and_a_plain_order(she, first="insurance")

    assert kinds(results) == ["'quoted'", "Conflict"]
    assert await standing(she) == ("", True, True)


async def test_without_its_guard_the_bill_has_a_prepay_id_of_another_order(she: Insured) -> None:
    """The twin: her phone pays all of it, while we ask about the insurance's order."""
    with without_guard("order_number", allowed=True):
        results = await race_of_agreeing_and_a_plain_order(she, first="insurance")

    assert kinds(results) == ["'pending'", "'quoted'"]
    assert await standing(she) == ("wx-plain", True, True)


async def test_she_cannot_agree_while_an_order_for_all_of_it_stands(she: Insured) -> None:
    results = await race_of_agreeing_and_a_plain_order(she, first="plain")

    assert kinds(results) == ["'pending'", "Conflict"]
    assert await standing(she) == ("wx-plain", False, False)


async def test_without_its_guard_both_orders_can_be_paid(she: Insured) -> None:
    """The twin: the plain one was handed to her phone, and nobody asks about it any more."""
    with without_guard("plain_order", allowed=True):
        results = await race_of_agreeing_and_a_plain_order(she, first="plain")

    assert kinds(results) == ["'pending'", "'quoted'"]
    assert await standing(she) == ("", True, True)


async def race_of_agreeing_and_turning_to_self_pay(she: Insured) -> list[Any]:
    """The second has looked before the first agreed, and so sees nothing that would have to be closed."""
    [seen] = await she.orders()
    works = [agrees(she), tasks.end(she.context, seen)]
    return await both(she.context.db, *works, lock=ORDER, id=she.bill)


async def test_an_order_that_she_agrees_to_meanwhile_is_not_given_up_unasked(she: Insured) -> None:
    results = await race_of_agreeing_and_turning_to_self_pay(she)

    assert kinds(results) == ["'quoted'", "StillPaying"]
    [order] = await she.orders()
    assert order.state == "quoted"
    assert await standing(she) == ("", True, True)


async def test_without_its_guard_an_order_that_is_being_paid_is_given_up(she: Insured) -> None:
    """The twin: WeChat was never asked to close it."""
    with without_guard("agreed_meanwhile", allowed=True):
        results = await race_of_agreeing_and_turning_to_self_pay(she)

    assert kinds(results) == ["'quoted'", "True"]
    [order] = await she.orders()
    assert (order.state, order.agreed_at is not None) == ("abandoned", True)


async def with_a_pay_code(context: Context) -> tuple[Payment, str, list[Patient]]:
    """A bill of the counter, the code on its slip, and two of the family."""
    payment = await a_held_place(context.db)
    async with unit_of_work(context.db) as session:
        booked = await session.get_one(Appointment, payment.subject_id)
        (await session.get_one(Payment, payment.id)).account_id = None
        await counter.make_pay_code(session, CLERK.actor, booked)
        coded = await codes.code_of(session, payment.id)
    assert coded is not None
    return payment, coded.code, await people(context.db, 3)


async def takes(context: Context, who: Patient, code: str) -> str:
    async with unit_of_work(context.db) as session:
        await counter.take_bill(session, who.actor, code)
        return who.resident.name


async def test_of_two_of_the_family_who_open_the_same_code_the_first_has_the_bill(running: Context) -> None:
    payment, code, family = await with_a_pay_code(running)
    works = [takes(running, who, code) for who in family[1:]]

    results = await both(running.db, *works, lock=PAYMENT, id=payment.id)

    assert kinds(results) == [repr(family[1].resident.name), "Conflict"]
    async with unit_of_work(running.db) as session:
        row = await payments.of_subject(session, "appointment", payment.subject_id)
        assert row is not None
        assert row.account_id == family[1].account


async def test_without_row_locks_both_believe_that_the_bill_is_theirs(running: Context) -> None:
    """The twin: the second account is written over the first."""
    payment, code, family = await with_a_pay_code(running)
    works = [takes(running, who, code) for who in family[1:]]
    with without_guard("row_lock", allowed=True):
        results = await both(running.db, *works, lock=PAYMENT, id=payment.id)

    assert kinds(results) == sorted(repr(who.resident.name) for who in family[1:])


async def race_of_replacing_and_taking(
    context: Context, payment: Payment, code: str, who: Patient
) -> list[Any]:
    """The clerk makes a new code; who holds the old one looked it up before."""

    async def replaced() -> str:
        async with unit_of_work(context.db) as session:
            booked = await session.get_one(Appointment, payment.subject_id)
            await counter.make_pay_code(session, CLERK.actor, booked)
            return "new"

    return await both(context.db, replaced(), takes(context, who, code), lock=PAYMENT, id=payment.id)


async def test_a_code_that_is_replaced_as_it_is_taken_is_worth_nothing(running: Context) -> None:
    payment, code, family = await with_a_pay_code(running)

    results = await race_of_replacing_and_taking(running, payment, code, family[1])

    assert kinds(results) == ["'new'", "NotFound"]


async def test_without_a_second_look_the_old_code_opens_the_bill(running: Context) -> None:
    """The twin."""
    payment, code, family = await with_a_pay_code(running)
    with without_guard("code_again", allowed=True):
        results = await race_of_replacing_and_taking(running, payment, code, family[1])

    assert kinds(results) == sorted(["'new'", repr(family[1].resident.name)])


async def overtaken(she: Insured, town: Town) -> tuple[list[Any], list[str]]:
    """Her cash was taken without the insurance, and two ask for it; → what the slower one raised, and the bells."""
    town.wechat_faults(insurance_settle_fails=True)
    await she.types_password(await she.agrees())
    town.wechat_faults()
    real = she.context.wiring.insured
    assert real is not None

    async def asked_late(context: Context, payment_id: UUID) -> bool:
        assert await real.settle(context, payment_id)  # the other worker, after the bill was read here
        return await real.settle(context, payment_id)

    wiring = replace(she.context.wiring, insured=replace(real, settle=asked_late))
    results = await asyncio.gather(
        settle(Work(replace(she.context, wiring=wiring), she.bill)), return_exceptions=True
    )
    async with unit_of_work(she.context.db) as session:
        return list(results), list(await session.scalars(select(Alarm.kind)))


async def test_cash_of_an_order_that_somebody_else_settled_is_no_wrong_amount(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, town: Town
) -> None:
    results, bells = await overtaken(await insured(running, api, wechat), town)

    assert (kinds(results), bells) == (["TryLater"], [])


async def test_without_its_guard_it_rings_for_a_wrong_amount(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, town: Town
) -> None:
    """The twin."""
    she = await insured(running, api, wechat)
    with without_guard("bill_number", allowed=True):
        results, bells = await overtaken(she, town)

    assert (kinds(results), bells) == (["Conflict"], ["payment_amount_mismatch"])
