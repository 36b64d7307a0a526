"""The quality department's desk: recordings of visits, and live consultations to look in on."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from backend.account.model import Staff
from backend.desk.declared import DeskCall, Shown, action, page
from backend.desk.desk import Desk, admit
from backend.desk.session import HOME, check_csrf, read_form
from backend.encounter import queries as encounters
from backend.encounter.model import Encounter
from backend.encounter.states import RUNNING
from backend.patient.model import Person
from backend.practitioner.model import Practitioner
from backend.video import consenting, keeping, looking_in, routes, rules, viewing
from backend.video.model import Recording, RecordingView
from backend.video.playback import film_response
from backend.video.routes import VIEWERS
from foundation.actor import NOBODY, Actor
from foundation.db.audit import audit_refusal
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, NotFound
from foundation.web.parsing import path_id
from foundation.web.problems import problem_response

MOST = 60
Work = Callable[[AsyncSession, Actor, UUID], Awaitable[Response]]


async def recordings(call: DeskCall) -> Shown:
    """Visits with recordings, the latest first; `view`: kept, held, or gone (deleted in due time)."""
    wanted = call.request.query_params.get("view", "kept")
    begun, gone = func.min(Recording.started_at), func.bool_and(Recording.deleted_at.is_not(None))
    query = (
        select(
            Recording.encounter_id, begun, func.count(), func.sum(Recording.bytes),
            func.bool_and(Recording.ended_at.is_not(None)),
        )
        .group_by(Recording.encounter_id)
        .having(gone if wanted == "gone" else ~gone)
        .order_by(begun.desc())
        .limit(MOST)
    )  # fmt: skip
    if wanted == "held":
        query = query.where(Recording.encounter_id.in_(keeping.held_visits()))
    found = (await call.session.execute(query)).all()
    names = await _names(call, [row[0] for row in found])
    words = {
        "wanted": wanted, "last_kept_day": rules.last_kept_day,
        "rows": [(*row, *names[row[0]]) for row in found if row[0] in names],
    }  # fmt: skip
    return Shown("video/recordings.html", words)


async def recording(call: DeskCall) -> Shown:
    """One visit's manifest; with an open view its films beside each other."""
    visit = await encounters.encounter(call.session, call.id())
    rows = await viewing.recordings(call.session, visit.id)
    if not rows:
        raise NotFound("该次问诊没有录像")
    view = await viewing.open_view_of(call.session, call.actor, visit.id)
    films = await viewing.films(call.session, visit.id) if view else {}
    query = select(RecordingView, Staff.display_name).outerjoin(Staff, Staff.id == RecordingView.viewer_id)
    looks = await call.session.execute(
        query.where(RecordingView.encounter_id == visit.id).order_by(RecordingView.opened_at.desc())
    )
    ((person, doctor),) = (await _names(call, [visit.id])).values()
    words = {
        "visit": visit, "rows": rows, "person": person, "doctor": doctor, "films": films, "view": view,
        "hold": await keeping.standing_hold(call.session, visit.id), "looks": looks.all(), "purposes": rules.PURPOSES,
        "kept_until": max(rules.last_kept_day(row.started_at) for row in rows), "parties": viewing.PARTIES,
        "consents": await consenting.of_visit(call.session, visit.id), "acting": consenting.ACTING,
        "waiting": any(film.ready_at is None and not film.problem for film in films.values()),
    }  # fmt: skip
    return Shown("video/recording.html", words)


async def live(call: DeskCall) -> Shown:
    """Consultations with video that run now."""
    rows = await _visits(call, Encounter.state.in_(RUNNING), Encounter.recording_consent == "given")
    return Shown("video/live.html", {"rows": rows})


async def look_in(call: DeskCall) -> Shown:
    """One of them: the form, or both parties' pictures while a permission lasts."""
    visit = await encounters.encounter(call.session, call.id())
    found = [
        row for row in await looking_in.of_visit(call.session, visit.id) if row.supervisor_id == call.actor.id
    ]
    running = [row for row in found if row.ended_at is None and row.ends_at > call.clock.now()]
    ((person, doctor),) = (await _names(call, [visit.id])).values()
    words: dict[str, Any] = {
        "visit": visit, "person": person, "doctor": doctor, "look": running[0] if running else None,
        "parties": viewing.PARTIES, "is_running": visit.state in RUNNING,
    }  # fmt: skip
    return Shown("video/look_in.html", words)


