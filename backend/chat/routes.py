"""Chat over plain HTTP (for catching up and for bad networks), files, and tickets for the sockets."""

from starlette.responses import Response, StreamingResponse

from backend.chat import rules, service, tickets
from backend.chat.model import Attachment
from backend.chat.wire import (
    AttachmentView,
    MessageQuery,
    MessageView,
    Say,
    TicketRequest,
    TicketView,
    message_view,
)
from backend.edge import DOCTOR, PATIENT, ApiCall, ApiEndpoint, Family
from backend.encounter import queries
from backend.encounter.states import RUNNING
from foundation.errors import Conflict, NotFound
from foundation.web.endpoint import act, get, send
from foundation.web.parsing import read_body


async def list_messages(call: ApiCall) -> list[MessageView]:
    """Messages of a visit after a sequence."""
    row = await queries.visible(call.session, call.actor, call.id())
    return [message_view(found) for found in await service.after(call.session, row.id, call.query.after)]


async def say(call: ApiCall, body: Say) -> MessageView:
    """Send one message."""
    row = await queries.visible(call.session, call.actor, call.id())
    message = await service.say(
        call.session, call.actor, row, client_id=body.client_id, kind=body.kind, body=body.body,
        attachment_id=body.attachment_id,
    )  # fmt: skip
    return message_view(message)


async def attach(call: ApiCall) -> AttachmentView:
    """Upload a picture or voice note as the raw body."""
    async with call.unit_of_work() as session:
        row = await queries.visible(session, call.actor, call.id())
        if row.state not in RUNNING:
            raise Conflict("问诊未在进行中，不能发送文件", code="encounter_not_running")
    data = await read_body(call.request, rules.FILE_LIMIT)
    media_type = call.request.headers.get("content-type", "").split(";")[0].strip()
    attachment_id, key = await service.store_file(call.app.objects, row.id, media_type, data)
    async with call.unit_of_work() as session:
        stored = service.record_file(
            session, call.actor, row, attachment_id=attachment_id, key=key, media_type=media_type, data=data
        )
    return AttachmentView(stored.id, stored.media_type, stored.size)


async def show_attachment(call: ApiCall) -> Response:
    """The file itself, for the two sides of its visit."""
    async with call.unit_of_work() as session:
        found = await session.get(Attachment, call.id())
        if found is None:
            raise NotFound
        await queries.visible(session, call.actor, found.encounter_id)
    headers = {"cache-control": "private, no-store", "content-disposition": "inline"}
    return StreamingResponse(
        call.app.objects.read(found.object_key), media_type=found.media_type, headers=headers
    )


async def ticket(call: ApiCall, body: TicketRequest) -> TicketView:
    """A ticket for the chat or the video socket of a running visit."""
    row = await queries.visible(call.session, call.actor, call.id())
    if row.state not in RUNNING:
        raise Conflict("问诊未在进行中", code="encounter_not_running")
    if body.purpose == "signalling" and row.recording_consent != "given":
        raise Conflict("视频问诊需要录像，请先征得患者同意", code="no_recording_consent")
    assert call.actor.id is not None
    side = service.side_of(call.actor, row)
    text = await tickets.issue(
        call.app.redis, tickets.Ticket(body.purpose, row.id, call.actor.id, side, call.actor.name)
    )
    settings = call.app.settings
    if body.purpose == "chat":
        base = settings.api_url.replace("http", "ws", 1)
        return TicketView(text, f"{base}/api/v1/encounters/{row.id}/chat", tickets.LIFE_SECONDS)
    media = settings.media_urls[row.id.int % len(settings.media_urls)] if settings.media_urls else ""
    return TicketView(text, f"{media.replace('http', 'ws', 1)}/rooms/{row.id}", tickets.LIFE_SECONDS)


async def consent_to_recording(call: ApiCall) -> None:
    """The patient agrees that the video is recorded; without it there is none."""
    row = await queries.visible(call.session, call.actor, call.id())
    row.recording_consent = "given"
    await service.notice(call.session, row, "患者已同意视频问诊并录像", key="recording-consent")


FAMILY = Family.ONLINE_TREATMENT
BOTH = (PATIENT, DOCTOR)
ENDPOINTS: list[ApiEndpoint] = [
    get("/encounters/{id}/messages", list_messages, reply=list[MessageView], query=MessageQuery, summary="消息记录",
        family=FAMILY, roles=BOTH),
    send("POST", "/encounters/{id}/messages", say, body=Say, reply=MessageView, summary="发送消息", family=FAMILY,
         roles=BOTH, status=201),
    act("POST", "/encounters/{id}/attachments", attach, reply=AttachmentView, summary="上传图片或语音", family=FAMILY,
        roles=BOTH, status=201, transaction=False),
    get("/attachments/{id}", show_attachment, summary="查看图片或语音", family=FAMILY, roles=BOTH, transaction=False),
    send("POST", "/encounters/{id}/tickets", ticket, body=TicketRequest, reply=TicketView, summary="会话票据",
         family=FAMILY, roles=BOTH, status=201),
    act("POST", "/encounters/{id}/recording-consent", consent_to_recording, summary="同意视频录像", family=FAMILY,
        roles=[PATIENT]),
]  # fmt: skip
