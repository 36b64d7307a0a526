"""What two phones, a dying worker or two jobs can do to a draw, to a pause and to a check-in at the same moment."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from backend.appointment.model import Appointment
from backend.appointment.states import AppointmentState
from backend.appointment.tasks import draw as draw_task
from backend.context import Context
from backend.encounter import service as visiting
from backend.encounter.tasks import mark_noshow
from backend.fairness import draw, queries
from backend.fairness.model import Absence, ReleaseDraw
from backend.fairness.rules import order_of
from backend.fairness.tickets import Release, Result, Ticket, Tickets
from backend.patient.model import PersonGrant
from backend.schedule.model import Slot
from foundation.db.guards import without_guard
from foundation.db.intents import Work
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import Conflict, IllegalMove
from tests.builders.visits import Patient, a_slot, an_account, booked, eligible
from tests.database import moves_on
from tests.policies import numbers
from tests.races.lining_up import holding, kinds, people, wait_for
from tests.races.test_booking_races import books

pytestmark = pytest.mark.anyio

PAYMENTS = "SELECT id FROM payment FOR UPDATE"
NOSHOWS = "SELECT id FROM intent WHERE kind = 'appointment.noshow' FOR UPDATE"


# --- two phones, two tickets -------------------------------------------------------------------------------------------


async def released(context: Context, *hours: int) -> list[Slot]:
    """Slots of one day with one place each, released this second."""
    draw.forget()
    async with unit_of_work(context.db) as session:
        slots = [await a_slot(session, hours=one) for one in hours]
        now = context.clock.now().replace(microsecond=0)
        await session.execute(
            update(Slot)
            .where(Slot.id.in_([slot.id for slot in slots]))
            .values(released_at=now, capacity=1, remaining=1, held_follow_up=0, held_staff=0, held_referral=0)
        )
    return slots


async def a_second_phone(db: Database, patient: Patient) -> UUID:
    """A relative's account that may book for the patient."""
    async with unit_of_work(db) as session:
        relative = await an_account(session, "o-race-relative", "19900000009")
        assert relative.id is not None
        session.add(
            PersonGrant(
                account_id=relative.id, person_id=patient.person.id, kind="proxy", relation="daughter",
                scope=["book"], granted_at=db.clock.now(),
            )
        )  # fmt: skip
        return relative.id


async def ticket(db: Database, patient: Patient, account: UUID, *slots: Slot) -> Ticket:
    async with unit_of_work(db) as session:
        decision = await eligible(session, patient)
    return Ticket(patient.person.id, account, tuple(slot.id for slot in slots), decision.id, "", "video")


async def enters(context: Context, release: Release, *entering: Ticket) -> Tickets:
    """At the same moment."""
    tickets = Tickets(context.redis, release.key)
    await asyncio.gather(*(tickets.enter(one, is_open=True) for one in entering))
    async with unit_of_work(context.db) as session:
        await draw.start(session, release)
    return tickets


async def the_draw(db: Database) -> UUID:
    async with unit_of_work(db) as session:
        return (await session.scalars(select(ReleaseDraw.id))).one()


async def held(db: Database) -> list[UUID]:
    async with unit_of_work(db) as session:
        return list(await session.scalars(select(Appointment.person_id)))


def a_seed_that_favours(winner: UUID, *others: UUID, but_by: tuple[UUID, ...]) -> bytes:
    """By person the winner is first; by account one of `but_by` would be."""
    while True:
        seed = secrets.token_bytes(32)
        if order_of(seed, [winner, *others])[0] == winner and order_of(seed, but_by)[0] != but_by[0]:
            return seed


@contextmanager
def seeded(monkeypatch: pytest.MonkeyPatch, seed: bytes) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(secrets, "token_bytes", lambda _: seed)
        yield


async def race_of_two_phones_in_a_draw(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[UUID], Patient, Patient]:
    """One place; the patient asks with two phones, the rival with one; the lot is the rival's."""
    patient, rival = await people(context.db, 2)
    (slot,) = await released(context, 30)
    relative = await a_second_phone(context.db, patient)
    release = await draw.release_of(context, slot.id)
    assert release is not None
    wanted = [(patient, patient.account), (patient, relative), (rival, rival.account)]
    entering = [await ticket(context.db, whose, account, slot) for whose, account in wanted]
    seed = a_seed_that_favours(
        rival.person.id, patient.person.id, but_by=(rival.account, patient.account, relative)
    )
    await enters(context, release, *entering)
    moves_on(context.clock, seconds=4)
    with seeded(monkeypatch, seed):
        await draw_task(Work(context, await the_draw(context.db)))
    return await held(context.db), patient, rival


