"""What the money desk's JSON says to patients and clerks."""

from datetime import datetime

import httpx
import pytest
from sqlalchemy import select

from backend.appointment.model import Appointment
from backend.context import Context
from backend.encounter import service as visiting
from backend.payment.model import Refund
from backend.waiting import service as late
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import Headers, a_person, staff_session
from tests.builders.visits import Patient, a_slot, bill, booked
from tests.database import SharedClock, moves_on
from tests.policies import numbers
from tests.small_world import CLERK, OTHER, QUALITY

pytestmark = pytest.mark.anyio


@pytest.fixture
async def mother(running: Context) -> tuple[Patient, Headers]:
    return await a_person(running)


@pytest.fixture
async def visit(running: Context, mother: tuple[Patient, Headers]) -> Appointment:
    """Two hours from now, paid."""
    async with unit_of_work(running.db) as session:
        return await booked(session, running, mother[0], await a_slot(session, hours=2))


@pytest.mark.parametrize(("minutes", "percent"), [(0, 100), (79, 100), (95, 50)])
async def test_what_is_promised_before_a_cancellation_is_what_goes_back(
    running: Context, api: httpx.AsyncClient, mother: tuple[Patient, Headers], visit: Appointment, clock: SharedClock,
    minutes: int, percent: int,
) -> None:  # fmt: skip
    moves_on(clock, minutes=minutes)

    promised = (await api.get(f"/appointments/{visit.id}/cancellation", headers=mother[1])).json()
    async with unit_of_work(running.db) as session:
        await visiting.cancel_by_patient(
            session, mother[0].actor, await session.get_one(Appointment, visit.id)
        )

    assert (promised["percent"], promised["paid"]) == (percent, 5000)
    async with unit_of_work(running.db) as session:
        refund = (await session.scalars(select(Refund))).one()
    assert (refund.amount, refund.rule_id, refund.reason) == (
        promised["amount"], promised["rule_id"], promised["reason"],
    )  # fmt: skip


async def test_who_was_moved_and_has_not_agreed_is_promised_all_of_it_and_given_it(
    running: Context, api: httpx.AsyncClient, mother: tuple[Patient, Headers], visit: Appointment, clock: SharedClock
) -> None:  # fmt: skip
    """practice.md 17: the doctor cancelled, whatever the hour."""
    async with unit_of_work(running.db) as session:
        moved = await session.get_one(Appointment, visit.id)
        moved.answer_by = visit.starts_at
    moves_on(clock, minutes=95)

    promised = (await api.get(f"/appointments/{visit.id}/cancellation", headers=mother[1])).json()
    async with unit_of_work(running.db) as session:
        await visiting.cancel_by_patient(
            session, mother[0].actor, await session.get_one(Appointment, visit.id)
        )

    assert (promised["reason"], promised["percent"], promised["amount"]) == ("doctor_cancelled", 100, 5000)
    assert datetime.fromisoformat(promised["free_until"]) == visit.starts_at
    async with unit_of_work(running.db) as session:
        refund = (await session.scalars(select(Refund))).one()
    assert (refund.reason, refund.amount) == ("doctor_cancelled", 5000)


@pytest.mark.parametrize("way", ["refund", "cancel"])
async def test_what_a_late_doctor_offers_is_what_is_promised_and_given(
    running: Context, api: httpx.AsyncClient, mother: tuple[Patient, Headers], visit: Appointment, clock: SharedClock,
    way: str,
) -> None:  # fmt: skip
    """The hospital asks sooner than the rules do: all of it goes back all the same (practice.md 17, doctor late)."""
    with numbers(late_minutes=5):
        moves_on(clock, minutes=100)
        async with unit_of_work(running.db) as session:
            row = await session.get_one(Appointment, visit.id)
            seen = await visiting.check_in(session, mother[0].actor, row)
        moves_on(clock, minutes=17)
        async with unit_of_work(running.db) as session:
            assert await late.offer(session, seen.id)

        promised = (await api.get(f"/appointments/{visit.id}/cancellation", headers=mother[1])).json()
        async with unit_of_work(running.db) as session:
            row = await session.get_one(Appointment, visit.id)
            act = late.take_refund if way == "refund" else visiting.cancel_by_patient
            await act(session, mother[0].actor, row)

    assert (promised["reason"], promised["percent"]) == ("doctor_late", 100)
    async with unit_of_work(running.db) as session:
        refund = (await session.scalars(select(Refund))).one()
    assert (refund.reason, refund.amount) == ("doctor_late", 5000)


async def test_nobody_elses_cancellation_is_priced(
    running: Context, api: httpx.AsyncClient, visit: Appointment
) -> None:
    _, stranger = await a_person(running, OTHER)

    assert (await api.get(f"/appointments/{visit.id}/cancellation", headers=stranger)).status_code == 404


async def test_the_rules_are_for_everybody_to_read(api: httpx.AsyncClient) -> None:
    book = (await api.get("/refund-rules")).json()

    assert (book["version"], book["cut_off_minutes"], len(book["rules"])) == ("2026.1", 30, 18)
    late = next(rule for rule in book["rules"] if rule["id"] == "A02")
    assert (late["percent"], late["approval_needed"]) == (50, False)


async def test_orders_are_found_by_phone_masked_and_written_down(
    running: Context, api: httpx.AsyncClient, mother: tuple[Patient, Headers], visit: Appointment
) -> None:
    clerk = await staff_session(running, CLERK)

    [found] = (await api.get("/orders?q=19900000001", headers=clerk)).json()

    assert (found["person_name"], found["person_phone"]) == ("林**", "199****0001")
    assert (await api.get("/orders?q=1990000000", headers=clerk)).json() == []
    assert (await api.get("/orders?q=19900000001", headers=mother[1])).status_code == 403
    async with unit_of_work(running.db) as session:
        query = select(AuditEvent).where(AuditEvent.action == "payment.search", AuditEvent.outcome == "ok")
        assert len((await session.scalars(query)).all()) == 2


async def test_a_refund_is_proposed_and_rejected_by_json_alone(
    running: Context, api: httpx.AsyncClient, visit: Appointment
) -> None:
    clerk = await staff_session(running, CLERK)
    async with unit_of_work(running.db) as session:
        payment = await bill(session, visit)

    made = await api.post(
        f"/payments/{payment.id}/refunds", json={"yuan": "10", "note": "协商退还部分"}, headers=clerk
    )
    again = await api.post(
        f"/payments/{payment.id}/refunds", json={"yuan": "10", "note": "协商退还部分"}, headers=clerk
    )
    refused = await api.post(f"/refunds/{made.json()['id']}/approve", json={}, headers=clerk)
    quality = await api.post(
        f"/refunds/{made.json()['id']}/reject",
        json={"note": "没有依据"},
        headers=await staff_session(running, QUALITY),
    )
    waiting = (await api.get("/refunds?view=deciding", headers=clerk)).json()

    assert (made.status_code, made.json()["amount"], made.json()["requested_by"]) == (201, 1000, CLERK.name)
    assert (again.status_code, again.json()["code"]) == (409, "refund_running")
    assert (refused.status_code, refused.json()["code"]) == (403, "four_eyes")
    assert quality.status_code == 403
    assert [one["id"] for one in waiting] == [made.json()["id"]]
