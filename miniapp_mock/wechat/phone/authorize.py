"""Pages that hand a code to the front: who I am, my telephone number, which messages I want."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from miniapp_mock.wechat.mock import Mock, mock_of
from miniapp_mock.wechat.open import codes, consents
from miniapp_mock.wechat.phone.owner import current
from miniapp_mock.wechat.phone.screen import (
    choose_first,
    front_address,
    go,
    read_form,
    refuse,
    show,
    with_query,
)

NOT_OURS = "redirect_uri 域名与后台配置不一致，错误码：10003"
LONGEST_STATE = 128


def routes() -> list[Route]:
    return [
        Route("/authorize", _authorize),
        Route("/connect/oauth2/authorize", _web_authorize),
        Route("/authorize-phone", _ask_phone, methods=["GET"]),
        Route("/authorize-phone", _give_phone, methods=["POST"]),
        Route("/consent", _ask_consent, methods=["GET"]),
        Route("/consent", _give_consent, methods=["POST"]),
    ]


async def _authorize(request: Request) -> Response:
    """`wx.login` by navigation. The code is good for a mini program's login and for the web's."""
    return _give_code(request, codes.LOGIN, codes.OAUTH)


async def _web_authorize(request: Request) -> Response:
    """open.weixin.qq.com/connect/oauth2/authorize, scope snsapi_base: no question is asked."""
    query = request.query_params
    if query.get("appid") != mock_of(request).settings.appid:
        return refuse(request, "appid 参数错误，错误码：10012")
    if query.get("response_type") != "code" or query.get("scope") != "snsapi_base":
        return refuse(request, "scope 参数错误或没有 scope 权限，错误码：10005")
    return _give_code(request, codes.OAUTH)


def _give_code(request: Request, *kinds: str) -> Response:
    mock = mock_of(request)
    back, state = _asked(mock, request)
    if back is None:
        return refuse(request, NOT_OURS)
    person = current(request)
    if person is None:
        return choose_first(request)
    return go(_back(back, state, code=codes.issue(mock, person.openid, *kinds)))


async def _ask_phone(request: Request) -> Response:
    back, state = _asked(mock_of(request), request)
    if back is None:
        return refuse(request, NOT_OURS)
    person = current(request)
    if person is None:
        return choose_first(request)
    return show(request, "ask_phone.html", person=person, back=back, state=state, here=_here(request))


async def _give_phone(request: Request) -> Response:
    mock = mock_of(request)
    form = {name: values[0] for name, values in (await read_form(request)).items()}
    back, person = front_address(mock, form.get("redirect_uri", "")), current(request)
    if back is None or person is None:
        return refuse(request, NOT_OURS if back is None else "请先选择一部手机")
    state = form.get("state", "")[:LONGEST_STATE]
    if form.get("decision") != "allow":
        return go(_back(back, state, errMsg="getPhoneNumber:fail user deny"))
    return go(_back(back, state, phone_code=codes.issue(mock, person.openid, codes.PHONE)))


async def _ask_consent(request: Request) -> Response:
    mock = mock_of(request)
    back, state = _asked(mock, request)
    if back is None:
        return refuse(request, NOT_OURS)
    person = current(request)
    if person is None:
        return choose_first(request)
    ids = _ids(request.query_params.get("template_ids", ""))
    try:
        consents.check_asked(mock, ids)
    except consents.SubscribeFailed as failed:
        return go(_back(back, state, errMsg=failed.message, accepted=""))
    return show(
        request,
        "ask_consent.html",
        person=person,
        back=back,
        state=state,
        templates=[mock.templates[one] for one in ids],
    )


async def _give_consent(request: Request) -> Response:
    """Back with `accepted`: the ids that the owner ticked."""
    mock = mock_of(request)
    form = await read_form(request)
    back, person = front_address(mock, form.get("redirect_uri", [""])[0]), current(request)
    if back is None or person is None:
        return refuse(request, NOT_OURS if back is None else "请先选择一部手机")
    allowed = form.get("decision", [""])[0] == "allow"
    ids = form.get("accept", []) if allowed else []
    try:
        if ids:
            consents.check_asked(mock, ids)
    except consents.SubscribeFailed as failed:
        return refuse(request, failed.message)
    for one in ids:
        consents.accept(mock, person.openid, one)
    state = form.get("state", [""])[0][:LONGEST_STATE]
    return go(_back(back, state, accepted=",".join(ids)))


def _asked(mock: Mock, request: Request) -> tuple[str | None, str]:
    """Where to return to, if it is the front; and the state to hand back."""
    query = request.query_params
    return front_address(mock, query.get("redirect_uri", "")), query.get("state", "")[:LONGEST_STATE]


def _back(url: str, state: str, **values: str) -> str:
    return with_query(url, **values, **({"state": state} if state else {}))


def _ids(text: str) -> list[str]:
    return list(dict.fromkeys(filter(None, text.split(","))))


def _here(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}"
