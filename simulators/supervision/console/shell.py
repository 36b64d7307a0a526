"""What every page stands on: templates, the login, the trail, one snapshot of the store in a worker thread."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from simulators.server import Clock
from simulators.supervision.console import wording
from simulators.supervision.console.scope import Scope, choices, scope_of
from simulators.supervision.console.sessions import COOKIE, Sessions, anybody, asking, enter
from simulators.supervision.console.typed import NOTHING, Typed
from simulators.supervision.oversight import trail
from simulators.supervision.oversight.matters import STANDINGS, VERBS
from simulators.supervision.settings import Settings, Supervisor
from simulators.supervision.store import Database

FOLDER = Path(__file__).parent
LARGEST_ID = 2**53
Page = Callable[[Request], Response]
MENU = (
    ("/", "看板"), ("/concerns", "关注"), ("/alerts", "预警"), ("/visits", "就诊"), ("/records", "记录"),
    ("/complaints", "投诉"), ("/samples", "抽查"), ("/reveals", "查看许可"), ("/feed", "上报"), ("/trail", "留痕"),
)  # fmt: skip


class Shell:
    """Pages of a group are methods of a class of their own that has one of these."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, sessions: Sessions) -> None:
        self.settings, self.database, self.clock, self.sessions = settings, database, clock, sessions
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            methods=wording.METHODS, concern_names=wording.CONCERNS, standings=STANDINGS, verbs=VERBS, menu=MENU,
        )  # fmt: skip
        self._templates.filters.update(time=wording.minute, yuan=wording.yuan, seconds=_seconds)

    def guarded(self, page: Page) -> Callable[[Request], Any]:
        """Behind the login, in a worker thread, so that the receiver is not held up."""

        async def endpoint(request: Request) -> Response:
            if (elsewhere := self._let_in(request)) is not None:
                return elsewhere
            return await run_in_threadpool(page, request)

        return endpoint

    def signed_in(self, page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Any]:
        """As `guarded`, for a page that waits for somebody else or reads a form."""

        async def endpoint(request: Request) -> Response:
            if (elsewhere := self._let_in(request)) is not None:
                return elsewhere
            return await page(request)

        return endpoint

    def foreign(self, request: Request) -> Response | None:
        """Forms are sent by our own pages alone: a browser says where from, and nothing else may post here."""
        if request.method != "POST":
            return None
        site = request.headers.get("sec-fetch-site", "same-origin")
        host = urlsplit(request.headers.get("origin", "")).netloc
        if site == "same-origin" and host and host == request.headers.get("host", ""):
            return None
        return self.show("foreign.html", "页面来源不正确", "", status=403)

    def _let_in(self, request: Request) -> Response | None:
        if (elsewhere := self.foreign(request)) is not None:
            return elsewhere
        who = self.sessions.whose(request.cookies.get(COOKIE))
        if who is None:
            return RedirectResponse("/login", status_code=303)
        enter(who)
        return None

    def scope(self, request: Request, *, today: bool = False) -> Scope:
        """What the address narrows the page to; `today` where it names no day."""
        return scope_of(request.query_params, self.clock.today() if today else None)

    def filter(self, connection: Any, scope: Scope, action: str, **kept: str) -> dict[str, Any]:
        """What the filter's form needs; `kept` are further parts of the address."""
        hospitals = [
            (code, self.settings.hospital.name or code) for code in sorted(self.settings.hospital.organ_ids)
        ]
        return {"scope": scope, "action": action, "hospitals": hospitals, "kept": kept, **choices(connection)}

    def show(
        self,
        template: str,
        title: str,
        active: str,
        *,
        status: int = 200,
        typed: Typed = NOTHING,
        **values: Any,
    ) -> Response:
        """A page; `typed` is the form on it that came back with a problem."""
        text = self._templates.get_template(template).render(
            typed=typed,
            title=title,
            active=active,
            supervisor=anybody(),
            hospital_name=self.settings.hospital.name,
            **values,
        )
        return HTMLResponse(text, status_code=status)

    def missing(self, sentence: str) -> Response:
        advice = "请检查编号，或从列表重新进入。"
        return self.show("missing.html", "没有找到", "", sentence=sentence, advice=advice, status=404)

    def refused(self, sentence: str, active: str, status: int = 409) -> Response:
        return self.show("missing.html", "没有办成", active, sentence=sentence, advice="", status=status)

    def note(self, action: str, subject: str, **detail: str) -> None:
        """A look at a person's data, as a line of the trail."""
        self.note_of(asking(), action, subject, **detail)

    def note_of(self, who: Supervisor, action: str, subject: str, **detail: str) -> None:
        """The same, of somebody who need not be signed in."""
        with self.database.writing() as connection:
            trail.write(connection, self.clock.now(), who, action, subject, **detail)


async def words_of(request: Request, *names: str) -> Mapping[str, str]:
    """Texts of a form; what is not there is empty."""
    form = await request.form()
    return {name: str(form.get(name, "")).strip() for name in names}


def number_of(text: str) -> int | None:
    """An id from an address."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _seconds(value: float | None) -> str:
    if value is None:
        return "—"
    return f"-{wording.span(-value)}" if value < 0 else wording.span(value)
