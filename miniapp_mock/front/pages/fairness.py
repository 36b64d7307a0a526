"""Who got the places: published for everybody."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.screen import screen_of, show


async def report(request: Request) -> Response:
    """Shares of the last days, and the rules in force."""
    found = await screen_of(request).api.get("/fairness")
    return await show(
        request,
        "patient/fairness.html",
        back="/",
        report=found,
        figures=found["figures"],
        rules=found["rules"],
    )


ROUTES: list[BaseRoute] = [Route("/fairness", report)]
