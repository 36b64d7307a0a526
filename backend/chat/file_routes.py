"""Files of a conversation: in one go, or in pieces that survive a broken network."""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from backend.chat import admission, files, rules, service, serving_files, uploads
from backend.chat.uploads import PIECE_LIMIT
from backend.chat.wire import (
    AttachmentView,
    BeginUpload,
    FileQuery,
    UploadView,
    attachment_view,
    upload_view,
)
from backend.edge import DOCTOR, PATIENT, ApiCall, ApiEndpoint, Family
from foundation.errors import TooLarge, invalid
from foundation.web.endpoint import act, get, send
from foundation.web.parsing import read_body

PIECE = "application/offset+octet-stream"


async def attach(call: ApiCall) -> AttachmentView:
    """Upload a picture or voice note as the raw body."""
    media_type = call.request.headers.get("content-type", "").split(";")[0].strip()
    data = await read_body(call.request, rules.FILE_LIMIT)
    async with call.unit_of_work() as session:
        row = await admission.admitted(session, call.actor, call.id())
        side = service.side_of(call.actor, row)
        await files.check(session, row, side, media_type, len(data))
    stored = await files.store(call.app.objects, row.id, media_type, data)
    async with call.unit_of_work() as session:
        return attachment_view(files.record(session, call.actor, row, side, stored))


async def show_attachment(call: ApiCall) -> Response:
    """The file itself, for the two sides of its visit."""
    async with call.unit_of_work() as session:
        found = await serving_files.file(session, call.id())
        await admission.admitted(session, call.actor, found.encounter_id)
    small = call.query.size == "small"
    return await serving_files.answer(
        call.app.objects, found, small=small, asked=call.request.headers.get("range", "")
    )


async def begin_upload(call: ApiCall, body: BeginUpload) -> UploadView:
    """Announce a file that comes in pieces."""
    row = await admission.visit_of(call)
    return upload_view(
        await uploads.begin(
            call.session,
            call.actor,
            row,
            client_id=body.client_id,
            media_type=body.media_type,
            size=body.size,
        )
    )


async def show_upload(call: ApiCall) -> UploadView:
    """Where an upload stands."""
    upload, _ = await uploads.own(call.session, call.actor, call.id())
    return upload_view(await uploads.progress(call.session, upload))


async def measure_upload(call: ApiCall) -> Response:
    """The same in headers (tus)."""
    upload, _ = await uploads.own(call.session, call.actor, call.id())
    headers = {
        "upload-offset": str(upload.received),
        "upload-length": str(upload.size),
        "cache-control": "no-store",
    }
    return Response(headers=headers)


async def continue_upload(call: ApiCall) -> UploadView:
    """The next piece, from `Upload-Offset`. What came before the connection broke counts."""
    if call.request.headers.get("content-type", "") != PIECE:
        raise invalid("content-type", "not_allowed", f"应为 {PIECE}")
    offset = call.request.headers.get("upload-offset", "")
    if not (offset.isascii() and offset.isdigit() and len(offset) < 10):
        raise invalid("upload-offset", "wrong_format", "应为已收到的字节数")
    data = await _piece(call.request)
    return upload_view(await uploads.receive(call.app, call.actor, call.id(), int(offset), data))


async def _piece(request: Request) -> bytes:
    """The body, or as much of it as came."""
    data = bytearray()
    try:
        async for part in request.stream():
            data += part
            if len(data) > PIECE_LIMIT:
                raise TooLarge(f"每次最多上传 {PIECE_LIMIT // 1024} KB")
    except ClientDisconnect:
        pass
    return bytes(data)


FAMILY = Family.ONLINE_TREATMENT
BOTH = (PATIENT, DOCTOR)
ENDPOINTS: list[ApiEndpoint] = [
    act("POST", "/encounters/{id}/attachments", attach, reply=AttachmentView, summary="上传图片或语音", family=FAMILY,
        roles=BOTH, status=201, transaction=False),
    get("/attachments/{id}", show_attachment, summary="查看图片或语音", family=FAMILY, roles=BOTH, query=FileQuery,
        transaction=False),
    send("POST", "/encounters/{id}/uploads", begin_upload, body=BeginUpload, reply=UploadView, summary="开始分段上传",
         family=FAMILY, roles=BOTH, status=201),
    act("HEAD", "/uploads/{id}", measure_upload, summary="上传进度（tus）", family=FAMILY, roles=BOTH),
    get("/uploads/{id}", show_upload, reply=UploadView, summary="上传进度", family=FAMILY, roles=BOTH),
    act("PATCH", "/uploads/{id}", continue_upload, reply=UploadView, summary="继续分段上传", family=FAMILY, roles=BOTH,
        transaction=False),
]  # fmt: skip