async def test_two_phones_of_one_person_are_one_ticket(
    running: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, _, rival = await race_of_two_phones_in_a_draw(running, monkeypatch)

    assert places == [rival.person.id]


async def test_without_its_guard_a_second_phone_draws_again(
    running: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    with without_guard("one_ticket", allowed=True):
        places, patient, _ = await race_of_two_phones_in_a_draw(running, monkeypatch)

    assert places == [patient.person.id]


# --- a worker dies in a draw -------------------------------------------------------------------------------------------


async def a_worker_dies(context: Context) -> tuple[list[UUID], Result | None]:
    """With the place held but nothing said; the next one resolves the draw again."""
    (patient,) = await people(context.db, 1)
    slots = await released(context, 30, 31)
    release = await draw.release_of(context, slots[0].id)
    assert release is not None
    own = await ticket(context.db, patient, patient.account, *slots)
    tickets = await enters(context, release, own)
    moves_on(context.clock, seconds=4)
    draw_id = await the_draw(context.db)
    await draw_task(Work(context, draw_id))
    await context.redis.delete(tickets.results)
    await draw_task(Work(context, draw_id))
    return await held(context.db), (await tickets.status(patient.person.id, patient.account)).result


async def test_a_draw_that_is_resolved_twice_gives_a_ticket_one_place(running: Context) -> None:
    with numbers(quota_doctor_day=2):
        places, result = await a_worker_dies(running)

    assert len(places) == 1
    assert result is not None
    assert result.appointment_id is not None


async def test_without_its_guard_a_draw_resolved_twice_gives_two(running: Context) -> None:
    """The twin."""
    with numbers(quota_doctor_day=2), without_guard("draw_key", allowed=True):
        places, _ = await a_worker_dies(running)

    assert len(places) == 2


# --- a pause -----------------------------------------------------------------------------------------------------------


async def missed(context: Context, patient: Patient, *hours: int) -> list[UUID]:
    """Booked visits to which nobody will come."""
    async with unit_of_work(context.db) as session:
        return [
            (await booked(session, context, patient, await a_slot(session, hours=one))).id for one in hours
        ]


async def race_of_two_absences(context: Context) -> bool:
    """Two visits are found missed in the same moment; two are one too many. Whether booking is paused."""
    (patient,) = await people(context.db, 1)
    with numbers(noshow_limit=2, quota_doctor_day=2):
        first, second = await missed(context, patient, 1, 2)
        async with holding(context.db, PAYMENTS):
            works = []
            for number, one in enumerate((first, second), start=1):
                works.append(asyncio.ensure_future(mark_noshow(Work(context, one))))
                await wait_for(context.db, number)
        await asyncio.gather(*works)
    async with unit_of_work(context.db) as session:
        assert await session.scalar(select(func.count()).select_from(Absence)) == 2
        return await queries.pause_of(session, patient.person.id) is not None


async def test_two_absences_noticed_at_once_are_two(running: Context) -> None:
    assert await race_of_two_absences(running)


async def test_without_its_guard_two_absences_at_once_pause_nothing(running: Context) -> None:
    """The twin."""
    with without_guard("person_lock", allowed=True):
        assert not await race_of_two_absences(running)


async def race_of_a_pause_and_a_booking(context: Context, *, waits: int) -> list[Any]:
    """The last absence is being written down while she books again; `waits` of the two must wait before they go on."""
    (patient,) = await people(context.db, 1)
    with numbers(noshow_limit=1):
        (visit,) = await missed(context, patient, 1)
        async with unit_of_work(context.db) as session:
            slot = await a_slot(session, hours=30)
        async with holding(context.db, PAYMENTS):
            noticing = asyncio.ensure_future(mark_noshow(Work(context, visit)))
            await wait_for(context.db, 1)
            booking = asyncio.ensure_future(books(context.db, patient, slot))
            if waits > 1:
                await wait_for(context.db, waits)
            else:
                await asyncio.wait([booking])
        return list(await asyncio.gather(noticing, booking, return_exceptions=True))


async def test_who_books_while_a_pause_begins_is_refused(running: Context) -> None:
    results = await race_of_a_pause_and_a_booking(running, waits=2)

    assert kinds(results) == ["Conflict", "None"]
    assert next(one for one in results if isinstance(one, Conflict)).code == "booking_paused"


async def test_without_its_guard_a_booking_slips_past_the_pause(running: Context) -> None:
    """The twin."""
    with without_guard("person_lock", allowed=True):
        results = await race_of_a_pause_and_a_booking(running, waits=1)

    assert kinds(results) == ["'pending'", "None"]


# --- checking in at the last moment ------------------------------------------------------------------------------------


async def race_for_the_door(context: Context, *, patient_first: bool) -> tuple[list[Any], str, int]:
    """She checks in while the job finds that nobody came: results, the appointment's state, absences written down."""
    (patient,) = await people(context.db, 1)
    (visit,) = await missed(context, patient, 0)

    async def checks_in() -> None:
        async with unit_of_work(context.db) as session:
            row = await session.get_one(Appointment, visit)
            await visiting.check_in(session, patient.actor, row)

    works = [checks_in(), mark_noshow(Work(context, visit))]
    async with holding(context.db, NOSHOWS if patient_first else PAYMENTS):
        tasks = []
        for number, work in enumerate(works if patient_first else works[::-1], start=1):
            tasks.append(asyncio.ensure_future(work))
            await wait_for(context.db, number)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    async with unit_of_work(context.db) as session:
        state = (await session.get_one(Appointment, visit)).state
        absences = await session.scalar(select(func.count()).select_from(Absence)) or 0
    return results, AppointmentState(state).value, absences


async def test_who_checks_in_at_the_last_moment_has_come(running: Context) -> None:
    results, state, absences = await race_for_the_door(running, patient_first=True)

    assert results == [None, None]
    assert (state, absences) == ("checked-in", 0)


async def test_who_checks_in_after_the_job_was_faster_is_told(running: Context) -> None:
    results, state, absences = await race_for_the_door(running, patient_first=False)

    assert kinds(results) == ["IllegalMove", "None"]
    assert (state, absences) == ("noshow", 1)


async def test_without_its_guard_the_job_trips_over_who_has_come(running: Context) -> None:
    """The twin: the job would wait for a person to look at it."""
    with without_guard("stream_lock", allowed=True):
        results, _, _ = await race_for_the_door(running, patient_first=True)

    assert any(isinstance(one, IllegalMove) for one in results)
