"""What the scripts of chat and video ask for, the same for both sides of a visit: messages, marks, files, tickets, the check before a call.

`talk_routes("/doctor", doctor)` makes the doctor's; the patient's have no prefix.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Api
from miniapp_mock.front.forms import path_id, read_json
from miniapp_mock.front.pages.talk_files import file_routes
from miniapp_mock.front.screen import patient

Side = Callable[[Request], Api]


def talk_routes(prefix: str, side: Side) -> list[BaseRoute]:
    """Routes below `{prefix}/encounters/{id}`, and those of its files."""

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

    async def marks(request: Request) -> Response:
        path = f"{_encounter(request)}/marks"
        if request.method == "PUT":
            return JSONResponse(await side(request).put(path, await read_json(request)))
        return JSONResponse(await side(request).get(path))

    async def ticket(request: Request) -> Response:
        return JSONResponse(
            await side(request).post(f"{_encounter(request)}/tickets", await read_json(request))
        )

    async def room(request: Request) -> Response:
        return JSONResponse(await side(request).post(f"{_encounter(request)}/room"))

    async def probe(request: Request) -> Response:
        path = f"{_encounter(request)}/probe"
        if request.method == "POST":
            return JSONResponse(await side(request).post(path))
        return JSONResponse(await side(request).get(path))

    base = f"{prefix}/encounters/{{id:uuid}}"
    return [
        Route(f"{base}/messages", messages, methods=["GET"]),
        Route(f"{base}/messages", say, methods=["POST"]),
        Route(f"{base}/marks", marks, methods=["GET", "PUT"]),
        Route(f"{base}/tickets", ticket, methods=["POST"]),
        Route(f"{base}/room", room, methods=["POST"]),
        Route(f"{base}/probe", probe, methods=["GET", "POST"]),
        *file_routes(prefix, side),
    ]


def _encounter(request: Request) -> str:
    return f"/encounters/{path_id(request, 'id')}"


ROUTES: list[BaseRoute] = talk_routes("", patient)
