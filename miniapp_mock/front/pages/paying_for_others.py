"""Paying a bill of somebody whom the counter helped: her code, what it is for, and on to the cashier."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import Form, read_form
from miniapp_mock.front.screen import go, patient, show


async def ask(request: Request, typed: Form | None = None, problem: Refused | None = None) -> Response:
    """The form for the code."""
    await patient(request).get("/me")
    return await show(
        request, "patient/pay_code.html", back="/mine", typed=typed or {}, problem=problem,
        status=problem.status if problem else 200,
    )  # fmt: skip


async def look_up(request: Request) -> Response:
    """To the bill of the code that was typed."""
    form = await read_form(request)
    code = "".join(char for char in form.get("code", "") if char.isalnum()).upper()
    try:
        await patient(request).get(f"/pay-codes/{quote(code or '-', safe='')}")
    except Refused as refused:
        if refused.status == 401:
            raise
        return await ask(request, form, refused)
    return go(f"/pay/{quote(code, safe='')}")


async def confirm(request: Request, problem: Refused | None = None) -> Response:
    """Whose visit it is (masked) and how much; nothing is taken before the button is pressed."""
    code = request.path_params["code"]
    found = await patient(request).get(f"/pay-codes/{quote(code, safe='')}")
    return await show(
        request, "patient/pay_for_other.html", back="/pay", found=found, code=code, problem=problem,
        status=problem.status if problem else 200,
    )  # fmt: skip


async def take(request: Request) -> Response:
    """The bill is mine to pay."""
    await read_form(request)
    try:
        taken = await patient(request).post(f"/pay-codes/{quote(request.path_params['code'], safe='')}/take")
    except Refused as refused:
        if refused.status not in (404, 409, 410):
            raise
        return await confirm(request, refused)
    return go(f"/payments/{taken['payment_id']}")


ROUTES: list[BaseRoute] = [
    Route("/pay", ask, methods=["GET"]),
    Route("/pay", look_up, methods=["POST"]),
    Route("/pay/{code:str}", confirm, methods=["GET"]),
    Route("/pay/{code:str}", take, methods=["POST"]),
]
