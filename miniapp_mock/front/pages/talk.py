"""What the scripts of chat and video ask for, the same for both sides of a visit: messages, files, tickets.

`talk_routes("/doctor", doctor)` makes the doctor's; the patient's have no prefix.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from foundation.web.parsing import read_body
from miniapp_mock.front.backend_client import Api
from miniapp_mock.front.forms import path_id, read_json
from miniapp_mock.front.guard import FILE_LIMIT
from miniapp_mock.front.screen import patient
from miniapp_mock.front.streams import pass_file

Side = Callable[[Request], Api]


def talk_routes(prefix: str, side: Side) -> list[BaseRoute]:
    """Routes below `{prefix}/encounters/{id}` and `{prefix}/attachments/{id}`."""

    async def messages(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        found = await side(request).get(
            f"{_encounter(request)}/messages", after=after if after.isdigit() else 0
        )
        return JSONResponse(found)

    async def say(request: Request) -> Response:
        return JSONResponse(
            await side(request).post(f"{_encounter(request)}/messages", await read_json(request))
        )

    async def ticket(request: Request) -> Response:
        return JSONResponse(
            await side(request).post(f"{_encounter(request)}/tickets", await read_json(request))
        )

    async def room(request: Request) -> Response:
        return JSONResponse(await side(request).post(f"{_encounter(request)}/room"))

    async def attach(request: Request) -> Response:
        data = await read_body(request, FILE_LIMIT)
        kind = request.headers.get("content-type", "")
        return JSONResponse(await side(request).upload(f"{_encounter(request)}/attachments", data, kind))

    async def attachment(request: Request) -> Response:
        return await pass_file(side(request), f"/attachments/{path_id(request, 'id')}")

    base = f"{prefix}/encounters/{{id:uuid}}"
    return [
        Route(f"{base}/messages", messages, methods=["GET"]),
        Route(f"{base}/messages", say, methods=["POST"]),
        Route(f"{base}/tickets", ticket, methods=["POST"]),
        Route(f"{base}/room", room, methods=["POST"]),
        Route(f"{base}/attachments", attach, methods=["POST"]),
        Route(f"{prefix}/attachments/{{id:uuid}}", attachment),
    ]


def _encounter(request: Request) -> str:
    return f"/encounters/{path_id(request, 'id')}"


ROUTES: list[BaseRoute] = talk_routes("", patient)
