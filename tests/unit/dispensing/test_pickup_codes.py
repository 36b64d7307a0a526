"""A pick-up code has six digits: whoever may try without end finds it. Tries are counted per order and per person."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.dispensing import rules
from backend.dispensing import service as dispensing
from backend.dispensing.model import Dispense
from backend.dispensing.rules import CHECKS
from backend.policy import Policy, bind_policy, policy
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, Conflict, Invalid
from tests.builders.requests import staff_session
from tests.builders.visits import a_patient, on_shift, paid_order, prepared
from tests.database import SharedClock, moves_on
from tests.small_world import PHARMACIST, SECOND_PHARMACIST, Member

pytestmark = pytest.mark.anyio
ALL = dict.fromkeys(CHECKS, True)
NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)


async def waiting(session: AsyncSession, context: Context) -> Dispense:
    order = await paid_order(session, context, await a_patient(session), "pickup")
    for one in (PHARMACIST, SECOND_PHARMACIST):
        await on_shift(session, context, one)
    return await prepared(session, context, order)


def wrong(order: Dispense) -> str:
    return f"{(int(order.pickup_code or 0) + 1) % 10**6:06d}"


async def types(
    session: AsyncSession, order: Dispense, code: str, by: Member = PHARMACIST
) -> AppError | None:
    return await dispensing.try_code(session, by.actor, order.id, code)


@given(st.lists(st.integers(0, 899), max_size=12), st.integers(1, 8))
def test_it_is_locked_exactly_while_enough_wrong_ones_are_young_enough(ago: list[int], most: int) -> None:
    length = timedelta(minutes=15)
    times = sorted((NOW - timedelta(seconds=one) for one in ago), reverse=True)

    until = rules.locked_until(times, most, length)

    assert (until is None) == (len(times) < most)
    if until is not None:
        assert until > NOW
        assert sum(one > until - length for one in times) < most  # at that moment one more may be tried


async def test_after_five_wrong_codes_the_right_one_is_not_looked_at_for_a_quarter_of_an_hour(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    order = await waiting(session, context)
    heard = [await types(session, order, wrong(order)) for _ in range(policy().pickup_tries)]

    refused = await types(session, order, order.pickup_code or "", SECOND_PHARMACIST)

    assert all(isinstance(one, Invalid) for one in heard)
    words = [one.detail for one in heard if one]
    assert (words[0], words[-1]) == ("取药码不对，还可以试 4 次", "取药码不对，15 分钟内不再接受取药码")
    assert isinstance(refused, Conflict)
    assert refused.code == "pickup_locked"
    assert "请核对取药人身份证件" in refused.detail

    moves_on(clock, minutes=15)
    assert await types(session, order, order.pickup_code or "", SECOND_PHARMACIST) is None


async def test_a_patient_at_a_locked_order_gets_her_drugs_by_her_papers(
    session: AsyncSession, context: Context
) -> None:
    order = await waiting(session, context)
    for _ in range(policy().pickup_tries):
        await types(session, order, wrong(order))

    assert await types(session, order, "") is None
    order = await dispensing.hand_over(
        session, PHARMACIST.actor, order, list(CHECKS), retail_ban=False, without_code="核对身份证原件"
    )
    assert order.state == "completed"


async def test_who_tries_one_order_after_the_other_is_stopped_and_a_colleague_is_not(
    session: AsyncSession, context: Context, policies: None
) -> None:
    order = await waiting(session, context)
    for _ in range(policy().pickup_tries_person):
        await types(session, order, wrong(order))

    for code in (order.pickup_code or "", ""):
        refused = await types(session, order, code)
        assert refused is not None
        assert refused.code == "pickup_person_locked"
    assert await types(session, order, order.pickup_code or "", SECOND_PHARMACIST) is None


@pytest.fixture
def policies() -> Iterator[None]:
    """Many tries per order, so that the person's own limit is what holds."""
    bind_policy(Policy(pickup_tries=100))
    yield
    bind_policy(Policy())


async def test_a_wrong_code_is_counted_and_audited_though_the_hand_over_is_refused(
    running: Context, api: httpx.AsyncClient
) -> None:
    """By the route: the transaction of the refused hand-over is gone, the count is not."""
    async with unit_of_work(running.db) as session:
        order = await waiting(session, running)
    headers = await staff_session(running, PHARMACIST)
    path = f"/dispenses/{order.id}/hand-over"

    codes = []
    for _ in range(policy().pickup_tries + 1):
        answer = await api.post(path, json=ALL | {"pickup_code": wrong(order)}, headers=headers)
        codes.append((answer.status_code, answer.json()["code"]))
    right = await api.post(path, json=ALL | {"pickup_code": order.pickup_code}, headers=headers)

    assert codes[:-1] == [(422, "invalid")] * policy().pickup_tries
    assert codes[-1] == (409, "pickup_locked")
    assert (right.status_code, right.json()["code"]) == (409, "pickup_locked")
    async with unit_of_work(running.db) as session:
        lines = (
            await session.scalars(
                select(AuditEvent).where(AuditEvent.action == "dispense.pickup_code").order_by(AuditEvent.at)
            )
        ).all()
    assert [(one.outcome, one.code, one.actor_id) for one in lines] == [
        *[("refused", "wrong", PHARMACIST.id)] * 4,
        ("refused", "locked", PHARMACIST.id),
    ]
    assert (order.pickup_code or "-") not in str([one.detail for one in lines])

    other = await staff_session(running, SECOND_PHARMACIST)
    done = await api.post(path, json=ALL | {"without_code": "核对身份证原件"}, headers=other)
    assert (done.status_code, done.json()["state"]) == (200, "completed")


async def test_without_a_shift_nobody_tries(session: AsyncSession, context: Context) -> None:
    order = await paid_order(session, context, await a_patient(session), "pickup")

    with pytest.raises(AppError):
        await types(session, order, "000000", SECOND_PHARMACIST)


async def test_what_a_courier_brings_has_no_code_to_count(session: AsyncSession, context: Context) -> None:
    order = await paid_order(session, context, await a_patient(session), "courier")
    await on_shift(session, context, PHARMACIST)

    assert await types(session, order, "123456") is None
