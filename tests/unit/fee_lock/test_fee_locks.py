"""While somebody pays online, the hospital's window leaves the fee alone; and nothing but the window's own charge keeps her from paying."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.context import Context
from backend.fee_lock import service as fees
from backend.fee_lock.model import FeeLock
from backend.fee_lock.service import LIFT
from backend.patient.service import remember_hospital_id
from backend.payment.model import Payment
from backend.payment.rules import RefundReason
from backend.payment.service import CLOSE
from backend.policy import Policy
from backend.wiring import handlers
from contracts import his
from foundation.db.audit import AuditEvent
from foundation.db.intents import Intent, run_one
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person
from tests.builders.visits import Patient, approved, bill, ordered, requested
from tests.database import SharedClock, moves_on
from tests.policies import numbers
from tests.town import Town

pytestmark = pytest.mark.anyio
HELD = "ChargeItem/1"


@pytest.fixture
async def she(running: Context, wechat: httpx.AsyncClient) -> tuple[Patient, Headers]:
    return await a_person(running)


@pytest.fixture
async def held(running: Context, she: tuple[Patient, Headers], town: Town, clock: SharedClock) -> Payment:
    """The open bill of a held place, and a hospital that locks whatever it is asked to."""
    town.gateway.answers["lock-fee"] = his.FeeLock(HELD, clock.now() + timedelta(minutes=9), True)
    async with unit_of_work(running.db) as session:
        await remember_hospital_id(session, she[0].person.id, "P-1")
        return await bill(session, await requested(session, she[0]))


async def opens_the_cashier(api: httpx.AsyncClient, row: Payment, headers: Headers) -> httpx.Response:
    return await api.post(f"/payments/{row.id}/prepay", headers=headers)


def asked(town: Town, operation: str) -> list[dict[str, Any]]:
    return [body for name, body in town.gateway.received if name == operation]


async def locks(running: Context) -> list[FeeLock]:
    async with unit_of_work(running.db) as session:
        return list(await session.scalars(select(FeeLock).order_by(FeeLock.asked_at, FeeLock.id)))


async def do(running: Context, kind: str, subject: UUID) -> None:
    async with unit_of_work(running.db) as session:
        query = select(Intent.id).where(
            Intent.kind == kind, Intent.subject == str(subject), Intent.done_at.is_(None)
        )
        intent_id = (await session.scalars(query)).one()
    assert await run_one(running.db, running, handlers(), intent_id)


async def gives_up(running: Context, row: Payment, she: Patient) -> None:
    async with unit_of_work(running.db) as session:
        booked = await session.get_one(Appointment, row.subject_id)
        await booking.cancel(session, she.actor, booked, RefundReason.PATIENT_CANCELLED, "patient")
    await do(running, CLOSE, row.id)


async def test_the_fee_is_locked_before_the_order_is_placed(
    running: Context, api: httpx.AsyncClient, she: tuple[Patient, Headers], held: Payment, town: Town
) -> None:
    assert (await opens_the_cashier(api, held, she[1])).status_code == 200

    [body] = asked(town, "lock-fee")
    [row] = await locks(running)
    assert (body["kind"], body["amount"], body["fee_number"]) == ("registration", held.amount, "")
    assert body["appointment_id"] == str(held.subject_id)
    assert body["request_id"] == str(row.id)
    assert datetime.fromisoformat(body["until"]) <= held.expires_at
    assert row.held_at is not None


async def test_what_is_locked_is_not_asked_for_again(
    running: Context, api: httpx.AsyncClient, she: tuple[Patient, Headers], held: Payment, town: Town
) -> None:
    await opens_the_cashier(api, held, she[1])
    await opens_the_cashier(api, held, she[1])

    assert len(asked(town, "lock-fee")) == 1


async def test_what_the_window_has_charged_is_not_paid_twice(
    running: Context, api: httpx.AsyncClient, she: tuple[Patient, Headers], held: Payment, town: Town
) -> None:
    town.gateway.refuses(422, "fee_taken")

    answer = await opens_the_cashier(api, held, she[1])

    assert (answer.status_code, answer.json()["code"]) == (409, "fee_taken")
    async with unit_of_work(running.db) as session:
        assert (await session.get_one(Payment, held.id)).prepay_id == ""
        query = select(AuditEvent.code).where(AuditEvent.action == "fee_lock.ask")
        assert list(await session.scalars(query)) == ["fee_taken"]


async def test_after_a_refusal_a_new_lock_has_a_new_number(
    running: Context, api: httpx.AsyncClient, she: tuple[Patient, Headers], held: Payment, town: Town
) -> None:
    town.gateway.refuses(422, "fee_taken")
    await opens_the_cashier(api, held, she[1])
    town.gateway.status, town.gateway.body = 200, b""

    assert (await opens_the_cashier(api, held, she[1])).status_code == 200

    first, second = asked(town, "lock-fee")
    assert first["request_id"] != second["request_id"]


@pytest.mark.parametrize(
    ("status", "code"), [(422, "hospital_refused"), (403, "not_listed"), (503, "hospital_unreachable"), (404, "patient_not_found")]
)  # fmt: skip
async def test_a_hospital_without_locks_or_without_an_answer_stops_nobody(
    api: httpx.AsyncClient, she: tuple[Patient, Headers], held: Payment, town: Town, status: int, code: str
) -> None:
    town.gateway.refuses(status, code)

    assert (await opens_the_cashier(api, held, she[1])).status_code == 200


async def test_an_unanswered_lock_is_asked_for_again_under_its_number(
    running: Context, api: httpx.AsyncClient, she: tuple[Patient, Headers], held: Payment, town: Town
) -> None:
    town.gateway.refuses(503, "hospital_unreachable")
    await opens_the_cashier(api, held, she[1])
    town.gateway.status, town.gateway.body = 200, b""
    await opens_the_cashier(api, held, she[1])

    assert len({body["request_id"] for body in asked(town, "lock-fee")}) == 1
    assert [row.held_at is not None for row in await locks(running)] == [True]


@pytest.mark.parametrize("answered", [True, False])
async def test_a_bill_that_is_given_up_is_the_windows_again(
    running: Context,
    api: httpx.AsyncClient,
    she: tuple[Patient, Headers],
    held: Payment,
    town: Town,
    answered: bool,
) -> None:
    if not answered:  # it may be locked there for all we know
        town.gateway.refuses(504, "hospital_timeout")
    await opens_the_cashier(api, held, she[1])
    town.gateway.status, town.gateway.body = 200, b""
    [row] = await locks(running)

    await gives_up(running, held, she[0])
    await do(running, LIFT, row.id)

    [body] = asked(town, "unlock-fee")
    assert (body["request_id"], body["kind"]) == (str(row.lift_id), "registration")
    assert [one.ended_at is not None for one in await locks(running)] == [True]


async def test_what_was_never_locked_is_not_unlocked(
    running: Context, she: tuple[Patient, Headers], held: Payment, town: Town
) -> None:
    await gives_up(running, held, she[0])

    async with unit_of_work(running.db) as session:
        assert list(await session.scalars(select(Intent.id).where(Intent.kind == LIFT))) == []


async def test_a_lock_that_has_ended_by_itself_is_left_alone(
    running: Context,
    api: httpx.AsyncClient,
    she: tuple[Patient, Headers],
    held: Payment,
    town: Town,
    clock: SharedClock,
) -> None:
    await opens_the_cashier(api, held, she[1])
    [row] = await locks(running)
    await gives_up(running, held, she[0])

    moves_on(clock, minutes=40)
    await do(running, LIFT, row.id)

    assert asked(town, "unlock-fee") == []
    assert [one.ended_at is not None for one in await locks(running)] == [True]


@pytest.mark.parametrize("chosen", [(), ("prescription",)])
async def test_the_hospital_decides_which_fees_are_locked(
    api: httpx.AsyncClient, she: tuple[Patient, Headers], held: Payment, town: Town, chosen: tuple[str, ...]
) -> None:
    with numbers(fee_lock=chosen):
        assert (await opens_the_cashier(api, held, she[1])).status_code == 200

    assert asked(town, "lock-fee") == []


def test_a_kind_that_nobody_knows_is_named() -> None:
    wrong = Policy(fee_lock=("parking",), fee_lock_minutes=121)

    assert [line.split()[0] for line in wrong.policy_problems()] == ["FEE_LOCK", "FEE_LOCK_MINUTES"]


async def test_a_prescriptions_fee_has_its_number(running: Context, she: tuple[Patient, Headers]) -> None:
    async with unit_of_work(running.db) as session:
        row = await approved(session, running, she[0])
        fee = await fees.fee_of(session, (await ordered(session, she[0], row))[1])

    assert fee is not None
    assert (fee.kind, fee.number) == ("prescription", row.number)
