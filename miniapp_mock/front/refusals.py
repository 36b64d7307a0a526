"""What a user reads when something is refused or broken: a page, a part of a page or JSON, as it was asked for."""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foundation import errors
from foundation.errors import AppError
from foundation.logs import log, request_id
from miniapp_mock.front import cookies
from miniapp_mock.front.backend_client import BackendDown, Refused
from miniapp_mock.front.screen import is_fragment, leave, show, wants_json

DOWN = "系统正在维护，请稍后再试。您已提交的内容不会丢失"
NOT_YOURS = "内容可能已经移动，或者不属于当前登录的账号"
TITLES = {403: "不能进行此操作", 404: "没有找到", 409: "现在不能进行此操作", 413: "内容太大", 429: "请稍后再试",
          503: "暂时无法使用"}  # fmt: skip


@dataclass(frozen=True)
class Words:
    """What is shown."""

    status: int
    title: str
    detail: str
    code: str = ""
    mark: str = ""


async def on_refused(request: Request, error: Exception) -> Response:
    """The backend said no."""
    assert isinstance(error, Refused)
    if error.status == 401:
        return await log_in_again(request, error)
    if error.code == "no_shift" and not wants_json(request):
        return leave(request, f"/doctor/shift?next={quote(_here(request), safe='')}")
    title = TITLES.get(error.status, "操作没有成功")
    detail = error.detail if error.detail != title else NOT_YOURS
    return await _say(request, Words(error.status, title, detail, error.code, error.request_id))


async def on_down(request: Request, error: Exception) -> Response:
    """The backend does not answer."""
    assert isinstance(error, BackendDown)
    return await _say(request, Words(503, "暂时无法使用", DOWN, "backend_down", request_id.get()))


async def on_app_error(request: Request, error: Exception) -> Response:
    """We said no ourselves."""
    assert isinstance(error, AppError)
    title = TITLES.get(error.status, error.title)
    return await _say(request, Words(error.status, title, error.detail, error.code, request_id.get()))


async def on_http(request: Request, error: Exception) -> Response:
    """Starlette said no: no such path, no such method."""
    assert isinstance(error, HTTPException)
    detail = "页面不存在，可能已经移动" if error.status_code in (404, 405) else "请求没有成功"
    words = Words(
        error.status_code, TITLES.get(error.status_code, "没有找到"), detail, f"http_{error.status_code}"
    )
    return await _say(request, words)


async def on_crash(request: Request, error: Exception) -> Response:
    """Our fault."""
    log.error("unhandled", exc_info=error)
    problem = errors.Internal()
    return await _say(
        request, Words(500, problem.title, "我们已经记录，请稍后再试", problem.code, request_id.get())
    )


def _here(request: Request) -> str:
    """The page the user looks at, to come back to; empty after a form."""
    if is_fragment(request):
        return "/" + request.headers.get("hx-current-url", "").partition("://")[2].partition("/")[2]
    return request.url.path if request.method == "GET" else ""


async def log_in_again(request: Request, error: Refused) -> Response:
    """The session is over: to the login and back here."""
    is_doctor = request.url.path.startswith("/doctor")
    login = "/doctor/login" if is_doctor else "/login"
    if wants_json(request):
        response: Response = _json(Words(401, "请先登录", error.detail, error.code or "unauthenticated"))
    else:
        here = _here(request)
        response = leave(request, login + (f"?next={quote(here, safe='')}" if here and here != "/" else ""))
    cookies.drop(response, cookies.DOCTOR if is_doctor else cookies.PATIENT)
    return response


async def _say(request: Request, words: Words) -> Response:
    if wants_json(request):
        return _json(words)
    if request.url.path.startswith("/static/"):
        return Response(words.detail, words.status, media_type="text/plain")
    template = "problem_fragment.html" if is_fragment(request) else "problem.html"
    again = request.method == "GET" and (words.status >= 500 or words.status == 429)
    return await show(request, template, status=words.status, words=words, again=again)


def _json(words: Words) -> Response:
    body = {"status": words.status, "code": words.code, "detail": words.detail, "request_id": words.mark}
    return JSONResponse(body, words.status)


class Crash:
    """ASGI middleware, the innermost: our own faults become a page with everything that other pages have."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            response = await on_crash(Request(scope, receive), error)
            await response(scope, receive, send)


HANDLERS = {
    Refused: on_refused,
    BackendDown: on_down,
    AppError: on_app_error,
    HTTPException: on_http,
}


async def refuse(request: Request, error: AppError) -> Response:
    """For middleware, which runs where no exception handler does."""
    return await on_app_error(request, error)