async def _names(call: DeskCall, ids: Sequence[UUID]) -> dict[UUID, tuple[Person, Practitioner]]:
    return {
        visit.id: (person, doctor) for visit, person, doctor in await _visits(call, Encounter.id.in_(ids))
    }


async def _visits(
    call: DeskCall, *conditions: ColumnElement[bool]
) -> list[tuple[Encounter, Person, Practitioner]]:
    query = (
        select(Encounter, Person, Practitioner)
        .join(Person, Person.id == Encounter.person_id)
        .join(Practitioner, Practitioner.id == Encounter.practitioner_id)
        .where(*conditions)
        .order_by(Encounter.started_at)
        .limit(MOST)
    )
    return [(visit, person, doctor) for visit, person, doctor in await call.session.execute(query)]


def extra_routes(desk: Desk) -> list[Route]:
    """What the players ask for: films in parts, tickets for live connections."""

    async def answered(request: Request, action: str, subject: str, work: Work) -> Response:
        """By `work` in one transaction, for who may look; a refusal is a problem body and a line of the trail."""
        actor = NOBODY
        try:
            actor = await desk.actor(request)
            admit(actor, VIEWERS)
            if request.method == "POST":
                check_csrf(request, await read_form(request))
            async with unit_of_work(desk.context.db) as session:
                return await work(session, actor, path_id(request, "id"))
        except AppError as error:
            about = f"{subject}:{request.path_params['id']}"
            await audit_refusal(desk.context.db, actor, action, about, error)
            return problem_response(error)

    async def film(request: Request) -> Response:
        track = str(request.path_params["track"])

        async def play(session: AsyncSession, actor: Actor, view_id: UUID) -> Response:
            view = await viewing.own_view(session, actor, view_id)
            row = await viewing.ready_film(session, actor, view, track)
            answer, from_start = film_response(
                desk.context.objects, row, request.headers, download=track == viewing.BOTH
            )
            if from_start:
                viewing.note_played(session, actor, view, row)
            return answer

        return await answered(request, "recording.played", "view", play)

    async def ticket(request: Request) -> Response:
        async def seat(session: AsyncSession, actor: Actor, look_id: UUID) -> Response:
            row = await looking_in.own_look_in(session, actor, look_id)
            watches = str(request.path_params["watches"])
            entry = await looking_in.seat(desk.context, session, actor, row, watches)
            return JSONResponse(msgspec.to_builtins(entry), 201)

        return await answered(request, "video.look_in_ticket", "look_in", seat)

    return [
        Route(f"{HOME}/films/{{id}}/{{track}}", film, methods=["GET"]),
        Route(f"{HOME}/look-in-tickets/{{id}}/{{watches}}", ticket, methods=["POST"]),
    ]


LIST = page("/desk/recordings", recordings, title="问诊录像", roles=VIEWERS, menu="录像")
ONE = page("/desk/recordings/{id}", recording, title="问诊录像", roles=VIEWERS, audited="recording.manifest")
LIVE = page("/desk/look-ins", live, title="旁看问诊", roles=VIEWERS, menu="旁看")
LOOK = page("/desk/look-ins/{id}", look_in, title="旁看问诊", roles=VIEWERS)
PAGES = [LIST, ONE, LIVE, LOOK]
ACTIONS = [
    action(
        "/desk/recordings/{id}/view", routes.ENDPOINTS, routes.open_view, back=ONE, then="/desk/recordings/{id}",
        said="已登记查看原因。",
    ),
    action(
        "/desk/recordings/{id}/hold", routes.ENDPOINTS, routes.hold, back=ONE, then="/desk/recordings/{id}",
        said="已封存，解除前不会删除。",
    ),
    action(
        "/desk/recordings/{id}/lift", routes.ENDPOINTS, routes.lift_hold, back=ONE, then="/desk/recordings/{id}",
        said="已解除封存。",
    ),
    action(
        "/desk/recordings/{id}/both", routes.ENDPOINTS, routes.join_both, back=ONE, then="/desk/recordings/{id}",
        said="正在合成，完成后可下载。",
    ),
    action(
        "/desk/look-ins/{id}/open", routes.ENDPOINTS, routes.look_in, back=LOOK, then="/desk/look-ins/{id}",
        said="已登记，可以旁看。",
    ),
    action(
        "/desk/look-ins/{id}/end", routes.ENDPOINTS, routes.end_look_in, back=LIVE, then="/desk/look-ins", said="已结束旁看。"
    ),
]  # fmt: skip
