"""Two pharmacists, two presses, two patients: what must happen once happens once."""

from typing import Any

import pytest
from sqlalchemy import func, select

from backend.context import Context
from backend.dispensing import preparing
from backend.dispensing import service as dispensing
from backend.dispensing.model import Dispense
from backend.policy import Policy, bind_policy
from backend.prescription import reviewing
from backend.prescription.model import PrescriptionRow
from backend.review.draft import Category, Finding, Severity
from backend.signature import service as signatures
from backend.stock import service as stock
from backend.stock.model import StockLevel
from foundation.db.guards import without_guard
from foundation.db.outbox import OutboxEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError
from tests.builders.visits import a_patient, accepted, approved, drafted, on_shift, ordered, paid_order, signs
from tests.races.lining_up import STREAM, both, people
from tests.small_world import PHARMACIST, SECOND_PHARMACIST, Member

pytestmark = pytest.mark.anyio
FINDING = Finding("A-1", "1", Category.APPROPRIATENESS, Severity.REASON, "超过七日", "处方管理办法", 0)


async def needing_a_reason(context: Context) -> PrescriptionRow:
    async with unit_of_work(context.db) as session:
        visit = await accepted(session, context, await a_patient(session))
        row = await signs(session, context, await drafted(session, visit))
        row.findings = [FINDING]
        for one in (PHARMACIST, SECOND_PHARMACIST):
            await on_shift(session, context, one)
        return row


async def approves(context: Context, row: PrescriptionRow, by: Member) -> str:
    """As the route does it: ask, sign outside, keep."""
    async with unit_of_work(context.db) as session:
        wanted = await reviewing.want_approval(
            session, by.actor, await session.get_one(PrescriptionRow, row.id)
        )
    value = await signatures.obtain(context, wanted)
    async with unit_of_work(context.db) as session:
        mine = await session.get_one(PrescriptionRow, row.id)
        return (await reviewing.approved(session, by.actor, mine, wanted, value)).state.value


async def pressed_twice(context: Context, row: PrescriptionRow) -> list[Any]:
    """The same pharmacist, both presses asked before either is kept."""
    presses = []
    for _ in range(2):
        async with unit_of_work(context.db) as session:
            mine = await session.get_one(PrescriptionRow, row.id)
            wanted = await reviewing.want_approval(session, PHARMACIST.actor, mine)
        presses.append((wanted, await signatures.obtain(context, wanted)))

    async def keeps(press: Any) -> str:
        async with unit_of_work(context.db) as session:
            mine = await session.get_one(PrescriptionRow, row.id)
            return (await reviewing.approved(session, PHARMACIST.actor, mine, *press)).state.value

    return await both(context.db, *(keeps(one) for one in presses), lock=STREAM, name=row.stream)


async def test_who_presses_twice_is_not_two_people(running: Context) -> None:
    row = await needing_a_reason(running)

    assert await pressed_twice(running, row) == ["checking", "checking"]


async def test_without_the_guard_one_pharmacist_is_two(running: Context) -> None:
    """The twin."""
    row = await needing_a_reason(running)

    with without_guard("second_pair_of_eyes", allowed=True):
        results = await pressed_twice(running, row)

    assert results == ["checking", "approved"]


async def test_two_who_review_at_once_are_one_reviewer_and_one_who_is_asked_to_confirm(
    running: Context,
) -> None:
    row = await needing_a_reason(running)

    results = await both(
        running.db, approves(running, row, PHARMACIST), approves(running, row, SECOND_PHARMACIST), lock=STREAM,
        name=row.stream,
    )  # fmt: skip

    assert sorted(one.code if isinstance(one, AppError) else one for one in results) == [
        "checking",
        "now_to_confirm",
    ]
    again = SECOND_PHARMACIST if results[0] == "checking" else PHARMACIST
    assert await approves(running, row, again) == "approved"
    async with unit_of_work(running.db) as session:
        told = select(func.count()).where(OutboxEvent.type == "prescription.approved")
        assert await session.scalar(told) == 1


# the last pack


async def two_patients_and_one_pack(context: Context) -> list[tuple[Any, PrescriptionRow]]:
    first, second = await people(context.db, 2)
    found = []
    async with unit_of_work(context.db) as session:
        await stock.count_in(session, PHARMACIST.actor, "YP001", 1, "入库")
    for patient in (first, second):
        async with unit_of_work(context.db) as session:
            found.append((patient, await approved(session, context, patient)))
    return found


