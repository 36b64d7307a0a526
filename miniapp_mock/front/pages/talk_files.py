"""Files of a conversation: passed on whole, by ranges, or piece by piece."""

from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from foundation.errors import TooLarge
from foundation.web.parsing import read_body
from miniapp_mock.front.backend_client import Api
from miniapp_mock.front.forms import path_id, read_json
from miniapp_mock.front.guard import FILE_LIMIT, PIECE_LIMIT
from miniapp_mock.front.streams import pass_file

Side = Callable[[Request], Api]


def file_routes(prefix: str, side: Side) -> list[BaseRoute]:
    """Routes below `{prefix}/encounters/{id}`, `{prefix}/attachments/{id}` and `{prefix}/uploads/{id}`."""

    async def attach(request: Request) -> Response:
        data = await read_body(request, FILE_LIMIT)
        kind = request.headers.get("content-type", "")
        return JSONResponse(await side(request).upload(f"{_encounter(request)}/attachments", data, kind))

    async def attachment(request: Request) -> Response:
        size = "?size=small" if request.query_params.get("size") == "small" else ""
        asked = request.headers.get("range", "")
        return await pass_file(
            side(request), f"/attachments/{path_id(request, 'id')}{size}", {"range": asked} if asked else {}
        )

    async def begin_upload(request: Request) -> Response:
        return JSONResponse(
            await side(request).post(f"{_encounter(request)}/uploads", await read_json(request))
        )

    async def upload(request: Request) -> Response:
        path = f"/uploads/{path_id(request, 'id')}"
        if request.method != "PATCH":
            return JSONResponse(await side(request).get(path))
        data = await read_piece(request)
        offset = request.headers.get("upload-offset", "")
        return JSONResponse(await side(request).piece(path, data, offset))

    base = f"{prefix}/encounters/{{id:uuid}}"
    return [
        Route(f"{base}/attachments", attach, methods=["POST"]),
        Route(f"{base}/uploads", begin_upload, methods=["POST"]),
        Route(f"{prefix}/uploads/{{id:uuid}}", upload, methods=["GET", "PATCH"]),
        Route(f"{prefix}/attachments/{{id:uuid}}", attachment),
    ]


async def read_piece(request: Request) -> bytes:
    """A piece of a file, or as much of it as came before the network broke: that much need not come again."""
    data = bytearray()
    try:
        async for part in request.stream():
            data += part
            if len(data) > PIECE_LIMIT:
                raise TooLarge(f"每次最多上传 {PIECE_LIMIT // 1024} KB")
    except ClientDisconnect:
        pass
    return bytes(data)


def _encounter(request: Request) -> str:
    return f"/encounters/{path_id(request, 'id')}"
