"""Looking at recordings: purpose and reason first, films by a job, every look a line of the audit trail."""

import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import av
import httpx
import pytest
from sqlalchemy import select

from backend.context import Context
from backend.video import tasks, viewing
from backend.video.model import Recording, RecordingFilm, RecordingView
from foundation.db.audit import AuditEvent
from foundation.db.intents import Intent, Work, due_ids, run_one
from foundation.db.unit_of_work import unit_of_work
from foundation.ids import new_id
from tests.builders.requests import Headers, staff_session
from tests.database import SharedClock, moves_on
from tests.small_world import CLERK, DOCTOR, QUALITY
from tests.unit.recordings.made import Talk, a_talk, a_visit

pytestmark = pytest.mark.anyio
ASKS = {"purpose": "complaint", "reason": "患者投诉医生态度，需核实"}


@pytest.fixture
async def talk(running: Context) -> Talk:
    async with unit_of_work(running.db) as session:
        return await a_talk(session, running)


@pytest.fixture
async def quality(running: Context) -> Headers:
    return await staff_session(running, QUALITY)


async def opens(api: httpx.AsyncClient, headers: Headers, visit: UUID, **more: str) -> httpx.Response:
    return await api.post(f"/encounters/{visit}/recording-views", json={**ASKS, **more}, headers=headers)


async def films_are_made(context: Context) -> int:
    """Run the jobs that were asked for."""
    done = 0
    for intent_id in await due_ids(context.db):
        async with unit_of_work(context.db) as session:
            kind = await session.scalar(select(Intent.kind).where(Intent.id == intent_id))
        if kind == viewing.MAKE_FILM:
            done += await run_one(context.db, context, tasks.HANDLERS, intent_id)
    return done


async def audited(context: Context, action: str) -> list[AuditEvent]:
    async with unit_of_work(context.db) as session:
        query = select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.ordinal)
        return list(await session.scalars(query))


async def test_a_view_has_a_purpose_and_its_films_can_be_played(
    api: httpx.AsyncClient, running: Context, talk: Talk, quality: Headers
) -> None:
    view = (await opens(api, quality, talk.visit.id)).json()
    assert [(film["track"], film["ready"]) for film in view["films"]] == [
        ("doctor", False),
        ("patient", False),
    ]

    assert await films_are_made(running) == 2

    shown = (await api.get(f"/recording-views/{view['id']}", headers=quality)).json()
    assert [film["ready"] for film in shown["films"]] == [True, True]
    played = await api.get(f"/recording-views/{view['id']}/films/doctor", headers=quality)
    assert (played.status_code, played.headers["content-type"]) == (200, "video/webm")
    container: Any = av.open(io.BytesIO(played.content))
    with container:
        starts = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert starts[0] == 1000  # the doctor's second: both films lie on one time line
    (opened,), (seen,) = (
        await audited(running, "recording.view_opened"),
        await audited(running, "recording.played"),
    )
    assert (opened.detail["purpose"], opened.detail["reason"]) == ("complaint", ASKS["reason"])
    assert (seen.actor_id, seen.detail["track"], seen.subject_id) == (
        QUALITY.id,
        "doctor",
        str(talk.visit.id),
    )


async def test_a_player_gets_the_part_it_asks_for(
    api: httpx.AsyncClient, running: Context, talk: Talk, quality: Headers
) -> None:
    view = (await opens(api, quality, talk.visit.id)).json()
    await films_are_made(running)
    path = f"/recording-views/{view['id']}/films/patient"
    whole = (await api.get(path, headers=quality)).content

    piece = await api.get(path, headers={**quality, "range": "bytes=1000-2999"})
    beyond = await api.get(path, headers={**quality, "range": "bytes=99999999-"})

    assert (piece.status_code, piece.content) == (206, whole[1000:3000])
    assert piece.headers["content-range"] == f"bytes 1000-2999/{len(whole)}"
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
    assert len(await audited(running, "recording.played")) == 1  # once per look, not per part


async def test_one_file_with_both_parties_is_made_on_demand(
    api: httpx.AsyncClient, running: Context, talk: Talk, quality: Headers
) -> None:
    view = (await opens(api, quality, talk.visit.id)).json()
    await films_are_made(running)

    await api.post(f"/encounters/{talk.visit.id}/recording-film", headers=quality)
    early = await api.get(f"/recording-views/{view['id']}/films/both", headers=quality)
    assert await films_are_made(running) == 1
    got = await api.get(f"/recording-views/{view['id']}/films/both", headers=quality)

    assert (early.status_code, early.json()["code"]) == (409, "film_not_ready")
    assert "attachment" in got.headers["content-disposition"]
    container: Any = av.open(io.BytesIO(got.content))
    with container:
        assert [stream.type for stream in container.streams] == ["video", "audio", "video", "audio"]


