"""Three years, holds, and the job that deletes."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.context import Context
from backend.video import keeping, tasks, viewing
from backend.video.model import Recording, RecordingFilm
from foundation.db.audit import AuditEvent
from foundation.db.base import hospital_id
from foundation.db.intents import Intent, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict, Invalid, NotFound
from tests.database import SharedClock, moves_on
from tests.small_world import QUALITY
from tests.unit.recordings.made import Talk, a_talk

pytestmark = pytest.mark.anyio
WHY = "患者已提起医疗纠纷诉讼"
YEARS = timedelta(days=3 * 366)


async def test_nobody_deletes_a_recording_before_its_time(session: AsyncSession, context: Context) -> None:
    talk = await a_talk(session, context)

    with pytest.raises(Conflict) as refused:
        await keeping.delete(session, context.objects, QUALITY.actor, talk.recordings[0].id)

    assert refused.value.code == "retention_not_over"
    assert "2029年11月20日" in refused.value.detail
    assert await context.objects.exists(talk.recordings[0].object_key)


async def test_a_hold_outlasts_the_three_years_until_it_is_lifted(
    session: AsyncSession, context: Context, clock: SharedClock
) -> None:
    talk = await a_talk(session, context)
    await keeping.hold(session, QUALITY.actor, talk.visit.id, WHY)
    moves_on(clock, days=YEARS.days)

    with pytest.raises(Conflict) as refused:
        await keeping.delete(session, context.objects, QUALITY.actor, talk.recordings[0].id)
    assert refused.value.code == "legal_hold"
    assert await keeping.over(session, clock.now()) == []

    await keeping.lift(session, QUALITY.actor, talk.visit.id, "诉讼已结案")
    row = await keeping.delete(session, context.objects, QUALITY.actor, talk.recordings[0].id)

    assert row.deleted_at == pytest.approx(clock.now(), abs=timedelta(seconds=5))
    assert not await context.objects.exists(row.object_key)
    assert row.sha256


async def test_a_hold_is_placed_once_and_lifted_once(session: AsyncSession, context: Context) -> None:
    talk = await a_talk(session, context)
    await keeping.hold(session, QUALITY.actor, talk.visit.id, WHY)

    with pytest.raises(Conflict):
        await keeping.hold(session, QUALITY.actor, talk.visit.id, WHY)
    await keeping.lift(session, QUALITY.actor, talk.visit.id, "诉讼已结案")
    with pytest.raises(NotFound):
        await keeping.lift(session, QUALITY.actor, talk.visit.id, "诉讼已结案")

    query = select(AuditEvent).where(AuditEvent.subject_id == str(talk.visit.id)).order_by(AuditEvent.ordinal)
    said = [
        (line.action, line.detail["reason"])
        for line in await session.scalars(query)
        if "hold" in line.action or "held" in line.action
    ]
    assert said == [("recording.held", WHY), ("recording.hold_lifted", "诉讼已结案")]


async def test_a_hold_needs_a_reason_and_something_to_hold(session: AsyncSession, context: Context) -> None:
    talk = await a_talk(session, context)

    with pytest.raises(Invalid):
        await keeping.hold(session, QUALITY.actor, talk.visit.id, "？")
    with pytest.raises(NotFound):
        await keeping.hold(session, QUALITY.actor, talk.patient.account, WHY)


async def a_finished_talk(context: Context) -> Talk:
    async with unit_of_work(context.db) as session:
        return await a_talk(session, context)


async def deletes(context: Context) -> None:
    await tasks.enforce_retention(Work(context, hospital_id()))


async def left(context: Context) -> list[bool]:
    async with unit_of_work(context.db) as session:
        rows = list(await session.scalars(select(Recording).order_by(Recording.started_at)))
    there = [await context.objects.exists(row.object_key) for row in rows]
    assert there == [row.deleted_at is None for row in rows]
    return there


async def test_the_job_deletes_what_is_over_and_nothing_else(running: Context, clock: SharedClock) -> None:
    await a_finished_talk(running)
    await deletes(running)
    assert await left(running) == [True, True]

    moves_on(clock, days=YEARS.days)
    await deletes(running)
    await deletes(running)

    assert await left(running) == [False, False]
    async with unit_of_work(running.db) as session:
        query = select(AuditEvent).where(AuditEvent.action == "recording.deleted")
        assert {line.actor_kind for line in await session.scalars(query)} == {"system"}
        assert len(list(await session.scalars(query))) == 2
        waits = select(Intent.due_at).where(Intent.kind == tasks.RETENTION, Intent.done_at.is_(None))
        assert await session.scalar(waits) == pytest.approx(
            clock.now() + tasks.EVERY, abs=timedelta(seconds=5)
        )


async def test_the_job_leaves_what_is_held(running: Context, clock: SharedClock) -> None:
    talk = await a_finished_talk(running)
    async with unit_of_work(running.db) as session:
        await keeping.hold(session, QUALITY.actor, talk.visit.id, WHY)
    moves_on(clock, days=YEARS.days)

    await deletes(running)

    assert await left(running) == [True, True]


async def test_films_are_copies_and_go_after_a_week(running: Context, clock: SharedClock) -> None:
    talk = await a_finished_talk(running)
    async with unit_of_work(running.db) as session:
        film = await viewing.want_film(session, talk.visit.id, "both")
    await tasks.make_film(Work(running, film.id))
    moves_on(clock, days=8)

    await deletes(running)

    async with unit_of_work(running.db) as session:
        found = await session.get_one(type(film), film.id)
        assert found.deleted_at is not None
        assert not await running.objects.exists(found.object_key)
    assert await left(running) == [True, True]


async def test_a_film_that_was_never_made_and_one_that_cannot_be_deleted_hold_up_nobody(
    running: Context, clock: SharedClock
) -> None:
    """A film that failed has no file; were its key taken for one, retention would never run again."""
    talk = await a_finished_talk(running)
    async with unit_of_work(running.db) as session:
        never_made = await viewing.want_film(session, talk.visit.id, "patient")
        bad = await viewing.want_film(session, talk.visit.id, "doctor")
        good = await viewing.want_film(session, talk.visit.id, "both")
        bad.object_key = "../not a key"
    await tasks.make_film(Work(running, good.id))
    moves_on(clock, days=8)

    await deletes(running)

    async with unit_of_work(running.db) as session:
        gone = {row.id: row.deleted_at is not None for row in await session.scalars(select(RecordingFilm))}
        again = select(Intent.id).where(Intent.kind == tasks.RETENTION, Intent.done_at.is_(None))
        assert await session.scalar(again) is not None
    assert gone == {never_made.id: True, bad.id: False, good.id: True}
