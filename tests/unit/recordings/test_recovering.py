"""What a node left behind that never came back."""

import os
from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.alarm.service import open_alarm
from backend.context import Context
from backend.encounter.model import Encounter
from backend.video import nodes, tasks
from backend.video.engine import Role, Segment
from backend.video.model import Recording
from backend.video.service import begin_recording
from foundation.db.audit import AuditEvent
from foundation.db.base import hospital_id
from foundation.db.intents import Intent, Work
from foundation.db.unit_of_work import unit_of_work
from foundation.ids import new_id
from tests.database import SharedClock, moves_on
from tests.small_world import DOCTOR
from tests.unit.recordings.made import a_visit

pytestmark = pytest.mark.anyio
NODE = "gone:8110"


async def a_running_visit(context: Context) -> Encounter:
    async with unit_of_work(context.db) as session:
        return (await a_visit(session, context))[1]


def begun(context: Context, visit: Encounter, *, content: bytes = b"x" * 1000) -> Segment:
    """Its file has a beginning and no end, as after a kill -9."""
    made = new_id()
    key = f"recordings/{visit.id}/doctor-001-{made}.mkv"
    if content:
        appender = context.objects.append(key)
        appender.write(content)
        appender.abandon()
        path = context.settings.object_folder / key
        path.rename(path.with_name(f"{path.name}.part"))
    return Segment(str(made), str(visit.id), str(DOCTOR.id), Role.DOCTOR, 1, key, context.clock.now())


async def rows(context: Context) -> list[Recording]:
    async with unit_of_work(context.db) as session:
        return list(await session.scalars(select(Recording)))


async def with_a_row(context: Context, *, content: bytes = b"x" * 1000) -> Segment:
    segment = begun(context, await a_running_visit(context), content=content)
    async with unit_of_work(context.db) as session:
        await begin_recording(session, segment, NODE)
    return segment


async def test_the_worker_completes_what_a_dead_node_left(running: Context, clock: SharedClock) -> None:
    await with_a_row(running)
    moves_on(clock, minutes=5)

    await tasks.recover(Work(running, hospital_id()))

    (row,) = await rows(running)
    assert (row.close_reason, row.bytes, row.complete) == ("crashed", 1000, False)
    assert row.ended_at is not None
    async with unit_of_work(running.db) as session:
        again = await session.scalar(
            select(Intent).where(Intent.kind == tasks.RECOVER, Intent.done_at.is_(None))
        )
    assert again is not None


async def test_a_node_that_lives_keeps_its_recordings(running: Context, clock: SharedClock) -> None:
    await with_a_row(running)
    await nodes.live(running.redis, NODE)
    moves_on(clock, minutes=5)

    await tasks.recover(Work(running, hospital_id()))

    assert [row.ended_at for row in await rows(running)] == [None]
    await running.redis.flushall()


async def test_a_recording_that_has_just_begun_is_left_alone(running: Context) -> None:
    await with_a_row(running)

    await tasks.recover(Work(running, hospital_id()))

    assert [row.ended_at for row in await rows(running)] == [None]


async def test_a_file_that_is_not_there_rings(running: Context, clock: SharedClock) -> None:
    segment = await with_a_row(running, content=b"")
    moves_on(clock, minutes=5)

    await tasks.recover(Work(running, hospital_id()))

    async with unit_of_work(running.db) as session:
        assert await open_alarm(session, "recording_lost", segment.id) is not None


async def quiet_for(context: Context, segment: Segment, minutes: float) -> None:
    """Nobody has written to the file for so long."""
    path = context.settings.object_folder / (segment.object_key + ".part")
    at = (context.clock.now() - timedelta(minutes=minutes)).timestamp()
    os.utime(path, (at, at))


async def test_a_file_without_a_row_is_found_and_registered(running: Context) -> None:
    """The node died before the journal had written that the recording exists."""
    visit = await a_running_visit(running)
    segment = begun(running, visit)
    await quiet_for(running, segment, 11)

    for _ in range(2):
        await tasks.search(Work(running, hospital_id()))

    (row,) = await rows(running)
    assert (str(row.id), row.encounter_id, row.role, row.segment) == (segment.id, visit.id, "doctor", 1)
    assert (row.participant_id, row.bytes, row.complete, row.close_reason) == (
        DOCTOR.id,
        1000,
        False,
        "crashed",
    )
    assert await running.objects.exists(segment.object_key)
    async with unit_of_work(running.db) as session:
        query = (
            select(AuditEvent.action).where(AuditEvent.subject_id == segment.id).order_by(AuditEvent.ordinal)
        )
        assert list(await session.scalars(query)) == ["video.segment_found", "video.segment_closed"]


async def test_a_file_that_is_being_written_is_nobody_else_s(running: Context) -> None:
    segment = begun(running, await a_running_visit(running))
    await quiet_for(running, segment, 1)

    await tasks.search(Work(running, hospital_id()))

    assert await rows(running) == []