async def test_films_are_made_once_and_again_when_there_is_more(
    api: httpx.AsyncClient, running: Context, talk: Talk, quality: Headers
) -> None:
    await opens(api, quality, talk.visit.id)
    assert await films_are_made(running) == 2
    await opens(api, quality, talk.visit.id)
    assert await films_are_made(running) == 0

    async with unit_of_work(running.db) as session:
        row = await session.get_one(Recording, talk.recordings[0].id)
        session.add(Recording(
            **{name: getattr(row, name) for name in ("encounter_id", "participant_id", "role", "node", "ended_at", "bytes", "complete")},
            id=new_id(), object_key="r/lost.mkv", sha256="0" * 64, segment=2, started_at=row.started_at + timedelta(seconds=9),
            close_reason="bye",
        ))  # fmt: skip
    view = (await opens(api, quality, talk.visit.id)).json()
    assert await films_are_made(running) == 1

    shown = (await api.get(f"/recording-views/{view['id']}", headers=quality)).json()
    patient = next(film for film in shown["films"] if film["track"] == "patient")
    assert (patient["ready"], patient["problem"]) == (True, "有 1 段录像缺失或已损坏，未包含在内")


async def test_only_the_quality_department_looks(
    api: httpx.AsyncClient, running: Context, talk: Talk
) -> None:
    for member in (CLERK, DOCTOR):
        headers = await staff_session(running, member)
        assert (await opens(api, headers, talk.visit.id)).status_code == 403
        assert (await api.get(f"/encounters/{talk.visit.id}/recordings", headers=headers)).status_code == 403
    assert (await api.get(f"/recording-views/{new_id()}/films/both")).status_code == 401


async def test_without_a_purpose_and_a_reason_nothing_is_shown(
    api: httpx.AsyncClient, talk: Talk, quality: Headers
) -> None:
    assert (await opens(api, quality, talk.visit.id, purpose="curiosity")).status_code == 422
    assert (await opens(api, quality, talk.visit.id, reason="看看")).status_code == 422
    assert (await opens(api, quality, talk.visit.id, reason="看" * 301)).status_code == 422


async def test_a_view_ends_and_is_its_viewers_own(
    api: httpx.AsyncClient, running: Context, talk: Talk, quality: Headers, clock: SharedClock
) -> None:
    view = (await opens(api, quality, talk.visit.id)).json()
    async with unit_of_work(running.db) as session:
        row = await session.get_one(RecordingView, UUID(view["id"]))
        row.viewer_id = CLERK.id
    assert (await api.get(f"/recording-views/{view['id']}", headers=quality)).status_code == 404

    early = await api.post(f"/encounters/{talk.visit.id}/recording-film", headers=quality)
    assert early.status_code == 410
    mine = (await opens(api, quality, talk.visit.id)).json()
    moves_on(clock, minutes=61)
    quality = await staff_session(running, QUALITY)
    over = await api.get(f"/recording-views/{mine['id']}/films/patient", headers=quality)
    assert (over.status_code, over.json()["code"]) == (410, "view_over")


async def test_what_is_still_recorded_or_never_was_cannot_be_looked_at(
    api: httpx.AsyncClient, running: Context, quality: Headers
) -> None:
    async with unit_of_work(running.db) as session:
        _, visit = await a_visit(session, running)
    assert (await opens(api, quality, visit.id)).status_code == 404

    async with unit_of_work(running.db) as session:
        session.add(Recording(
            id=new_id(), encounter_id=visit.id, participant_id=new_id(), role="patient", segment=1, node="n", object_key="r/x.mkv",
            started_at=running.clock.now(),
        ))  # fmt: skip
    refused = await opens(api, quality, visit.id)
    assert (refused.status_code, refused.json()["code"]) == (409, "still_recording")


async def test_the_manifest_says_what_was_kept_and_how_long(
    api: httpx.AsyncClient, talk: Talk, quality: Headers
) -> None:
    await api.post(
        f"/encounters/{talk.visit.id}/recording-hold", json={"reason": "医疗纠纷"}, headers=quality
    )

    found = (await api.get(f"/encounters/{talk.visit.id}/recordings", headers=quality)).json()

    assert found["kept_until"] == "2029-11-20"
    assert found["hold"]["reason"] == "医疗纠纷"
    assert [(line["role"], line["sha256"]) for line in found["segments"]] == [
        (row.role, row.sha256) for row in talk.recordings
    ]


async def test_a_job_that_runs_twice_makes_one_film(running: Context, talk: Talk) -> None:
    async with unit_of_work(running.db) as session:
        film = await viewing.want_film(session, talk.visit.id, "patient")

    for _ in range(2):
        await tasks.make_film(Work(running, film.id))

    async with unit_of_work(running.db) as session:
        row = await session.get_one(RecordingFilm, film.id)
        assert (await running.objects.info(row.object_key)).sha256 == row.sha256
    assert len(await audited(running, "recording.film_made")) == 1


async def test_reading_the_manifest_is_a_line_of_the_trail(
    api: httpx.AsyncClient, running: Context, talk: Talk, quality: Headers
) -> None:
    assert (await api.get(f"/encounters/{talk.visit.id}/recordings", headers=quality)).status_code == 200

    async with unit_of_work(running.db) as session:
        query = select(AuditEvent).where(AuditEvent.action == "recording.manifest")
        lines = [(line.actor_id, line.subject_id) for line in await session.scalars(query)]
    assert lines == [(QUALITY.id, str(talk.visit.id))]
