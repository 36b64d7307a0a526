"""An e-bill follows the money: issued after the payment, reversed after the refund, never before."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from backend.e_bill import service, tasks
from backend.e_bill.model import EBillRow
from backend.payment import service as money
from backend.payment.model import Payment
from backend.payment.rulebook import RefundReason
from foundation.actor import SYSTEM
from foundation.db.guards import without_guard
from foundation.db.intents import Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict
from tests.builders.insuring import Insured, parked, runs_due
from tests.builders.requests import a_person, staff_session
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK, DAUGHTER
from tests.town import Town

pytestmark = pytest.mark.anyio


async def bills(she: Insured) -> list[EBillRow]:
    async with unit_of_work(she.context.db) as session:
        return list(await session.scalars(select(EBillRow).order_by(EBillRow.sequence)))


async def states(she: Insured) -> list[str]:
    return [row.state for row in await bills(she)]


async def shown(she: Insured) -> list[dict[str, Any]]:
    answer = await she.api.get(f"/payments/{she.bill}/e-bills", headers=she.headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def asks(
    she: Insured, amount: int | None = None, why: RefundReason = RefundReason.DOCTOR_CANCELLED
) -> None:
    async with unit_of_work(she.context.db) as session:
        payment = await session.get_one(Payment, she.bill)
        assert await money.request_refund(session, SYSTEM, payment, why, at_most=amount)


async def settles(she: Insured, clock: SharedClock, times: int = 4) -> None:
    for _ in range(times):
        await runs_due(she.context)
        moves_on(clock, seconds=70)


async def test_no_bill_before_the_money(she: Insured, clock: SharedClock) -> None:
    await she.agrees()

    await settles(she, clock, times=1)
    await tasks.drive(Work(she.context, she.bill))

    assert await bills(she) == []


async def test_a_paid_bill_gets_its_e_bill_with_who_paid_what(paid: Insured, clock: SharedClock) -> None:
    await settles(paid, clock, times=1)

    [one] = await shown(paid)
    assert (one["state"], one["total"], one["gov"], one["own"], one["other"], one["cash"]) == (
        "issued", 5000, 3500, 800, 0, 700,
    )  # fmt: skip
    assert (len(one["code"]), len(one["number"]), len(one["check_code"])) == (8, 10, 6)
    assert "演示票据" in one["notice"]
    assert one["number"] in one["verify_url"]


async def test_the_platform_verifies_the_numbers_that_she_was_given(
    paid: Insured, clock: SharedClock
) -> None:
    await settles(paid, clock, times=1)
    [one] = await shown(paid)

    async with httpx.AsyncClient(trust_env=False, timeout=20) as anybody:
        page = await anybody.get(one["verify_url"])

    assert page.status_code == 200
    assert one["number"] in page.text
    assert "演示票据，非有效票据" in page.text


async def test_a_bill_is_issued_once_whatever_runs_twice(paid: Insured, clock: SharedClock) -> None:
    await settles(paid, clock, times=1)

    for _ in range(2):
        await tasks.drive(Work(paid.context, paid.bill))

    assert await states(paid) == ["issued"]


async def test_an_issue_whose_answer_was_lost_is_not_issued_again(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    town.faults["ebill"].replace({"lose_answers": True})
    await settles(paid, clock, times=1)
    lost = await states(paid)
    town.faults["ebill"].clear()
    moves_on(clock, minutes=10)

    await settles(paid, clock)

    assert lost == ["wanted"]
    assert await states(paid) == ["issued"]


async def test_a_platform_that_is_down_is_asked_again_and_its_bills_stand_on_the_desk(
    paid: Insured, town: Town, api: httpx.AsyncClient, clock: SharedClock
) -> None:
    town.faults["ebill"].replace({"down": True})
    await settles(paid, clock, times=1)
    [row] = await bills(paid)
    async with unit_of_work(paid.context.db) as session:
        from backend.e_bill import queries

        listed = await queries.waiting(session)
    town.faults["ebill"].clear()

    answer = await api.post(f"/e-bills/{row.id}/retry", headers=await staff_session(paid.context, CLERK))
    await settles(paid, clock)

    assert [one.bill.id for one in listed] == [row.id]
    assert "没有响应" in row.problem
    assert answer.status_code == 200, answer.text
    [after] = await bills(paid)
    assert (after.state, after.problem) == ("issued", "")


async def test_a_bill_that_is_refused_waits_for_a_person(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    town.faults["ebill"].replace({"refuse": "开票点已停用"})

    await settles(paid, clock, times=1)

    [row] = await bills(paid)
    assert "开票点已停用" in row.problem
    assert await parked(paid.context) == [service.DRIVE]


async def test_it_is_reversed_only_after_the_refund_has_succeeded(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    await settles(paid, clock, times=1)
    town.wechat_faults(insurance_refund_seconds=300)
    await asks(paid)
    await settles(paid, clock, times=2)
    await tasks.drive(Work(paid.context, paid.bill))
    early = await states(paid)
    moves_on(clock, minutes=6)

    await settles(paid, clock)

    assert early == ["issued"]
    [row] = await bills(paid)
    [refund] = await paid.refunds()
    assert (row.state, row.red_for) == ("reversed", refund.id)
    assert refund.succeeded_at is not None
    assert row.red_at is not None
    assert row.red_at.replace(microsecond=0) >= refund.succeeded_at.replace(microsecond=0)
    [one] = await shown(paid)
    assert one["red_number"]
    assert one["red_number"] != one["number"]


async def test_nobody_reverses_a_bill_by_hand_before_the_refund(paid: Insured, clock: SharedClock) -> None:
    await settles(paid, clock, times=1)
    [row] = await bills(paid)

    with pytest.raises(Conflict) as refused:
        async with unit_of_work(paid.context.db) as session:
            await service.may_reverse(session, row.id)

    assert refused.value.code == "red_before_refund"


async def with_a_refund_on_its_way(paid: Insured, town: Town, clock: SharedClock) -> EBillRow:
    await settles(paid, clock, times=1)
    town.wechat_faults(refund_seconds=24 * 3600)
    await asks(paid)
    await settles(paid, clock, times=2)
    [row], [refund] = await bills(paid), await paid.refunds()
    assert (row.state, refund.state) == ("issued", "processing")
    return row


async def test_nobody_reverses_a_bill_while_the_refund_is_on_its_way(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    row = await with_a_refund_on_its_way(paid, town, clock)

    with pytest.raises(Conflict) as refused:
        async with unit_of_work(paid.context.db) as session:
            await service.may_reverse(session, row.id)

    assert refused.value.code == "red_before_refund"


async def test_without_its_guard_the_red_bill_comes_before_the_money(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    """The twin: she would have neither the bill nor the money."""
    row = await with_a_refund_on_its_way(paid, town, clock)

    with without_guard("red_after_refund", allowed=True):
        async with unit_of_work(paid.context.db) as session:
            refund = await service.may_reverse(session, row.id)

    assert (refund.state, refund.succeeded_at) == ("processing", None)


async def test_a_refund_that_failed_leaves_the_bill_as_it_is(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    await settles(paid, clock, times=1)
    town.wechat_faults(insurance_refuses_refund="基金已关账")
    await asks(paid)

    await settles(paid, clock)

    assert await states(paid) == ["issued"]


async def test_after_a_part_went_back_a_new_bill_stands_for_the_rest(
    paid: Insured, clock: SharedClock
) -> None:
    await settles(paid, clock, times=1)
    await asks(paid, 900)

    await settles(paid, clock)

    first, second = await shown(paid)
    assert (first["state"], first["total"]) == ("reversed", 5000)
    assert (second["state"], second["total"], second["cash"], second["own"]) == ("issued", 4100, 0, 600)


async def test_a_refund_before_the_bill_was_issued_leaves_no_bill_behind(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    town.faults["ebill"].replace({"down": True})
    await settles(paid, clock, times=1)
    await asks(paid)
    await settles(paid, clock, times=3)
    town.faults["ebill"].clear()
    moves_on(clock, minutes=30)

    await settles(paid, clock)

    assert await states(paid) == ["dropped"]
    assert await shown(paid) == []


async def test_a_bill_whose_issue_was_lost_is_found_and_reversed(
    paid: Insured, town: Town, clock: SharedClock
) -> None:
    town.faults["ebill"].replace({"lose_answers": True})
    await settles(paid, clock, times=1)
    await asks(paid)
    await settles(paid, clock, times=3)
    town.faults["ebill"].clear()
    moves_on(clock, minutes=30)

    await settles(paid, clock)

    assert await states(paid) == ["reversed"]


async def test_others_do_not_see_her_bill(paid: Insured, api: httpx.AsyncClient, clock: SharedClock) -> None:
    await settles(paid, clock, times=1)
    _, headers = await a_person(paid.context, DAUGHTER)

    answer = await api.get(f"/payments/{paid.bill}/e-bills", headers=headers)

    assert answer.status_code == 404
