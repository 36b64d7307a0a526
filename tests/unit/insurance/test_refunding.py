"""A refund of a bill that insurance helped to pay: each part goes back to where it came from, each by its own proof."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from backend.alarm.model import Alarm
from backend.insurance.model import InsuranceRefund
from backend.outside.insurance import Part
from backend.payment import service as money
from backend.payment.model import Payment, RefundPart
from backend.payment.rulebook import RefundReason
from foundation.actor import SYSTEM
from foundation.db.intents import intend
from foundation.db.unit_of_work import unit_of_work
from tests.builders.insuring import PARTS, Insured, parked, runs_due
from tests.database import SharedClock, moves_on
from tests.town import Town

pytestmark = pytest.mark.anyio


@pytest.fixture
async def paid(she: Insured) -> Insured:
    await she.pays()
    assert (await she.refresh())["state"] == "confirmed"
    return she


async def asks(
    she: Insured, amount: int | None = None, why: RefundReason = RefundReason.DOCTOR_CANCELLED
) -> None:
    """All of it, or a part."""
    async with unit_of_work(she.context.db) as session:
        payment = await session.get_one(Payment, she.bill)
        assert await money.request_refund(session, SYSTEM, payment, why, at_most=amount)


async def settles(she: Insured, clock: SharedClock, times: int = 4) -> None:
    for _ in range(times):
        await runs_due(she.context)
        moves_on(clock, seconds=70)


async def parts(she: Insured) -> dict[str, tuple[int, bool]]:
    """By tender: amount, and whether its provider has proven it."""
    async with unit_of_work(she.context.db) as session:
        rows = await session.scalars(select(RefundPart))
        return {row.tender: (row.amount, row.proven_at is not None) for row in rows}


async def receipts(she: Insured) -> list[InsuranceRefund]:
    async with unit_of_work(she.context.db) as session:
        return list(await session.scalars(select(InsuranceRefund)))


async def bells(she: Insured) -> list[str]:
    async with unit_of_work(she.context.db) as session:
        return list(await session.scalars(select(Alarm.kind).where(Alarm.closed_at.is_(None))))


async def test_all_parts_go_back_each_by_its_providers_receipt(paid: Insured, clock: SharedClock) -> None:
    await asks(paid)

    await settles(paid, clock)

    [refund] = await paid.refunds()
    assert refund.state == "succeeded"
    assert await parts(paid) == {tender: (amount, True) for tender, amount in PARTS.items()}
    back = [(kind, tender, amount) for kind, tender, amount in await paid.money() if kind == "refunded"]
    assert sorted(back) == [("refunded", tender, amount) for tender, amount in sorted(PARTS.items())]
    shown = (await paid.get())["refunds"][0]
    assert {one["kind"]: one["amount"] for one in shown["tenders"]} == PARTS


async def test_wechat_is_told_what_the_insurance_gave_back(paid: Insured, clock: SharedClock) -> None:
    await asks(paid)

    await settles(paid, clock)

    [receipt] = await receipts(paid)
    [order] = await paid.orders()
    assert (receipt.gov, receipt.own, receipt.other) == (3500, 800, 0)
    assert receipt.told_at is not None
    mixed = await paid.context.insurance.query(order.out_trade_no)
    assert mixed is not None
    assert mixed.whole is Part.REFUND


async def test_a_part_goes_back_in_cash_first(paid: Insured, clock: SharedClock) -> None:
    await asks(paid, 500)

    await settles(paid, clock)

    assert await parts(paid) == {"wechat_cash": (500, True)}
    assert await receipts(paid) == []
    assert [refund.state for refund in await paid.refunds()] == ["succeeded"]


async def test_two_parts_never_give_back_more_of_a_purse_than_it_paid(
    paid: Insured, clock: SharedClock
) -> None:
    await asks(paid, 2500)
    await settles(paid, clock)

    await asks(paid, why=RefundReason.DOCTOR_LATE)
    await settles(paid, clock)

    back: dict[str, int] = {}
    for kind, tender, amount in await paid.money():
        if kind == "refunded":
            back[tender] = back.get(tender, 0) + amount
    assert back == PARTS
    assert [refund.amount for refund in await paid.refunds()] == [2500, 2500]


async def test_cash_alone_is_not_the_refund(paid: Insured, town: Town, clock: SharedClock) -> None:
    town.wechat_faults(insurance_refuses_refund="基金已关账")
    await asks(paid)

    await settles(paid, clock)

    [refund] = await paid.refunds()
    assert refund.state != "succeeded"
    assert await parts(paid) == {
        "ins_gov": (3500, False),
        "ins_self": (800, False),
        "wechat_cash": (700, True),
    }
    assert await parked(paid.context) == [money.REFUND]
    assert await bells(paid) == ["insurance_refuses_refund"]


async def test_a_refusal_that_is_put_right_is_over_by_itself(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(insurance_refuses_refund="基金已关账")
    await asks(paid)
    await settles(paid, clock)
    town.wechat_faults()

    async with unit_of_work(paid.context.db) as session:
        await intend(session, money.REFUND, (await paid.refunds())[0].id)
    await settles(paid, clock)

    assert [refund.state for refund in await paid.refunds()] == ["succeeded"]
    assert await bells(paid) == []


async def test_an_insurance_that_takes_its_time_is_waited_for(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(insurance_refund_seconds=200)
    await asks(paid)
    await runs_due(paid.context)
    early = [refund.state for refund in await paid.refunds()]
    moves_on(clock, minutes=5)

    await settles(paid, clock)

    assert early == ["processing"]
    assert [refund.state for refund in await paid.refunds()] == ["succeeded"]


async def test_an_insurance_that_is_down_gives_back_when_it_is_up(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(insurance_down=True)
    await asks(paid)
    await settles(paid, clock, times=1)
    town.wechat_faults()
    moves_on(clock, minutes=10)

    await settles(paid, clock)

    assert [refund.state for refund in await paid.refunds()] == ["succeeded"]


async def test_an_insurance_that_paid_everything_gets_everything_back(
    she: Insured, town: Town, clock: SharedClock
) -> None:
    town.wechat_faults(insurance_pays="all")
    await she.pays()
    assert (await she.refresh())["state"] == "confirmed"
    await asks(she)

    await settles(she, clock)

    assert await parts(she) == {"ins_gov": (5000, True)}
    assert [refund.state for refund in await she.refunds()] == ["succeeded"]


async def test_the_database_gives_back_no_more_by_a_purse_than_it_received(paid: Insured) -> None:
    with pytest.raises(IntegrityError, match="than it received"):
        async with unit_of_work(paid.context.db) as session:
            await session.execute(
                text(
                    "INSERT INTO money_event (id, hospital_id, payment_id, kind, tender, amount, provider_reference, at) "
                    "SELECT gen_random_uuid(), hospital_id, payment_id, 'refunded', 'ins_self', 801, 'R-1', at "
                    "FROM money_event WHERE payment_id = :id LIMIT 1"
                ),
                {"id": paid.bill},
            )
