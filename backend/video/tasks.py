"""Jobs about recordings: make a film, delete what need not be kept any longer."""

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from backend.context import Context
from backend.video import keeping, recovering, rules, service, viewing
from backend.video.model import Recording, RecordingFilm
from foundation.actor import SYSTEM
from foundation.db.audit import audit
from foundation.db.intents import Handler, Work, intend
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import Conflict, NotFound
from foundation.ids import new_id
from foundation.logs import log
from foundation.object_store import NotThere

if TYPE_CHECKING:
    from backend.video.recording.joining import Film

RETENTION = "video.retention"
EVERY = timedelta(hours=6)
RECOVER, RECOVER_EVERY = "video.recover", timedelta(minutes=1)
SEARCH, SEARCH_EVERY = "video.search", timedelta(minutes=15)


async def make_film(work: Work[Context]) -> None:
    """Join recordings into one file. Run twice at once the slower one fails and finds it made."""
    from backend.video.recording import joining  # FFmpeg's libraries, only where they are needed

    context, db = work.context, work.context.db
    async with unit_of_work(db) as session:
        film = await session.get(RecordingFilm, work.subject, with_for_update=True)
        if film is None or film.ready_at is not None or film.deleted_at is not None:
            return
        try:
            rows = viewing.playable(await viewing.recordings(session, film.encounter_id))
        except (NotFound, Conflict) as error:
            film.problem = error.detail
            return
        earlier, track = film.object_key, film.track
        film.object_key = key = f"films/{film.encounter_id}/{track}-{new_id()}.mkv"
    if earlier:
        await _forget(context, earlier)
    pieces = [joining.Piece(row.role, row.object_key, row.started_at, row.sha256) for row in rows]
    names = viewing.PARTIES if track == viewing.BOTH else {track: viewing.PARTIES[track]}
    try:
        made = await asyncio.to_thread(joining.join, context.objects, pieces, names, key)
    except joining.NothingToJoin:
        await _record(context, work.subject, None, "没有可用的录像")
        return
    if made.left_out:
        log.error("recordings_left_out", film=str(work.subject), count=len(made.left_out))
    problem = f"有 {len(made.left_out)} 段录像缺失或已损坏，未包含在内" if made.left_out else ""
    await _record(context, work.subject, made, problem)


async def _record(context: Context, film_id: UUID, made: "Film | None", problem: str) -> None:
    async with unit_of_work(context.db) as session:
        film = await session.get_one(RecordingFilm, film_id, with_for_update=True)
        film.problem = problem
        if made is None:
            return
        film.bytes, film.sha256, film.duration_ms = made.info.size, made.info.sha256, made.duration_ms
        film.ready_at = context.clock.now()
        detail = {
            "encounter": str(film.encounter_id), "track": film.track, "sha256": film.sha256, "bytes": str(film.bytes),
            "left_out": " ".join(made.left_out)[:2000],
        }  # fmt: skip
        audit(session, SYSTEM, "recording.film_made", "recording_film", film.id, detail=detail)


async def _forget(context: Context, key: str) -> None:
    try:
        await context.objects.delete(key)
    except NotThere:
        return


async def enforce_retention(work: Work[Context]) -> None:
    """Delete recordings whose three years are over and films whose days are, one transaction each; then again later."""
    context, db = work.context, work.context.db
    deleted = 0
    while True:
        async with unit_of_work(db) as session:
            due = await keeping.over(session, context.clock.now())
        before = deleted
        for recording_id in due:
            deleted += await _delete_one(context, recording_id)
        if not due or deleted == before:
            break
    films = await _delete_films(context, context.clock.now() - timedelta(days=rules.FILM_DAYS))
    if deleted or films:
        log.info("recordings_deleted", recordings=deleted, films=films)
    async with unit_of_work(db) as session:
        await intend(session, RETENTION, work.subject, due=context.clock.now() + EVERY)


async def _delete_one(context: Context, recording_id: UUID) -> int:
    try:
        async with unit_of_work(context.db) as session:
            row = await session.get_one(Recording, recording_id)
            done = row.deleted_at is None
            await keeping.delete(session, context.objects, SYSTEM, recording_id)
            return int(done)
    except Conflict as error:  # held a moment ago
        log.info("recording_kept", recording=str(recording_id), code=error.code)
        return 0
    except Exception as error:  # one bad file must not keep all others for ever
        log.error("recording_not_deleted", recording=str(recording_id), exc_info=error)
        return 0


async def _delete_films(context: Context, before: datetime) -> int:
    async with unit_of_work(context.db) as session:
        due = await keeping.old_films(session, before)
    deleted = 0
    for film_id in due:
        try:
            async with unit_of_work(context.db) as session:
                deleted += await keeping.delete_film(session, context.objects, film_id, before)
        except Exception as error:
            log.error("film_not_deleted", film=str(film_id), exc_info=error)
    return deleted


async def recover(work: Work[Context]) -> None:
    """Complete the recordings of nodes that are gone; then again soon."""
    context = work.context
    for row_id in await recovering.forsaken(context.db, context.redis):
        try:
            await service.complete(context.db, context.objects, row_id)
        except Exception as error:  # the next one may be well
            log.error("recording_not_recovered", recording=str(row_id), exc_info=error)
    async with unit_of_work(context.db) as session:
        await intend(session, RECOVER, work.subject, due=context.clock.now() + RECOVER_EVERY)


async def search(work: Work[Context]) -> None:
    """Register files without a row; then again later."""
    context = work.context
    for key in (await recovering.unregistered(context.db, context.objects))[: recovering.PER_TURN]:
        try:
            await recovering.register(context.db, context.objects, key)
        except Exception as error:
            log.error("recording_not_registered", key=key, exc_info=error)
    async with unit_of_work(context.db) as session:
        await intend(session, SEARCH, work.subject, due=context.clock.now() + SEARCH_EVERY)


HANDLERS: dict[str, Handler] = {
    viewing.MAKE_FILM: make_film, RETENTION: enforce_retention, RECOVER: recover, SEARCH: search,
}  # fmt: skip
STANDING = (RETENTION, RECOVER, SEARCH)
