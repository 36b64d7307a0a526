"""The first page, and what today has in store."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.journey import is_open, with_stage
from miniapp_mock.front.screen import patient, screen_of, show
from miniapp_mock.front.words import moment


async def home(request: Request) -> Response:
    """The same for everybody; what is personal comes as a fragment."""
    return await show(request, "patient/home.html")


async def today(request: Request) -> Response:
    """Appointments that are open or of today, the nearest first."""
    api, day = patient(request), screen_of(request).clock.today()
    rows = [
        row
        for row in await api.get("/appointments")
        if is_open(row) or moment(row["starts_at"]).date() == day
    ]
    rows = [row for row in rows if row["state"] != "cancelled"]
    rows.sort(key=lambda row: str(row["starts_at"]))
    visits = await asyncio.gather(*(with_stage(api, row) for row in rows[:10]))
    return await show(request, "patient/home_today.html", visits=visits)


ROUTES: list[BaseRoute] = [Route("/", home), Route("/home/today", today)]
