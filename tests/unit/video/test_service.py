import dataclasses
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from backend.video import service
from backend.video.engine import Role, Segment
from backend.video.journal import Entry, Journal
from backend.video.model import Recording
from foundation.clock import Clock
from foundation.db.audit import AuditEvent
from foundation.db.unit_of_work import Database, connect, unit_of_work
from foundation.object_store import FolderStore
from tests.unit.video.peers import until

pytestmark = pytest.mark.anyio
ENCOUNTER, PATIENT, DOCTOR = uuid4(), uuid4(), uuid4()
NODE = "127.0.0.1:8110"


def segment(number: int = 1, who: UUID = PATIENT, **more: Any) -> Segment:
    key = uuid4()
    made = Segment(
        id=str(key), room_id=str(ENCOUNTER), participant_id=str(who), role=Role.PATIENT, number=number,
        object_key=f"recordings/{ENCOUNTER}/{key}.mkv", started_at=datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC),
    )  # fmt: skip
    return dataclasses.replace(made, **more)


def begins(one: Segment) -> Entry:
    return lambda session: service.begin_recording(session, one, NODE)


async def rows(db: Database) -> list[Recording]:
    async with db.sessions() as session:
        return list(await session.scalars(select(Recording).order_by(Recording.segment)))


async def audit_lines(db: Database) -> list[AuditEvent]:
    async with db.sessions() as session:
        return list(await session.scalars(select(AuditEvent).order_by(AuditEvent.ordinal)))


async def test_a_recording_is_findable_from_its_beginning_and_true_at_its_end(db: Database) -> None:
    begun = segment()
    async with unit_of_work(db) as session:
        await service.begin_recording(session, begun, NODE)
    (open_row,) = await rows(db)
    assert (open_row.ended_at, open_row.node, open_row.object_key) == (None, NODE, begun.object_key)

    ended = dataclasses.replace(
        begun,
        bytes=77,
        sha256="ab" * 32,
        close_reason="bye",
        first_pts_ms=10,
        last_pts_ms=5010,
        video_frames=100,
    )
    async with unit_of_work(db) as session:
        await service.end_recording(session, ended, NODE)

    (row,) = await rows(db)
    assert (row.bytes, row.sha256, row.close_reason, row.duration_ms, row.video_frames) == (
        77,
        "ab" * 32,
        "bye",
        5000,
        100,
    )
    assert row.complete
    assert row.ended_at is not None
    (line,) = await audit_lines(db)
    assert (line.action, line.subject_kind, line.subject_id) == (
        "video.segment_closed",
        "recording",
        str(row.id),
    )
    assert (line.detail["sha256"], line.detail["reason"]) == ("ab" * 32, "bye")


async def test_an_end_whose_beginning_was_never_written_is_not_lost(db: Database) -> None:
    async with unit_of_work(db) as session:
        await service.end_recording(session, segment(close_reason="bye", bytes=5), NODE)

    assert [row.bytes for row in await rows(db)] == [5]


async def test_numbers_of_segments_are_counted_per_participant(db: Database) -> None:
    async with unit_of_work(db) as session:
        for number, who in ((1, PATIENT), (2, PATIENT), (1, DOCTOR)):
            await service.begin_recording(session, segment(number, who), NODE)
        assert await service.segments_so_far(session, ENCOUNTER) == {str(PATIENT): 2, str(DOCTOR): 1}
        assert await service.segments_so_far(session, uuid4()) == {}


async def test_what_a_killed_node_left_is_completed_at_its_next_start(
    db: Database, store: FolderStore
) -> None:
    cut, gone, finished, elsewhere = segment(1), segment(2), segment(3), segment(4)
    appender = store.append(cut.object_key)
    appender.write(b"x" * 100_000)
    appender.flush()
    done = store.append(finished.object_key)
    done.write(b"whole")
    info = done.close()
    async with unit_of_work(db) as session:
        for one in (cut, gone, finished):
            await service.begin_recording(session, one, NODE)
        await service.begin_recording(session, elsewhere, "another:8110")

    assert await service.recover(db, store, NODE) == 3
    assert await service.recover(db, store, NODE) == 0

    found = [(row.close_reason, row.bytes, row.complete) for row in await rows(db)]
    assert found == [("crashed", 100_000, False), ("missing", 0, False), ("crashed", 5, True), ("", 0, False)]
    assert (await rows(db))[2].sha256 == info.sha256
    ends = [line for line in await audit_lines(db) if line.action == "video.segment_closed"]
    assert [line.detail["reason"] for line in ends] == ["crashed", "missing", "crashed"]
    appender.discard()


async def test_entries_wait_for_a_database_that_is_away_and_keep_their_order(db: Database) -> None:
    away = connect("postgresql+asyncpg://nobody@127.0.0.1:1/none", Clock())
    journal = Journal(away)
    for number in (1, 2, 3):
        journal.add("begin", begins(segment(number)))
    await until(lambda: True)

    away.sessions = db.sessions
    await journal.close(10)

    assert [row.segment for row in await rows(db)] == [1, 2, 3]
    await away.engine.dispose()


async def test_a_bad_entry_does_not_hold_up_the_others(db: Database) -> None:
    journal = Journal(db)
    twice = segment(1)
    for one in (twice, twice, segment(2)):
        journal.add("begin", begins(one))

    await journal.close(10)

    assert [row.segment for row in await rows(db)] == [1, 2]


async def test_every_column_says_what_class_of_data_it_holds(db: Database) -> None:
    assert all(column.info.get("data_class") for column in Recording.__table__.columns)
    async with db.sessions() as session:
        assert await session.scalar(text("SELECT count(*) FROM recording")) == 0
