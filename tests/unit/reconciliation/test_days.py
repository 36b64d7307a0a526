"""A day from its first payment to its end, against the WeChat mock's own bills and a hospital that remembers what it was told."""

from datetime import date, timedelta
from uuid import UUID

import httpx
import msgspec
import pytest
from sqlalchemy import func, select

from backend.appointment import service as booking
from backend.appointment.model import Appointment
from backend.context import Context
from backend.payment.model import Payment
from backend.payment.queries import refunds as refunds_of
from backend.payment.rules import RefundReason
from backend.payment.service import request_refund
from backend.payment.tasks import settle as ask_provider
from backend.reconciliation import queries, service
from backend.reconciliation.model import DifferenceRow, ReconciliationDay, ReconciliationRun
from backend.reconciliation.rules import Kind, Resolution
from backend.reconciliation.states import DayState, DifferenceState
from backend.reconciliation.tasks import run
from backend.wiring import handlers
from contracts import his
from foundation.actor import SYSTEM
from foundation.canonical import sha256
from foundation.db.audit import AuditEvent
from foundation.db.intents import Intent, TryLater, Work, due_ids, run_one
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict
from tests.builders.requests import Headers, a_person
from tests.builders.visits import Patient, bill, requested
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK
from tests.town import Town

pytestmark = pytest.mark.anyio
FRIDAY = date(2026, 11, 20)


@pytest.fixture
async def mother(running: Context, wechat: httpx.AsyncClient) -> tuple[Patient, Headers]:
    """At the mock she is `o-patient`."""
    return await a_person(running)


@pytest.fixture
async def today(running: Context) -> UUID:
    async with unit_of_work(running.db) as session:
        await service.ensure_days(session)
        row = await queries.by_day(session, FRIDAY)
    assert row is not None
    return row.id


async def works(context: Context) -> None:
    """All work that is due, as the sweep would, until nothing is."""
    for _ in range(10):
        found = await due_ids(context.db)
        if not found:
            return
        for intent_id in found:
            await run_one(context.db, context, handlers(), intent_id)


async def paid(
    context: Context, wechat: httpx.AsyncClient, api: httpx.AsyncClient, mother: tuple[Patient, Headers]
) -> Payment:
    """Paid at the mock, confirmed by the query, written back."""
    patient, headers = mother
    async with unit_of_work(context.db) as session:
        payment = await bill(session, await requested(session, patient))
    parameters = (await api.post(f"/payments/{payment.id}/prepay", headers=headers)).json()
    assert (await wechat.post("/phone/o-patient/pay", json=parameters)).json()[
        "result"
    ] == "requestPayment:ok"
    await ask_provider(Work(context, payment.id))
    await works(context)
    async with unit_of_work(context.db) as session:
        return await session.get_one(Payment, payment.id)


async def comes_back(context: Context, payment: Payment, clock: SharedClock) -> None:
    """Until the provider's receipt for the refund is here."""
    for _ in range(10):
        await works(context)
        async with unit_of_work(context.db) as session:
            [refund] = await refunds_of(session, payment.id)
        if refund.state == "succeeded":
            await works(context)
            return
        moves_on(clock, minutes=1)
    raise AssertionError("the refund never came")


async def compares(context: Context, day_id: UUID) -> tuple[ReconciliationDay, list[DifferenceRow]]:
    await run(Work(context, day_id))
    async with unit_of_work(context.db) as session:
        return await queries.day_row(session, day_id), list(await queries.differences(session, day_id))


def the_next_morning(clock: SharedClock) -> None:
    moves_on(clock, days=1, hours=1)


async def test_a_day_on_which_all_agree_closes_itself(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], today: UUID,
    clock: SharedClock,
) -> None:  # fmt: skip
    payment = await paid(running, wechat, api, mother)
    the_next_morning(clock)

    await works(running)

    async with unit_of_work(running.db) as session:
        row = await queries.day_row(session, today)
        kept = await queries.last_run(session, row)
        assert kept is not None
        assert (row.state, await queries.differences(session, today)) == (DayState.CLOSED, [])
    assert kept.ours_charged == kept.provider_charged == kept.hospital_charged == payment.amount
    assert (kept.differences, kept.ours_refunded, len(kept.trade_sha1)) == (0, 0, 40)


