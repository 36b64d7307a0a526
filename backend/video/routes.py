"""Ways into video rooms, look-ins, and what may be done with recordings."""

from starlette.responses import Response

from backend import rates
from backend.chat import admission
from backend.chat.service import side_of
from backend.edge import ADMIN, DOCTOR, PATIENT, QUALITY, ApiCall, ApiEndpoint, Family
from backend.encounter import queries as encounters
from backend.policy import Rate
from backend.video import consenting, entry, keeping, looking_in, rules, viewing, wire
from backend.video.playback import film_response
from foundation.errors import Gone
from foundation.web.endpoint import act, get, send


async def enter(call: ApiCall) -> wire.RoomEntry:
    """A way into the room of a running visit, asked for anew for each connection: the room may live elsewhere by now."""
    async with call.unit_of_work() as session:
        row = await admission.admitted(session, call.actor, call.id())
        entry.require_video(row, call.clock.now())
    await entry.require_network(call.app, row.id, call.actor)
    return await entry.entry(call.app, row.id, call.actor, side_of(call.actor, row))


async def consent(call: ApiCall) -> wire.ConsentView:
    """What the patient is asked, and what she said."""
    row = await admission.visit_of(call)
    return wire.ConsentView(rules.CONSENT_VERSION, list(rules.CONSENT_TEXT), row.recording_consent)


async def decide(call: ApiCall, body: wire.Decide) -> None:
    """The patient agrees to be recorded, refuses, or takes it back."""
    row = await admission.visit_of(call)
    await consenting.decide(call.session, call.actor, row, body.decision, body.version)


async def consent_to_recording(call: ApiCall) -> None:
    """The patient agrees to the present text."""
    row = await admission.visit_of(call)
    await consenting.decide(call.session, call.actor, row, rules.Decision.GIVEN, rules.CONSENT_VERSION)


async def probe(call: ApiCall) -> wire.ProbeEntry:
    """The way to a check of the network, for who may have video."""
    async with call.unit_of_work() as session:
        row = await admission.admitted(session, call.actor, call.id())
        entry.require_video(row, call.clock.now())
    await rates.admit_account(call, "probe", Rate(f"{call.app.settings.probes_per_minute}/60"))
    return await entry.probe_entry(call.app, row.id, call.actor, side_of(call.actor, row))


async def probed(call: ApiCall) -> wire.ProbeView:
    """What one's own last check found."""
    row = await admission.visit_of(call)
    found = await entry.last_probe(call.app, row.id, call.actor)
    return wire.probe_view(found, call.app.settings.video_least_bitrate)


async def look_in(call: ApiCall, body: wire.Why) -> wire.LookInView:
    """Ask to watch a live consultation."""
    row = await looking_in.open_look_in(call.session, call.app, call.actor, call.id(), body.reason)
    return wire.look_in_view(row)


async def look_in_ticket(call: ApiCall, body: wire.Watch) -> wire.RoomEntry:
    """One connection, to see and hear one party."""
    row = await looking_in.own_look_in(call.session, call.actor, call.id())
    return await looking_in.seat(call.app, call.session, call.actor, row, body.watches)


async def end_look_in(call: ApiCall) -> None:
    """Stop watching."""
    row = await looking_in.own_look_in(call.session, call.actor, call.id())
    await looking_in.end_look_in(call.session, call.actor, row)


async def manifest(call: ApiCall) -> wire.ManifestView:
    """What was recorded of a visit, without the recordings."""
    row = await encounters.encounter(call.session, call.id())
    found = await viewing.recordings(call.session, row.id)
    return wire.manifest_view(row.id, found, await keeping.standing_hold(call.session, row.id))


async def open_view(call: ApiCall, body: wire.OpenView) -> wire.RecordingViewView:
    """Begin to look at the recordings of a visit."""
    row = await viewing.open_view(call.session, call.actor, call.id(), body.purpose, body.reason)
    return wire.recording_view(row, await viewing.films(call.session, row.encounter_id))


async def show_view(call: ApiCall) -> wire.RecordingViewView:
    """Which films are ready."""
    row = await viewing.own_view(call.session, call.actor, call.id())
    return wire.recording_view(row, await viewing.films(call.session, row.encounter_id))


async def join_both(call: ApiCall) -> wire.RecordingViewView:
    """Ask for one file with both parties, within one's open view of the visit."""
    row = await viewing.open_view_of(call.session, call.actor, call.id())
    if row is None:
        raise Gone("查看时间已到，请重新填写原因后查看", code="view_over")
    await viewing.want_film(call.session, row.encounter_id, viewing.BOTH)
    return wire.recording_view(row, await viewing.films(call.session, row.encounter_id))


