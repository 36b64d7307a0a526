"""Binding the phone number that WeChat confirms, and what comes back from WeChat's question about notices."""

from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from miniapp_mock.front import cookies
from miniapp_mock.front.forms import local_path
from miniapp_mock.front.pages.login import back_from_wechat, to_wechat
from miniapp_mock.front.screen import go, patient, show


async def ask(request: Request) -> Response:
    """Why the number is needed, and the button."""
    following = local_path(request.query_params.get("next", ""))
    me = await patient(request).get("/me")
    denied = request.query_params.get("denied") == "1"
    return await show(request, "patient/phone.html", back="/", following=following, me=me, denied=denied)


async def leave_for_wechat(request: Request) -> Response:
    """To WeChat's question."""
    return to_wechat(
        request, "phone", "/wechat/phone-return", local_path(request.query_params.get("next", ""))
    )


async def come_back(request: Request) -> Response:
    """Allowed: bind the number. Refused: say what that means."""
    following = back_from_wechat(request)
    code = request.query_params.get("phone_code", "")
    if not code:
        return go(f"/phone?{urlencode({'next': following, 'denied': '1'})}")
    await patient(request).post("/login/phone", {"code": code})
    response = go(following)
    cookies.drop(response, cookies.LOGIN)
    return response


async def consented(request: Request) -> Response:
    """Which notices the user wants is WeChat's to keep; here it only shows on the page she came from."""
    following = local_path(request.query_params.get("next", ""))
    count = len([one for one in request.query_params.get("accepted", "").split(",") if one])
    mark = "&" if urlsplit(following).query else "?"
    return go(f"{following}{mark}notices={count}")


ROUTES: list[BaseRoute] = [
    Route("/phone", ask),
    Route("/wechat/phone", leave_for_wechat),
    Route("/wechat/phone-return", come_back),
    Route("/wechat/consented", consented),
]