async def test_the_statement_lies_there_as_it_was_hashed_and_names_nobody(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], today: UUID,
    clock: SharedClock,
) -> None:  # fmt: skip
    payment = await paid(running, wechat, api, mother)
    the_next_morning(clock)
    await compares(running, today)

    async with unit_of_work(running.db) as session:
        kept = (await session.scalars(select(ReconciliationRun))).one()
    content = b"".join([piece async for piece in running.objects.read(kept.statement)])
    assert sha256(content).hex() == kept.statement_hash
    assert msgspec.json.decode(content)["ours"][0][1] == payment.transaction_id
    assert mother[0].resident.name not in content.decode()
    assert "o-patient" not in content.decode()


async def test_a_refund_is_in_all_three_books(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], today: UUID,
    clock: SharedClock,
) -> None:  # fmt: skip
    payment = await paid(running, wechat, api, mother)
    async with unit_of_work(running.db) as session:
        booked = await session.get_one(Appointment, payment.subject_id)
        await booking.cancel(session, SYSTEM, booked, RefundReason.DOCTOR_CANCELLED, "system")
    await comes_back(running, payment, clock)
    the_next_morning(clock)

    row, found = await compares(running, today)

    assert (row.state, found) == (DayState.CLOSED, [])
    async with unit_of_work(running.db) as session:
        kept = await queries.last_run(session, row)
    assert kept is not None
    assert kept.ours_refunded == kept.provider_refunded == kept.hospital_refunded == payment.amount


async def test_a_bill_one_fen_off_is_a_difference_that_a_person_settles(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], today: UUID,
    clock: SharedClock, town: Town,
) -> None:  # fmt: skip
    payment = await paid(running, wechat, api, mother)
    the_next_morning(clock)
    town.wechat_faults(bill_off_by_one=True)

    row, found = await compares(running, today)

    assert row.state is DayState.DIFFERING
    assert [
        (one.kind, one.number, one.mine, one.theirs) for one in found if one.kind == Kind.AMOUNT_PROVIDER
    ] == [(Kind.AMOUNT_PROVIDER, payment.transaction_id, payment.amount, payment.amount + 1)]
    for one in found:
        assert one.payment_id == payment.id or one.kind == Kind.BILL_SUMS
        async with unit_of_work(running.db) as session:
            await service.settle(
                session, CLERK.actor, one.id, Resolution.EXPLAINED_BY_PROVIDER, "微信已更正，次日补回"
            )
    async with unit_of_work(running.db) as session:
        row = await queries.day_row(session, today)
        lines = list(await session.scalars(select(AuditEvent.action).where(AuditEvent.actor_id == CLERK.id)))
    assert row.state is DayState.CLOSED
    assert lines == ["difference.settle"] * len(found) + ["reconciliation.close"]


async def test_running_again_keeps_what_is_known_and_what_was_settled(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], today: UUID,
    clock: SharedClock, town: Town,
) -> None:  # fmt: skip
    await paid(running, wechat, api, mother)
    the_next_morning(clock)
    town.wechat_faults(bill_off_by_one=True)
    _, first = await compares(running, today)
    async with unit_of_work(running.db) as session:
        await service.settle(session, CLERK.actor, first[0].id, Resolution.WRITTEN_OFF, "金额微小，核销")

    row, second = await compares(running, today)

    assert {one.id for one in second} == {one.id for one in first}
    assert {one.id: one.state for one in second}[first[0].id] is DifferenceState.SETTLED
    assert row.state is (DayState.DIFFERING if len(first) > 1 else DayState.CLOSED)


async def test_a_difference_that_is_gone_the_next_time_vanishes_and_the_day_closes(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], today: UUID,
    clock: SharedClock, town: Town,
) -> None:  # fmt: skip
    await paid(running, wechat, api, mother)
    the_next_morning(clock)
    town.wechat_faults(bill_off_by_one=True)
    await compares(running, today)
    town.wechat_faults()

    row, found = await compares(running, today)

    assert {one.state for one in found} == {DifferenceState.VANISHED}
    assert row.state is DayState.CLOSED


