"""Answers pages and actions: who, what, one transaction, refusals written down and shown in place."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from backend.context import Context
from backend.desk import rendering
from backend.desk.assets import PREFIX, Assets
from backend.desk.declared import Action, DeskCall, Page, Shown
from backend.desk.live import stream
from backend.desk.session import HOME, check_csrf, csrf_of, forget, read_form, token_of
from backend.edge import ApiEndpoint
from foundation.actor import NOBODY, Actor
from foundation.db.audit import audit, audit_refusal
from foundation.db.unit_of_work import Database, unit_of_work
from foundation.errors import AppError, Forbidden, Internal, NotFound, Unauthenticated
from foundation.logs import log, request_id
from foundation.settings import Env
from foundation.web.parsing import decode_query

LOGIN = "/desk/login"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'"
)
SAFE = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
"""On every page, with `POLICY` and the media processes' sockets. Nothing inline, nothing from elsewhere."""


@dataclass(frozen=True)
class Frame:
    """What stands above every page: the hospital, and the shift of whoever signs (`off_duty`: there is none)."""

    hospital: str = ""
    shift: str = ""
    ends_soon: bool = False
    off_duty: bool = False


Resolve = Callable[[Database, str], Awaitable[Actor]]
Framing = Callable[[AsyncSession, Actor], Awaitable[Frame]]


