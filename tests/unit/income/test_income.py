from datetime import date

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import service as booking
from backend.context import Context
from backend.income.queries import month_of, visit_fees
from backend.outside.wechat_pay import Amount, RefundAnswer
from backend.payment import queries as payments
from backend.payment import service as money
from backend.payment.rules import RefundReason
from foundation.actor import SYSTEM
from foundation.clock import local
from foundation.db.unit_of_work import unit_of_work
from tests.builders.requests import a_person, staff_session
from tests.builders.visits import a_patient, bill, booked, paid_order, pays, requested
from tests.database import MORNING
from tests.small_world import DOCTOR, OTHER, PHARMACIST, SECOND_DOCTOR

pytestmark = pytest.mark.anyio

DAY = date(2026, 11, 20)


async def test_visit_fees_count_and_drugs_do_not(session: AsyncSession, context: Context) -> None:
    """practice.md 18."""
    order = await paid_order(session, context, await a_patient(session))
    assert order.paid_at is not None

    found = await visit_fees(session, DOCTOR.id, DAY)

    assert (found.received, found.refunded, found.days[DAY].visits) == (5000, 0, 1)
    assert (await visit_fees(session, SECOND_DOCTOR.id, DAY)).received == 0
    assert (await visit_fees(session, DOCTOR.id, date(2026, 10, 1))).received == 0


async def test_what_went_back_is_taken_off_when_it_is_proven(session: AsyncSession, context: Context) -> None:
    row = await booked(session, context, await a_patient(session, OTHER))
    await booking.cancel(session, SYSTEM, row, RefundReason.DOCTOR_CANCELLED, "system")
    payment = await bill(session, row)
    [refund] = await payments.refunds(session, payment.id)
    assert (await visit_fees(session, DOCTOR.id, DAY)).refunded == 0
    answer = RefundAnswer(
        refund_id="50-1",
        out_refund_no=refund.out_refund_no,
        status="SUCCESS",
        amount=Amount(refund=refund.amount),
    )

    await money.refund_answered(session, context, refund.id, answer)

    found = await visit_fees(session, DOCTOR.id, DAY)
    assert (found.received, found.refunded) == (5000, 5000)


async def test_a_doctor_sees_her_own_figures_and_nobody_else_does(
    running: Context, api: httpx.AsyncClient
) -> None:
    patient, headers = await a_person(running)
    async with unit_of_work(running.db) as session:
        await pays(session, running, await requested(session, patient))

    mine = await api.get("/doctor/income", headers=await staff_session(running, DOCTOR))

    assert (mine.json()["month"], mine.json()["net"], len(mine.json()["days"])) == ("2026-11", 5000, 1)
    other = await api.get("/doctor/income?month=2026-11", headers=await staff_session(running, SECOND_DOCTOR))
    assert other.json()["net"] == 0
    for refused in (headers, await staff_session(running, PHARMACIST)):
        assert (await api.get("/doctor/income", headers=refused)).status_code == 403
    wrong = await api.get("/doctor/income?month=2026-13", headers=await staff_session(running, DOCTOR))
    assert wrong.status_code == 422


def test_a_month_is_one_of_shanghai() -> None:
    start, end = month_of(date(2026, 12, 31))

    assert (local(start).isoformat(), local(end).isoformat()) == (
        "2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00",
    )  # fmt: skip
    assert month_of(local(MORNING).date())[0] < MORNING < month_of(local(MORNING).date())[1]
