"""Looking at recordings afterwards: by whom, for which purpose, for how long; and the films made for it.

A view is opened with a purpose and a reason and is a line of the audit trail; it lets its viewer play and fetch the films of
that one visit until it ends. Films are made by a job and kept for some days; the recordings themselves never leave the store.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.video import rules
from backend.video.model import Recording, RecordingFilm, RecordingView
from foundation.actor import Actor
from foundation.canonical import canonical, sha256
from foundation.db.audit import audit
from foundation.db.intents import intend
from foundation.db.locks import lock_stream
from foundation.db.unit_of_work import clock_of
from foundation.errors import Conflict, Gone, Invalid, NotFound
from foundation.ids import new_id

MAKE_FILM = "video.make_film"
BOTH = "both"
PARTIES = {"patient": "患者", "doctor": "医生"}
TRACKS = (*PARTIES, BOTH)


async def recordings(session: AsyncSession, encounter_id: UUID) -> list[Recording]:
    """The manifest of a visit, in order of time."""
    query = (
        select(Recording)
        .where(Recording.encounter_id == encounter_id)
        .order_by(Recording.started_at, Recording.role)
    )
    return list(await session.scalars(query))


async def open_view(
    session: AsyncSession, actor: Actor, encounter_id: UUID, purpose: rules.Purpose, reason: str
) -> RecordingView:
    """Begin to look; films of both parties are made if they are not there. `NotFound`, `Invalid`, `Conflict`."""
    assert actor.id is not None
    if issues := rules.reason_issues(reason):
        raise Invalid(issues=issues)
    playable(await recordings(session, encounter_id))
    now = clock_of(session).now()
    made = RecordingView(
        encounter_id=encounter_id, viewer_id=actor.id, purpose=purpose.value, reason=reason.strip(),
        opened_at=now, ends_at=now + timedelta(minutes=rules.VIEW_MINUTES),
    )  # fmt: skip
    session.add(made)
    await session.flush()
    detail = {"view": str(made.id), "purpose": made.purpose, "reason": made.reason}
    audit(session, actor, "recording.view_opened", "encounter", encounter_id, detail=detail)
    for track in PARTIES:
        await want_film(session, encounter_id, track)
    return made


async def own_view(session: AsyncSession, actor: Actor, view_id: UUID) -> RecordingView:
    """The actor's own view while it lasts; `NotFound` for another's, `Gone` afterwards."""
    row = await session.get(RecordingView, view_id)
    if row is None or row.viewer_id != actor.id:
        raise NotFound("没有找到该次查看")
    if clock_of(session).now() >= row.ends_at:
        raise Gone("查看时间已到，请重新填写原因后查看", code="view_over")
    return row


async def open_view_of(session: AsyncSession, actor: Actor, encounter_id: UUID) -> RecordingView | None:
    """The actor's view of a visit that has not ended yet."""
    query = (
        select(RecordingView)
        .where(RecordingView.encounter_id == encounter_id, RecordingView.viewer_id == actor.id)
        .where(RecordingView.ends_at > clock_of(session).now())
        .order_by(RecordingView.opened_at.desc())
        .limit(1)
    )
    found: RecordingView | None = await session.scalar(query)
    return found


def playable(rows: Sequence[Recording]) -> list[Recording]:
    """Recordings that are there; `NotFound` when there never were any, `Conflict` while one is being written."""
    if not rows:
        raise NotFound("该次问诊没有录像")
    if any(row.ended_at is None for row in rows):
        raise Conflict("录像尚未结束，请稍后再看", code="still_recording")
    there = [row for row in rows if row.deleted_at is None and row.bytes]
    if not there:
        raise NotFound("该次问诊的录像已按规定到期删除")
    return there


def film_sources(rows: Sequence[Recording], track: str) -> str:
    """Digest of what a film of `track` is joined from."""
    chosen = sorted(f"{row.object_key} {row.sha256}" for row in rows if track in (BOTH, row.role))
    start = min(row.started_at for row in rows).isoformat()
    return sha256(canonical({"track": track, "start": start, "from": chosen})).hex()


async def want_film(session: AsyncSession, encounter_id: UUID, track: str) -> RecordingFilm:
    """The film as it is or will be; asked for when it is not there any more or not yet."""
    if track not in TRACKS:
        raise NotFound
    await lock_stream(session, f"films:{encounter_id}")
    rows = playable(await recordings(session, encounter_id))
    sources = film_sources(rows, track)
    query = select(RecordingFilm).where(
        RecordingFilm.encounter_id == encounter_id,
        RecordingFilm.track == track,
        RecordingFilm.sources == sources,
    )
    found: RecordingFilm | None = await session.scalar(query.with_for_update())
    now = clock_of(session).now()
    if found is None:
        found = RecordingFilm(
            id=new_id(), encounter_id=encounter_id, track=track, sources=sources, object_key="", asked_at=now
        )
        session.add(found)
    elif found.deleted_at is None and (found.ready_at is not None or not found.problem):
        return found
    found.asked_at, found.ready_at, found.deleted_at, found.problem = now, None, None, ""
    await session.flush()
    await intend(session, MAKE_FILM, found.id)
    return found


async def films(session: AsyncSession, encounter_id: UUID) -> dict[str, RecordingFilm]:
    """The films of the present recordings, by track."""
    there = playable(await recordings(session, encounter_id))
    wanted = {film_sources(there, track): track for track in TRACKS}
    query = select(RecordingFilm).where(
        RecordingFilm.encounter_id == encounter_id,
        RecordingFilm.sources.in_(wanted),
        RecordingFilm.deleted_at.is_(None),
    )
    return {row.track: row for row in await session.scalars(query)}


async def ready_film(session: AsyncSession, actor: Actor, view: RecordingView, track: str) -> RecordingFilm:
    """A film to be played now. `Conflict` while it is being made or when it could not be."""
    found = (await films(session, view.encounter_id)).get(track)
    if found is None:
        raise NotFound("没有找到该录像")
    if found.ready_at is None:
        raise Conflict(
            found.problem or "录像正在整理，请稍候", code="film_failed" if found.problem else "film_not_ready"
        )
    return found


def note_played(session: AsyncSession, actor: Actor, view: RecordingView, film: RecordingFilm) -> None:
    """A line for each time that a film is taken from its beginning."""
    detail = {"view": str(view.id), "track": film.track, "sha256": film.sha256}
    audit(session, actor, "recording.played", "encounter", view.encounter_id, detail=detail)