async def orders(context: Context, patient: Any, row: PrescriptionRow) -> str:
    async with unit_of_work(context.db) as session:
        mine = await session.get_one(PrescriptionRow, row.id)
        return (await ordered(session, patient, mine))[0].state.value


LEVEL = "SELECT id FROM stock_level FOR UPDATE"


async def race_for_the_pack(context: Context) -> tuple[list[str], int]:
    """What both heard, and how many packs are kept."""
    pairs = await two_patients_and_one_pack(context)
    results = await both(context.db, *(orders(context, *pair) for pair in pairs), lock=LEVEL)
    async with unit_of_work(context.db) as session:
        kept = (await session.scalars(select(StockLevel.reserved))).one()
    return sorted(one.code if isinstance(one, AppError) else one for one in results), kept


async def test_the_last_pack_is_kept_for_one(running: Context) -> None:
    assert await race_for_the_pack(running) == (["out_of_stock", "preparation"], 1)


async def test_without_its_lock_one_pack_is_kept_for_two(running: Context) -> None:
    """The twin."""
    with without_guard("row_lock", allowed=True):
        heard, kept = await race_for_the_pack(running)

    assert (heard, kept) == (["preparation", "preparation"], 1)


# one code, two orders


async def test_one_code_scanned_for_two_orders_at_once_belongs_to_one(running: Context) -> None:
    orders_: list[Dispense] = []
    for patient in await people(running.db, 2):
        async with unit_of_work(running.db) as session:
            orders_.append(await paid_order(session, running, patient))
            await on_shift(session, running, PHARMACIST)

    async def scans(order: Dispense) -> str:
        async with unit_of_work(running.db) as session:
            mine = await session.get_one(Dispense, order.id)
            await preparing.record_codes(session, PHARMACIST.actor, mine, 0, ["81234567890123456789"])
        return "recorded"

    results = await both(
        running.db, *(scans(one) for one in orders_), lock="LOCK TABLE trace_code IN EXCLUSIVE MODE"
    )

    heard = sorted(one.code if isinstance(one, AppError) else one for one in results)
    assert heard == ["recorded", "trace_code_used"]


# guessing a pick-up code

GUESSES = "LOCK TABLE pickup_attempt IN EXCLUSIVE MODE"


async def orders_to_pick_up(context: Context, count: int) -> list[Dispense]:
    found = []
    for patient in await people(context.db, count):
        async with unit_of_work(context.db) as session:
            found.append(await paid_order(session, context, patient, "pickup"))
            for one in (PHARMACIST, SECOND_PHARMACIST):
                await on_shift(session, context, one)
    return found


async def guesses(context: Context, order: Dispense, by: Member) -> str:
    wrong = f"{(int(order.pickup_code or 0) + 1) % 10**6:06d}"
    async with unit_of_work(context.db) as session:
        refused = await dispensing.try_code(session, by.actor, order.id, wrong)
        return refused.code if refused else "fits"


async def two_guess_one_order(context: Context) -> list[str]:
    """With one try left."""
    (order,) = await orders_to_pick_up(context, 1)
    bind_policy(Policy(pickup_tries=1))
    try:
        works = (guesses(context, order, one) for one in (PHARMACIST, SECOND_PHARMACIST))
        return sorted(await both(context.db, *works, lock=GUESSES))
    finally:
        bind_policy(Policy())


async def one_guesses_two_orders(context: Context) -> list[str]:
    """From two windows, with one try left."""
    pair = await orders_to_pick_up(context, 2)
    bind_policy(Policy(pickup_tries_person=1))
    try:
        return sorted(
            await both(context.db, *(guesses(context, one, PHARMACIST) for one in pair), lock=GUESSES)
        )
    finally:
        bind_policy(Policy())


async def test_the_last_try_for_an_order_is_one_try(running: Context) -> None:
    assert await two_guess_one_order(running) == ["invalid", "pickup_locked"]


async def test_without_locks_the_last_try_for_an_order_is_two(running: Context) -> None:
    """The twin."""
    with without_guard("stream_lock", allowed=True), without_guard("row_lock", allowed=True):
        assert await two_guess_one_order(running) == ["invalid", "invalid"]


async def test_the_last_try_of_a_person_is_one_try_over_all_orders(running: Context) -> None:
    assert await one_guesses_two_orders(running) == ["invalid", "pickup_person_locked"]


async def test_without_her_lock_the_last_try_of_a_person_is_two(running: Context) -> None:
    """The twin."""
    with without_guard("stream_lock", allowed=True):
        assert await one_guesses_two_orders(running) == ["invalid", "invalid"]