async def test_the_bill_is_waited_for(
    running: Context, wechat: httpx.AsyncClient, today: UUID, clock: SharedClock, town: Town
) -> None:
    the_next_morning(clock)
    town.wechat_faults(bill_creating=True)
    await works(running)

    async with unit_of_work(running.db) as session:
        row = await queries.day_row(session, today)
        job = (
            await session.scalars(
                select(Intent).where(Intent.kind == service.RUN, Intent.subject == str(today))
            )
        ).one()
    assert (row.state, row.waiting_for, job.parked_at) == (DayState.MATCHING, "bill", None)
    town.wechat_faults()
    moves_on(clock, minutes=31)
    await works(running)
    async with unit_of_work(running.db) as session:
        assert (await queries.day_row(session, today)).state is DayState.CLOSED


async def test_a_hospital_that_does_not_answer_is_waited_for(
    running: Context, wechat: httpx.AsyncClient, today: UUID, clock: SharedClock, town: Town
) -> None:
    the_next_morning(clock)
    town.gateway.refuses(503, "hospital_unreachable")

    with pytest.raises(TryLater):
        await run(Work(running, today))

    async with unit_of_work(running.db) as session:
        assert (await queries.day_row(session, today)).waiting_for == "hospital"


async def test_a_day_without_any_money_closes_itself_though_there_is_no_bill(
    running: Context, wechat: httpx.AsyncClient, today: UUID, clock: SharedClock
) -> None:
    the_next_morning(clock)

    row, found = await compares(running, today)

    assert (row.state, found) == (DayState.CLOSED, [])


async def test_money_of_ours_without_any_bill_is_first_waited_for_then_a_difference(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], today: UUID,
    clock: SharedClock,
) -> None:  # fmt: skip
    payment = await paid(running, wechat, api, mother)
    await wechat.post("/_test/forget")
    clock.tell()
    the_next_morning(clock)

    with pytest.raises(TryLater):
        await run(Work(running, today))
    moves_on(clock, hours=5)
    row, found = await compares(running, today)

    assert row.state is DayState.DIFFERING
    assert [(one.kind, one.payment_id) for one in found] == [(Kind.MISSING_PROVIDER, payment.id)]


async def test_money_nobody_asked_about_is_found_and_mended(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], today: UUID,
    clock: SharedClock, town: Town,
) -> None:  # fmt: skip
    """The notice was lost and the job with it: the bill brings it to light, the query puts it right."""
    patient, headers = mother
    async with unit_of_work(running.db) as session:
        payment = await bill(session, await requested(session, patient))
    parameters = (await api.post(f"/payments/{payment.id}/prepay", headers=headers)).json()
    town.wechat_faults(lose_notifications=1.0)
    await wechat.post("/phone/o-patient/pay", json=parameters)
    async with unit_of_work(running.db) as session:
        for intent in await session.scalars(select(Intent).where(Intent.kind != service.RUN)):
            await session.delete(intent)
    the_next_morning(clock)
    row, found = await compares(running, today)
    assert [(one.kind, one.payment_id, one.theirs) for one in found] == [
        (Kind.MISSING_OURS, payment.id, payment.amount)
    ]

    async with unit_of_work(running.db) as session:
        await service.mend(session, CLERK.actor, found[0].id)
    await works(running)
    moves_on(clock, minutes=5)
    await works(running)

    async with unit_of_work(running.db) as session:
        row = await queries.day_row(session, today)
        assert (await session.get_one(Payment, payment.id)).state == "confirmed"
        assert [one.state for one in await queries.differences(session, today)] == [DifferenceState.VANISHED]
    assert row.state is DayState.CLOSED


async def test_a_charge_the_hospital_lost_is_written_again(
    running: Context, api: httpx.AsyncClient, wechat: httpx.AsyncClient, mother: tuple[Patient, Headers], today: UUID,
    clock: SharedClock, town: Town,
) -> None:  # fmt: skip
    town.gateway.answers["write-charge"] = {"reference": 7}
    await paid(running, wechat, api, mother)
    town.gateway.received = [one for one in town.gateway.received if one[0] != "write-charge"]
    the_next_morning(clock)
    _, found = await compares(running, today)
    assert [one.kind for one in found] == [Kind.MISSING_HOSPITAL]
    del town.gateway.answers["write-charge"]

    async with unit_of_work(running.db) as session:
        await service.mend(session, CLERK.actor, found[0].id)
    moves_on(clock, minutes=15)
    await works(running)

    async with unit_of_work(running.db) as session:
        assert (await queries.day_row(session, today)).state is DayState.CLOSED


