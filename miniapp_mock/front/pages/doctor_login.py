"""A doctor logs in with password and one-time code, and out. A tap on a notice comes here first and then goes on."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front import cookies
from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import Form, local_path, read_form
from miniapp_mock.front.screen import doctor, go, screen_of, show

HOME = "/doctor"
OTHERS = "您不是医生。药师和医院工作人员请在电脑上打开工作台登录"


def following(request: Request) -> str:
    """Where she wanted to go: a page of the doctors."""
    path = local_path(request.query_params.get("next", ""), HOME)
    return path if path == HOME or path.startswith(f"{HOME}/") else HOME


async def ask(request: Request, typed: Form | None = None, problem: Refused | None = None) -> Response:
    """The form; who is logged in already goes on."""
    if problem is None and cookies.read(request, cookies.DOCTOR):
        return go(following(request))
    return await show(
        request, "doctor/login.html", typed={"login": (typed or {}).get("login", "")}, problem=problem,
        following=following(request), status=problem.status if problem else 200,
    )  # fmt: skip


async def log_in(request: Request) -> Response:
    """Password and code become a session; a new browser cookie ends every token that was made before."""
    form = await read_form(request)
    body = {name: form.get(name, "") for name in ("login", "password", "totp")}
    try:
        found = await screen_of(request).api.post("/login/staff", body)
    except Refused as refused:
        return await ask(request, form, refused)
    if found["role"] != "doctor":
        await screen_of(request).api.as_holder(found["token"]).post("/logout")
        return await ask(request, form, Refused(403, {"code": "not_a_doctor", "detail": OTHERS}))
    response = go(following(request))
    cookies.write(response, cookies.DOCTOR, found["token"])
    cookies.write(response, cookies.BROWSER, cookies.fresh())
    return response


async def log_out(request: Request) -> Response:
    """End the session here and at the backend; drafts in this browser go with it."""
    try:
        await doctor(request).post("/logout")
    except Refused as refused:  # it was over anyway
        if refused.status != 401:
            raise
    response = go(f"{HOME}/login")
    for name in (cookies.DOCTOR, cookies.BROWSER):
        cookies.drop(response, name)
    response.headers["clear-site-data"] = '"storage"'
    return response


def needs_shift(refused: Refused, back: str) -> Response | None:
    """To the PIN and back, when that is what is missing."""
    return go(f"{HOME}/shift?next={quote(back, safe='')}") if refused.code == "no_shift" else None


ROUTES: list[BaseRoute] = [
    Route("/doctor/login", ask, methods=["GET"]),
    Route("/doctor/login", log_in, methods=["POST"]),
    Route("/doctor/logout", log_out, methods=["POST"]),
]
