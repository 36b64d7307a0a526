"""The doctor's shift: begun with the CA PIN, after which her signatures are made; and her visit fees."""

from datetime import date, timedelta
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import read_form
from miniapp_mock.front.pages.doctor_login import following
from miniapp_mock.front.screen import doctor, go, screen_of, show


async def show_shift(request: Request, problem: Refused | None = None) -> Response:
    """Who is here, the running shift or the form that begins one."""
    api = doctor(request)
    me = await api.get("/me")
    shift = await api.find("/shifts/current")
    return await show(
        request, "doctor/shift.html", back="/doctor", me=me, shift=shift, following=following(request),
        problem=problem, status=problem.status if problem else 200,
    )  # fmt: skip


async def begin(request: Request) -> Response:
    """With the PIN; it goes to the CA and is kept nowhere."""
    form = await read_form(request)
    try:
        await doctor(request).post("/shifts", {"pin": form.get("pin", "")})
    except Refused as refused:
        if refused.code in ("unauthenticated", "session_ended"):
            raise
        return await show_shift(request, refused)
    return go(following(request))


async def end(request: Request) -> Response:
    """Go home."""
    await doctor(request).delete("/shifts/current")
    return go("/doctor/shift")


async def income(request: Request) -> Response:
    """Her visit fees of a month. Drugs do not count (practice.md 18)."""
    api = doctor(request)
    wanted = request.query_params.get("month", "")
    row = await api.get(f"/doctor/income?month={quote(wanted, safe='')}")
    first = date.fromisoformat(f"{row['month']}-01")
    before, after = first - timedelta(days=1), first + timedelta(days=32)
    return await show(
        request, "doctor/income.html", back="/doctor/shift", row=row, before=f"{before:%Y-%m}",
        after=f"{after:%Y-%m}" if after.replace(day=1) <= screen_of(request).clock.today() else "",
    )  # fmt: skip


ROUTES: list[BaseRoute] = [
    Route("/doctor/shift", show_shift, methods=["GET"]),
    Route("/doctor/shift", begin, methods=["POST"]),
    Route("/doctor/shift/end", end, methods=["POST"]),
    Route("/doctor/income", income),
]
