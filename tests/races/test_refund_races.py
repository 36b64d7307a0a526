"""An order against the end of its hold, and one refund in two pairs of hands."""

from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from backend.appointment.model import Appointment
from backend.appointment.tasks import expire_hold
from backend.context import Context
from backend.outside.wechat_pay import Amount, RefundAnswer, UserCard
from backend.payment import remedies, service
from backend.payment.model import Payment, Refund, Remedy
from backend.payment.rules import RefundReason
from foundation.actor import SYSTEM, Actor
from foundation.db.guards import without_guard
from foundation.db.intents import Intent, Work
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import unit_of_work
from tests.builders.visits import proof
from tests.races.lining_up import both, kinds
from tests.races.test_money_races import PAYMENT, a_held_place
from tests.small_world import CLERK, DUTY_DESK, QUALITY

pytestmark = pytest.mark.anyio

REFUND = "SELECT id FROM refund WHERE id = :id FOR UPDATE"
ADMINS = [Actor("staff", one.id, frozenset({"admin"}), one.name) for one in (QUALITY, DUTY_DESK)]


async def placed(context: Context, payment: Payment) -> str:
    """The order is at WeChat Pay; → the bill's state when that is written down."""
    async with unit_of_work(context.db) as session:
        actor = Actor("account", payment.account_id, frozenset({"patient"}))
        row = await service.submitted(session, actor, payment.id, "wx-prepay", payment.out_trade_no)
        return row.state.value


async def standing(context: Context, payment: Payment) -> tuple[str, str, int]:
    """States of bill and place, and how many jobs want to close the order."""
    async with unit_of_work(context.db) as session:
        bill, place = (
            await session.get_one(Payment, payment.id),
            await session.get_one(Appointment, payment.subject_id),
        )
        closing = select(func.count()).select_from(Intent).where(Intent.kind == service.CLOSE)
        return bill.state.value, place.state.value, await session.scalar(closing) or 0


async def race_of_an_order_and_the_end_of_its_hold(context: Context, payment: Payment) -> None:
    works = [expire_hold(Work(context, payment.subject_id)), placed(context, payment)]
    await both(context.db, *works, lock=PAYMENT, id=payment.id)


async def test_an_order_that_is_placed_as_its_hold_ends_is_given_up_and_closed(running: Context) -> None:
    payment = await a_held_place(running.db)

    await race_of_an_order_and_the_end_of_its_hold(running, payment)

    assert await standing(running, payment) == ("cancelled", "cancelled", 1)


async def test_without_its_guard_the_order_brings_the_bill_of_a_lost_place_back_to_life(
    running: Context,
) -> None:
    """The twin: she would pay for a place that somebody else may have by then."""
    payment = await a_held_place(running.db)

    with without_guard("row_lock", allowed=True):
        await race_of_an_order_and_the_end_of_its_hold(running, payment)

    assert (await standing(running, payment))[:2] == ("pending", "cancelled")


async def an_abnormal_refund(context: Context, *, with_the_hospital: bool = False) -> UUID:
    """Of a paid place; its money perhaps with the hospital already."""
    payment = await a_held_place(context.db)
    async with unit_of_work(context.db) as session:
        await service.confirm(session, context, payment.id, proof(payment))
        refund = await service.request_refund(session, SYSTEM, payment, RefundReason.DOCTOR_CANCELLED)
        assert refund is not None
        abnormal = RefundAnswer(
            refund_id="50300000000000000000000000001", out_refund_no=refund.out_refund_no, status="ABNORMAL",
            amount=Amount(refund=refund.amount),
        )  # fmt: skip
        await service.refund_answered(session, context, refund.id, abnormal)
        if with_the_hospital:
            arrived = replace(abnormal, status="SUCCESS", user_received_account="商户银行账户")
            await service.refund_answered(session, context, refund.id, arrived)
        return refund.id


async def hands_over(context: Context, refund_id: UUID, actor: Actor) -> str:
    async with unit_of_work(context.db) as session:
        refund = await remedies.hand_over(session, context, actor, refund_id, f"签收单，{actor.name}")
        return refund.state.value


async def signed_for(context: Context) -> tuple[int, UUID | None]:
    """How often success was published, and whose word stands for the handing over."""
    async with unit_of_work(context.db) as session:
        query = select(func.count()).select_from(OutboxEvent).where(OutboxEvent.type == "refund.succeeded")
        remedy = (await session.scalars(select(Remedy))).one()
        return await session.scalar(query) or 0, remedy.handed_over_by


async def test_two_who_hand_the_same_money_over_do_it_once(running: Context) -> None:
    refund_id = await an_abnormal_refund(running, with_the_hospital=True)

    results = await both(
        running.db, *(hands_over(running, refund_id, one) for one in ADMINS), lock=REFUND, id=refund_id
    )

    assert kinds(results) == ["'succeeded'", "Conflict"]
    assert await signed_for(running) == (1, QUALITY.id)


async def test_without_its_guard_both_hand_it_over_and_the_seconds_word_stands(running: Context) -> None:
    """The twin: two envelopes, and one signature of them gone."""
    refund_id = await an_abnormal_refund(running, with_the_hospital=True)

    with without_guard("row_lock", allowed=True):
        results = await both(
            running.db, *(hands_over(running, refund_id, one) for one in ADMINS), lock=REFUND, id=refund_id
        )

    assert kinds(results) == ["'succeeded'", "'succeeded'"]
    assert await signed_for(running) == (1, DUTY_DESK.id)


async def redirects(context: Context, refund_id: UUID, number: str) -> str:
    async with unit_of_work(context.db) as session:
        card = UserCard("ICBC_DEBIT", number, "林秀兰")
        return (await remedies.redirect(session, CLERK.actor, refund_id, card)).card_tail


async def test_two_who_redirect_a_refund_to_different_cards_send_it_to_one(running: Context) -> None:
    refund_id = await an_abnormal_refund(running)
    works = [redirects(running, refund_id, f"62000000000000{number}") for number in (1111, 2222)]

    results = await both(running.db, *works, lock=REFUND, id=refund_id)

    assert kinds(results) == ["'1111'", "Conflict"]
    async with unit_of_work(running.db) as session:
        assert await session.scalar(select(func.count()).select_from(Remedy)) == 1
        assert (await session.get_one(Refund, refund_id)).state == "abnormal"


async def test_without_its_index_a_refund_is_sent_to_two_cards(running: Context) -> None:
    """The twin: here the last word is the database's."""
    refund_id = await an_abnormal_refund(running)
    async with running.db.engine.begin() as connection:
        await connection.exec_driver_sql("DROP INDEX uq_refund_remedy_open")
    works = [redirects(running, refund_id, f"62000000000000{number}") for number in (1111, 2222)]

    results = await both(running.db, *works, lock=REFUND, id=refund_id)

    assert kinds(results) == ["'1111'", "'2222'"]
