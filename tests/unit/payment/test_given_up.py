"""A refund that a person gave up is not closed at WeChat Pay: it is taken up again, never sent a second time under a new number."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from backend.alarm.service import open_alarm
from backend.context import Context
from backend.outside.wechat_pay import UserCard
from backend.payment import refunding, remedies, service
from backend.payment.model import Payment, Refund
from backend.payment.rules import RefundReason, balance
from foundation.actor import SYSTEM
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict
from tests.builders.requests import Headers
from tests.builders.visits import Patient
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK
from tests.town import Town
from tests.unit.payment.paying import a_refund, money, runs_due

pytestmark = pytest.mark.anyio


@pytest.fixture
async def given_up(
    api: httpx.AsyncClient, running: Context, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], held: Payment,
    town: Town, clock: SharedClock,
) -> UUID:  # fmt: skip
    """WeChat Pay says ABNORMAL, and somebody has closed it here."""
    town.wechat_faults(refund_outcome="ABNORMAL", refund_seconds=0)
    refund_id = await a_refund(api, running, wechat, mother, held)
    await driven(running, clock)
    async with unit_of_work(running.db) as session:
        await remedies.give_up(session, CLERK.actor, refund_id, "患者书面放弃")
    return refund_id


async def driven(running: Context, clock: SharedClock, times: int = 3) -> None:
    for _ in range(times):
        await runs_due(running)
        moves_on(clock, minutes=31)


async def renewed(running: Context, refund_id: UUID) -> Refund:
    async with unit_of_work(running.db) as session:
        return await refunding.renew(session, CLERK.actor, refund_id)


async def states(running: Context) -> list[str]:
    async with unit_of_work(running.db) as session:
        return list(await session.scalars(select(Refund.state).order_by(Refund.requested_at)))


async def test_what_was_given_up_here_is_taken_up_again_under_its_own_number(
    given_up: UUID, running: Context, clock: SharedClock
) -> None:
    made = await renewed(running, given_up)
    await driven(running, clock)

    assert made.id == given_up
    assert await states(running) == ["abnormal"]
    async with unit_of_work(running.db) as session:
        assert await open_alarm(session, "refund_abnormal", given_up) is not None


async def test_money_that_arrived_after_it_was_given_up_is_not_sent_again(
    given_up: UUID, running: Context, clock: SharedClock, held: Payment
) -> None:
    async with unit_of_work(running.db) as session:
        row = await session.get_one(Refund, given_up)
    card = UserCard("ICBC_DEBIT", "6200000000000009999", "林秀兰")
    await running.pay.redirect_refund(
        refund_id=row.provider_refund_id, out_refund_no=row.out_refund_no, card=card
    )
    moves_on(clock, minutes=1)

    await renewed(running, given_up)
    await driven(running, clock)

    assert await states(running) == ["succeeded"]
    assert balance(await money(running, held)) == 0


async def test_what_was_given_up_cannot_be_taken_up_when_its_money_has_gone_another_way(
    given_up: UUID, running: Context, held: Payment
) -> None:
    async with unit_of_work(running.db) as session:
        payment = await session.get_one(Payment, held.id)
        assert await service.request_refund(session, SYSTEM, payment, RefundReason.DOCTOR_LATE)

    with pytest.raises(Conflict) as refused:
        await renewed(running, given_up)

    assert refused.value.code == "nothing_to_refund"