async def test_a_charge_nobody_paid_is_a_difference_that_no_job_mends(
    running: Context, wechat: httpx.AsyncClient, today: UUID, clock: SharedClock, town: Town
) -> None:
    the_next_morning(clock)
    at = clock.now() - timedelta(days=1)
    stray = his.HospitalCharge("Invoice/9", "registration", "4200009", 3000, at)
    town.gateway.answers["charges"] = his.ChargesReply([stray])
    _, [found] = await compares(running, today)
    assert (found.kind, found.theirs) == (Kind.UNKNOWN_HOSPITAL, 3000)

    with pytest.raises(Conflict) as refused:
        async with unit_of_work(running.db) as session:
            await service.mend(session, CLERK.actor, found.id)
    assert refused.value.code == "nothing_to_mend"


async def test_two_people_who_settle_differently_do_not_overwrite_one_another(
    running: Context, wechat: httpx.AsyncClient, today: UUID, clock: SharedClock, town: Town
) -> None:
    the_next_morning(clock)
    stray = his.HospitalCharge("Invoice/9", "registration", "4200009", 3000, clock.now())
    town.gateway.answers["charges"] = his.ChargesReply([stray])
    _, [found] = await compares(running, today)

    async def says(resolution: Resolution) -> bool:
        async with unit_of_work(running.db) as session:
            return await service.settle(session, CLERK.actor, found.id, resolution, "医院已冲红")

    assert await says(Resolution.CORRECTED_HOSPITAL)
    assert not await says(Resolution.CORRECTED_HOSPITAL)
    with pytest.raises(Conflict):
        await says(Resolution.WRITTEN_OFF)


async def test_every_day_has_its_row_even_after_a_standstill(
    running: Context, today: UUID, clock: SharedClock
) -> None:
    moves_on(clock, days=4)

    for _ in range(2):
        async with unit_of_work(running.db) as session:
            await service.ensure_days(session)

    async with unit_of_work(running.db) as session:
        rows = [row for row, _ in await queries.days(session)]
        jobs = await session.scalar(select(func.count()).where(Intent.kind == service.RUN))
    assert [row.day for row in reversed(rows)] == [FRIDAY + timedelta(days=n) for n in range(5)]
    assert jobs == 5


async def test_a_day_is_not_compared_before_its_bill_can_be_there(running: Context, today: UUID) -> None:
    with pytest.raises(Conflict) as refused:
        async with unit_of_work(running.db) as session:
            await service.again(session, CLERK.actor, today)
    assert refused.value.code == "bill_not_ready"


async def test_a_closed_day_opens_again_for_a_person(
    running: Context, wechat: httpx.AsyncClient, today: UUID, clock: SharedClock
) -> None:
    the_next_morning(clock)
    await compares(running, today)

    async with unit_of_work(running.db) as session:
        row = await service.again(session, CLERK.actor, today)
        assert row.state is DayState.OPEN
    await works(running)

    async with unit_of_work(running.db) as session:
        assert (await queries.day_row(session, today)).state is DayState.CLOSED
        assert len(await queries.runs(session, today)) == 2


async def test_a_refund_that_was_given_up_is_no_refund_of_ours(
    running: Context,
    api: httpx.AsyncClient,
    wechat: httpx.AsyncClient,
    mother: tuple[Patient, Headers],
    today: UUID,
) -> None:
    payment = await paid(running, wechat, api, mother)
    async with unit_of_work(running.db) as session:
        refund = await request_refund(session, SYSTEM, payment, RefundReason.UNDELIVERED)
        assert refund is not None
        assert await queries.refunds_by_number(session, [refund.out_refund_no]) == {
            refund.out_refund_no: refund.amount
        }
        assert await queries.refunds_by_number(session, ["unknown"]) == {}
