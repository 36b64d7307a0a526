"""Logging in by WeChat, and out. The state that goes to WeChat and back is bound to this browser by a cookie."""

import hmac
from urllib.parse import quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from foundation.errors import Forbidden
from miniapp_mock.front import cookies
from miniapp_mock.front.backend_client import Refused
from miniapp_mock.front.forms import local_path
from miniapp_mock.front.screen import go, patient, screen_of, show, visitor
from miniapp_mock.front.settings import Driver

BROKEN = "登录没有完成，请回到首页重新登录"


async def ask(request: Request) -> Response:
    """The login page; who is logged in already goes on."""
    following = local_path(request.query_params.get("next", ""))
    if cookies.read(request, cookies.PATIENT) and following != "/":
        return go(following)
    return await show(request, "patient/login.html", back="/", following=following)


async def leave_for_wechat(request: Request) -> Response:
    """To WeChat, with a state of this browser."""
    following = local_path(request.query_params.get("next", ""))
    return to_wechat(request, "login", "/wechat/return", following)


def to_wechat(request: Request, what: str, back: str, following: str) -> Response:
    """A redirect to one of WeChat's pages; what comes back must bring the state that the cookie holds."""
    settings, state = screen_of(request).settings, cookies.fresh()
    asked = {"redirect_uri": settings.front_url + back, "state": state}
    if settings.wechat_driver is Driver.H5:
        asked = {"appid": settings.wechat_appid, **asked, "response_type": "code", "scope": "snsapi_base"}
        address = f"{settings.wechat_pages_url}/connect/oauth2/authorize?{urlencode(asked)}#wechat_redirect"
    else:
        page = {"login": "authorize", "phone": "authorize-phone"}[what]
        address = f"{settings.wechat_pages_url}/{page}?{urlencode(asked)}"
    response = go(address)
    cookies.write(response, cookies.LOGIN, f"{state}|{quote(following, safe='')}")
    return response


def back_from_wechat(request: Request, broken: str = BROKEN) -> str:
    """Where the user wanted to go; Forbidden unless this browser is the one that left."""
    state, _, following = cookies.read(request, cookies.LOGIN).partition("|")
    given = request.query_params.get("state", "")
    if not state or not hmac.compare_digest(state.encode(), given.encode()):
        raise Forbidden(broken, code="foreign_state")
    return local_path(unquote(following))


async def come_back(request: Request) -> Response:
    """WeChat's code becomes a session; a new browser cookie ends every token that was made before."""
    following = back_from_wechat(request)
    code = request.query_params.get("code", "")
    try:
        found = await visitor(request).post("/login/wechat", {"code": code})
    except Refused as refused:
        if refused.status >= 500:
            raise
        raise Forbidden(refused.detail, code=refused.code) from refused
    if not found["phone_bound"]:
        following = f"/phone?{urlencode({'next': following})}"
    response = go(following)
    cookies.write(response, cookies.PATIENT, found["token"])
    cookies.write(response, cookies.BROWSER, cookies.fresh())
    if device := found.get("device"):
        cookies.write(response, cookies.DEVICE, device)
    cookies.drop(response, cookies.LOGIN)
    return response


async def log_out(request: Request) -> Response:
    """End the session here and at the backend; what pages kept in this browser goes too."""
    try:
        await patient(request).post("/logout")
    except Refused as refused:  # it was over anyway
        if refused.status != 401:
            raise
    response = go("/")
    for name in (cookies.PATIENT, cookies.BROWSER):
        cookies.drop(response, name)
    response.headers["clear-site-data"] = '"storage"'
    return response


ROUTES: list[BaseRoute] = [
    Route("/login", ask),
    Route("/wechat/login", leave_for_wechat),
    Route("/wechat/return", come_back),
    Route("/logout", log_out, methods=["POST"]),
]