@dataclass
class Desk:
    """All pages and actions of the desks. `resolve` says whose a token is, `framing` fills the frame."""

    context: Context
    resolve: Resolve
    framing: Framing
    pages: list[Page] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.assets = Assets()
        sockets = (url.replace("http", "ws", 1).rstrip("/") for url in self.context.settings.media_urls)
        self.safe = SAFE | {"content-security-policy": " ".join((POLICY, *sockets))}
        self.jinja = rendering.environment({"static": self.assets.url, "HOME": HOME, "LOGIN": LOGIN})

    def routes(self, more: Iterable[BaseRoute]) -> list[BaseRoute]:
        """Everything below `/desk`, with `more` (the login); what is not there is a page that says so."""
        made = [Route(HOME, self._home), Route(f"{PREFIX}/{{mark}}/{{name}}", self.assets.serve), *more]
        made += [Route(f"{page.path}/live", self._live(page)) for page in self.pages if page.live]
        made += [Route(page.path, self._page(page), methods=["GET"]) for page in self.pages]
        made += [Route(action.path, self._action(action), methods=["POST"]) for action in self.actions]
        return [*made, Route(HOME + "/{rest:path}", self._nothing, methods=["GET", "POST"])]

    async def actor(self, request: Request) -> Actor:
        """Who is at the desk; `NOBODY` without a cookie, `Unauthenticated` when the session is over."""
        token = token_of(request)
        return await self.resolve(self.context.db, token) if token else NOBODY

    async def show(
        self, request: Request, actor: Actor, shown: Shown, *, title: str, status: int = 200, **more: Any
    ) -> Response:
        """The page in its frame. `more` may have `problem` and `typed`."""
        if shown.attached is not None:
            file = shown.attached
            disposition = {"content-disposition": f'attachment; filename="{file.name}"'}
            return Response(file.content, status, self.safe | disposition, file.media_type)
        problem: AppError | None = more.get("problem")
        async with unit_of_work(self.context.db) as session:
            frame = await self.framing(session, actor)
        words = {
            "title": title, "actor": actor, "frame": frame, "csrf": csrf_of(token_of(request)),
            "menu": [page for page in self.pages if page.menu and page.roles & actor.roles],
            "path": request.url.path, "now": self.context.clock.now(), "today": self.context.clock.today(),
            "problem": problem, "typed": more.get("typed", {}), "said": self._said(request), "live": "",
            "issues": {issue.field: issue.message for issue in problem.issues} if problem else {},
            "request_id": request_id.get(), "front_url": self.context.settings.front_url,
            "demo": self.context.settings.env is not Env.PRODUCTION,
        }  # fmt: skip
        text = self.jinja.get_template(shown.template).render(
            {**words, **more.get("words", {}), **shown.data}
        )
        return Response(text, status, self.safe, "text/html; charset=utf-8")

    async def refuse(self, request: Request, actor: Actor, error: Exception) -> Response:
        """The page of a refusal; whoever has no session is asked to log in and comes back here."""
        if isinstance(error, Unauthenticated):
            ended = "&ended=1" if token_of(request) else ""
            here = quote(request.url.path if request.method == "GET" else HOME)
            answer = RedirectResponse(f"{LOGIN}?next={here}{ended}", 303, {"cache-control": "no-store"})
            forget(answer)
            return answer
        if not isinstance(error, AppError):
            log.error("unhandled", exc_info=error)
        problem = error if isinstance(error, AppError) else Internal()
        shown = Shown("desk/problem.html")
        return await self.show(
            request, actor, shown, title=problem.title, status=problem.status, words={"problem": problem}
        )

    def _said(self, request: Request) -> str:
        wanted = request.query_params.get("said", "")
        return next((action.said for action in self.actions if action.name == wanted), "")

    async def _home(self, request: Request) -> Response:
        actor = NOBODY
        try:
            actor = await self.actor(request)
            if actor is NOBODY:
                raise Unauthenticated
        except AppError as error:
            return await self.refuse(request, actor, error)
        first = next((page.path for page in self.pages if page.menu and page.roles & actor.roles), "")
        if first:
            return RedirectResponse(first, 303, {"cache-control": "no-store"})
        return await self.show(request, actor, Shown("desk/nothing.html"), title="工作台")

    async def _nothing(self, request: Request) -> Response:
        actor = NOBODY
        try:
            actor = await self.actor(request)
            raise NotFound if actor is not NOBODY else Unauthenticated
        except AppError as error:
            return await self.refuse(request, actor, error)

    def _live(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            actor = await self.actor(request)
            admit(actor, page.roles)
            return stream(self.context.live, page.live, request.query_params.get("since", ""))

        return answer

    def _page(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            actor = NOBODY
            try:
                actor = await self.actor(request)
                admit(actor, page.roles)
                return await self._look(page, request, actor)
            except Exception as error:
                if isinstance(error, AppError) and actor is not NOBODY:
                    name, about = page.audited or "desk.look", ":".join(_about(page, request))
                    await audit_refusal(self.context.db, actor, name, about, error)
                return await self.refuse(request, actor, error)

        return answer

    async def _look(
        self, page: Page, request: Request, actor: Actor, problem: AppError | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Response:  # fmt: skip
        since = self.context.live.mark()
        call = DeskCall(self.context, self.context.db, request, actor, typed=typed or {}, problem=problem)
        async with unit_of_work(self.context.db) as session:
            call.held = session
            shown = await page.show(call)
            if page.audited and problem is None:
                audit(session, actor, page.audited, *_about(page, request))
        return await self.show(
            request, actor, shown, title=page.title, status=problem.status if problem else 200, problem=problem,
            typed=call.typed, words={"live": f"{request.url.path}/live?since={since}" if page.live else ""},
        )  # fmt: skip

    def _action(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            actor, form = NOBODY, dict[str, str]()
            try:
                actor = await self.actor(request)
                admit(actor, action.does.roles)
                form = await read_form(request)
                check_csrf(request, form)
                await self._do(action.does, request, actor, form)
                where = action.then.format(**request.path_params)
                return RedirectResponse(f"{where}?said={action.name}", 303, {"cache-control": "no-store"})
            except AppError as error:
                return await self._refused(action, request, actor, form, error)
            except Exception as error:
                return await self.refuse(request, actor, error)

        return answer

    async def _do(
        self, endpoint: ApiEndpoint, request: Request, actor: Actor, form: Mapping[str, str]
    ) -> None:
        call = DeskCall(self.context, self.context.db, request, actor)
        filled = {name: value for name, value in form.items() if name != "csrf" and value}
        arguments = () if endpoint.body is None else (decode_query(filled, endpoint.body),)
        if not endpoint.transaction:
            await endpoint.handler(call, *arguments)
            return
        async with unit_of_work(self.context.db) as session:
            call.held = session
            await endpoint.handler(call, *arguments)

    async def _refused(
        self, action: Action, request: Request, actor: Actor, form: Mapping[str, str], error: AppError
    ) -> Response:
        """Written down as the JSON route does, then the page again with what was typed."""
        name = action.does.audited or action.does.name
        kind = action.does.path.strip("/").split("/")[0].rstrip("s")
        about = f"{kind}:{next(iter(request.path_params.values()), '')}"[:120]
        await audit_refusal(self.context.db, actor, name, about, error)
        allowed = bool(actor.roles & action.back.roles)
        if isinstance(error, Unauthenticated) or not allowed or error.code in ("stale_form", "wrong_origin"):
            return await self.refuse(request, actor, error)
        try:
            return await self._look(action.back, request, actor, error, form)
        except AppError:
            return await self.refuse(request, actor, error)


def admit(actor: Actor, roles: Iterable[str]) -> None:
    """`Unauthenticated` or `Forbidden` unless the actor has one of `roles`."""
    if actor is NOBODY:
        raise Unauthenticated
    if not actor.roles.intersection(roles):
        raise Forbidden


def _about(page: Page, request: Request) -> tuple[str, str]:
    """Kind and id of what an audit line of a page is about."""
    kind = page.audited.partition(".")[0] or "desk"
    return kind, str(next(iter(request.path_params.values()), page.path))[:80]