async def film(call: ApiCall) -> Response:
    """A film, in the parts that a player asks for."""
    track = str(call.request.path_params["track"])
    async with call.unit_of_work() as session:
        view = await viewing.own_view(session, call.actor, call.id())
        row = await viewing.ready_film(session, call.actor, view, track)
        response, from_start = film_response(
            call.app.objects, row, call.request.headers, download=track == viewing.BOTH
        )
        if from_start:
            viewing.note_played(session, call.actor, view, row)
    return response


async def hold(call: ApiCall, body: wire.Why) -> None:
    """Keep the recordings of a visit whatever their age."""
    row = await encounters.encounter(call.session, call.id())
    await keeping.hold(call.session, call.actor, row.id, body.reason)


async def lift_hold(call: ApiCall, body: wire.Why) -> None:
    """End the hold."""
    await keeping.lift(call.session, call.actor, call.id(), body.reason)


async def delete_recording(call: ApiCall) -> None:
    """Delete one recording; refused before its time and under a hold."""
    await keeping.delete(call.session, call.app.objects, call.actor, call.id())


TREATMENT, OVERSIGHT = Family.ONLINE_TREATMENT, Family.COLLABORATION
VIEWERS = (QUALITY,)
ENDPOINTS: list[ApiEndpoint] = [
    act("POST", "/encounters/{id}/room", enter, reply=wire.RoomEntry, summary="进入视频", family=TREATMENT,
        roles=(PATIENT, DOCTOR), status=201, transaction=False),
    get("/encounters/{id}/recording-consent", consent, reply=wire.ConsentView, summary="录像说明", family=TREATMENT,
        roles=(PATIENT, DOCTOR)),
    send("PUT", "/encounters/{id}/recording-consent", decide, body=wire.Decide, summary="是否同意视频录像", family=TREATMENT,
         roles=[PATIENT], audited="video.recording_consent"),
    act("POST", "/encounters/{id}/recording-consent", consent_to_recording, summary="同意视频录像", family=TREATMENT,
        roles=[PATIENT], audited="video.recording_consent"),
    act("POST", "/encounters/{id}/probe", probe, reply=wire.ProbeEntry, summary="通话前检测网络", family=TREATMENT,
        roles=(PATIENT, DOCTOR), status=201, transaction=False),
    get("/encounters/{id}/probe", probed, reply=wire.ProbeView, summary="网络检测结果", family=TREATMENT,
        roles=(PATIENT, DOCTOR)),
    send("POST", "/encounters/{id}/look-ins", look_in, body=wire.Why, reply=wire.LookInView, summary="申请旁看视频",
         family=OVERSIGHT, roles=VIEWERS, status=201),
    send("POST", "/look-ins/{id}/tickets", look_in_ticket, body=wire.Watch, reply=wire.RoomEntry, summary="旁看一方的画面",
         family=OVERSIGHT, roles=VIEWERS, status=201),
    act("POST", "/look-ins/{id}/end", end_look_in, summary="结束旁看", family=OVERSIGHT, roles=VIEWERS),
    get("/encounters/{id}/recordings", manifest, reply=wire.ManifestView, summary="录像清单", family=OVERSIGHT,
        roles=(QUALITY, ADMIN), audited="recording.manifest"),
    send("POST", "/encounters/{id}/recording-views", open_view, body=wire.OpenView, reply=wire.RecordingViewView,
         summary="查看录像", family=OVERSIGHT, roles=VIEWERS, status=201),
    get("/recording-views/{id}", show_view, reply=wire.RecordingViewView, summary="录像整理情况", family=OVERSIGHT,
        roles=VIEWERS),
    act("POST", "/encounters/{id}/recording-film", join_both, reply=wire.RecordingViewView, summary="合成双方录像",
        family=OVERSIGHT, roles=VIEWERS),
    get("/recording-views/{id}/films/{track}", film, summary="播放或下载录像", family=OVERSIGHT, roles=VIEWERS,
        transaction=False),
    send("POST", "/encounters/{id}/recording-hold", hold, body=wire.Why, summary="封存录像", family=OVERSIGHT,
         roles=VIEWERS),
    send("POST", "/encounters/{id}/recording-hold/lift", lift_hold, body=wire.Why, summary="解除封存", family=OVERSIGHT,
         roles=VIEWERS),
    act("DELETE", "/recordings/{id}", delete_recording, summary="删除到期录像", family=OVERSIGHT, roles=[ADMIN]),
]  # fmt: skip
