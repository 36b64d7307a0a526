"""The large-print version (长辈版), on and off."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front import cookies
from miniapp_mock.front.forms import local_path, read_form
from miniapp_mock.front.screen import go


async def switch(request: Request) -> Response:
    """Remember it in this browser and show the same page again."""
    form = await read_form(request)
    response = go(local_path(form.get("next", "")))
    if form.get("on") == "1":
        cookies.write(response, cookies.CARE, "1")
    else:
        cookies.drop(response, cookies.CARE)
    return response


ROUTES: list[BaseRoute] = [Route("/care", switch, methods=["POST"])]
