"""Logging in and out at the desks: password and one-time code, as on the JSON route."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from backend.account import service
from backend.account.wire import StaffLogin
from backend.desk.declared import Shown
from backend.desk.desk import LOGIN, Desk
from backend.desk.session import HOME, check_csrf, check_origin, forget, keep, read_form, safe_next, token_of
from foundation.actor import NOBODY
from foundation.db.audit import audit, audit_refusal
from foundation.db.unit_of_work import unit_of_work
from foundation.errors import AppError, Invalid, Unauthenticated
from foundation.web.parsing import decode_query

FIELDS = ("login", "password", "totp")
NO_STORE = {"cache-control": "no-store"}


def routes(desk: Desk) -> list[Route]:
    """Login and logout; they make and end what every other page asks for."""

    async def show_login(request: Request) -> Response:
        try:
            known = await desk.actor(request)
        except AppError:
            known = NOBODY
        if known is not NOBODY:
            return RedirectResponse(safe_next(request.query_params.get("next", "")), 303, NO_STORE)
        return await _login_page(desk, request, request.query_params.get("next", ""))

    async def login(request: Request) -> Response:
        form: dict[str, str] = {}
        try:
            form = await read_form(request)
            check_origin(request)
            body = decode_query({name: form[name] for name in FIELDS if form.get(name)}, StaffLogin)
            token, _ = await service.open_staff_session(desk.context.db, body.login, body.password, body.totp)
        except AppError as error:
            await audit_refusal(desk.context.db, NOBODY, "account.login", "staff:", error)
            return await _login_page(desk, request, form.get("next", ""), error, form.get("login", ""))
        answer = RedirectResponse(safe_next(form.get("next", "")), 303, NO_STORE)
        keep(answer, token)
        return answer

    async def logout(request: Request) -> Response:
        try:
            actor = await desk.actor(request)
            check_csrf(request, await read_form(request))
        except Unauthenticated:
            actor = NOBODY
        except AppError as error:
            return await desk.refuse(request, actor, error)
        if actor.session_id is not None:
            async with unit_of_work(desk.context.db) as session:
                await service.close_session(session, actor.session_id)
                audit(session, actor, "account.logout", actor.kind, actor.id or "")
        answer = RedirectResponse(LOGIN, 303, NO_STORE)
        forget(answer)
        return answer

    return [
        Route(LOGIN, show_login, methods=["GET"]),
        Route(LOGIN, login, methods=["POST"]),
        Route(f"{HOME}/logout", logout, methods=["POST"]),
    ]


async def _login_page(
    desk: Desk, request: Request, following: str, problem: AppError | None = None, login: str = ""
) -> Response:
    """The form; what was wrong stands above it, the password is never sent back."""
    ended = request.query_params.get("ended") == "1" and bool(token_of(request) or problem is None)
    words = {"next": safe_next(following), "ended": ended and problem is None}
    if isinstance(problem, Invalid):
        problem = Invalid("请填写用户名、密码和 6 位动态码", issues=problem.issues)
    return await desk.show(
        request, NOBODY, Shown("account/login.html", words), title="登录", status=problem.status if problem else 200,
        problem=problem, typed={"login": login},
    )  # fmt: skip
