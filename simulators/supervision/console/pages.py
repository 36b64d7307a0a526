"""The pages. Each reads one snapshot of the store in a worker thread, so that the receiver is not held up."""

import json
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from simulators.server import SHANGHAI, Clock
from simulators.supervision.chain import chain_figures, hospital_gaps
from simulators.supervision.console import concerns, figures, reading, wording
from simulators.supervision.console.chart import line_chart
from simulators.supervision.console.masking import mask_record
from simulators.supervision.console.sessions import COOKIE, LIFE_SECONDS, LockedError, Sessions
from simulators.supervision.console.summary import summary
from simulators.supervision.settings import Settings
from simulators.supervision.store import Database
from simulators.supervision.tables import tianjin
from simulators.supervision.times import from_store

FOLDER = Path(__file__).parent
LARGEST_ID = 2**53
Page = Callable[[Request], Response]


class Pages:
    """One method for each page, called in a worker thread behind the login by `guarded`."""

    def __init__(self, settings: Settings, database: Database, clock: Clock, sessions: Sessions) -> None:
        self._settings, self._database, self._clock, self._sessions = settings, database, clock, sessions
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(methods=wording.METHODS, concern_names=wording.CONCERNS)
        self._templates.filters.update(time=_time, yuan=wording.yuan, seconds=_seconds)

    def guarded(self, page: Page) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            if not self._sessions.is_open(request.cookies.get(COOKIE)):
                return RedirectResponse("/login", status_code=303)
            return await run_in_threadpool(page, request)

        return endpoint

    def signed_in(self, page: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Any]:
        """As `guarded`, for a page that waits for somebody else."""

        async def endpoint(request: Request) -> Response:
            if not self._sessions.is_open(request.cookies.get(COOKIE)):
                return RedirectResponse("/login", status_code=303)
            return await page(request)

        return endpoint

    def board(self, _: Request) -> Response:
        now = self._clock.local()
        with self._database.reading() as connection:
            hours = figures.by_hour(connection, now)
            labels = [f"{start.astimezone(SHANGHAI):%H}时" for start in hours.starts]
            return self.show(
                "board.html", "监管看板", "/",
                now=now,
                today=figures.today(connection, now),
                lag=figures.lag(connection),
                chain=chain_figures(connection),
                duplicates=figures.outcome_sum(connection, "duplicates"),
                refused=figures.count_since(connection, "refusals", figures.day_bounds(now)[0]),
                alerts=reading.alerts(connection, limit=5),
                hours=hours,
                labels=labels,
                charts=[
                    ("narrow", line_chart(hours.series, labels, width=358, height=220, every=6)),
                    ("wide", line_chart(hours.series, labels, width=960, height=260, every=2)),
                ],
            )  # fmt: skip

    def concerns(self, _: Request) -> Response:
        with self._database.reading() as connection:
            found = concerns.concerns(connection, self._clock.local())
            latest = {one.key: reading.alerts(connection, concern=one.key, limit=3) for one in found}
        return self.show("concerns.html", "五类关注", "/concerns", concerns=found, latest=latest)

    def records(self, request: Request) -> Response:
        query = request.query_params
        method = query.get("method", "") if query.get("method", "") in wording.METHODS else ""
        day, number = _day(query.get("day", "")), query.get("number", "").strip()[:100]
        with self._database.reading() as connection:
            found, following = reading.records_before(
                connection, _id(query.get("before", "")), method=method, number=number,
                day=figures.day_bounds(day) if day else None,
            )  # fmt: skip
        chosen = {"method": method, "day": f"{day:%Y-%m-%d}" if day else "", "number": number}
        more = urlencode(chosen | {"before": following}) if following else ""
        return self.show("records.html", "上报记录", "/records", items=found, chosen=chosen, more=more)

    def record(self, request: Request) -> Response:
        number = request.path_params["number"]
        with self._database.reading() as connection:
            found = reading.one_record(connection, number) if number < LARGEST_ID else None
        if found is None:
            return self._missing("没有这条记录")
        self.note(f"record {found.method}", str(number))
        return self.show(
            "record.html", found.title, "/records",
            item=found,
            details=wording.details(found.method, found.body),
            lists=wording.lists(found.method, found.body),
            raw=json.dumps(mask_record(found.method, found.body), ensure_ascii=False, indent=2),
        )  # fmt: skip

    def visits(self, request: Request) -> Response:
        number = request.query_params.get("number", "").strip()[:100]
        if number:
            return RedirectResponse(f"/visits/{quote(number, safe='')}", status_code=303)
        with self._database.reading() as connection:
            return self.show("visits.html", "就诊", "/visits", visits=reading.latest_visits(connection))

    def visit(self, request: Request) -> Response:
        visit_no = request.path_params["visit_no"]
        with self._database.reading() as connection:
            steps = reading.visit(connection, visit_no)
            raised = reading.alerts(connection, visit_no=visit_no)
        if not steps:
            return self._missing("没有这次就诊的记录")
        self.note("visit", visit_no)
        shown = [
            (step, wording.details(step.method, step.body), wording.lists(step.method, step.body))
            for step in steps
        ]
        return self.show(
            "visit.html",
            "一次就诊",
            "/visits",
            visit_no=visit_no,
            steps=shown,
            alerts=raised,
            head=summary(steps),
            may_ask=self._settings.hospital_door.urls != (),
        )

    def alerts(self, request: Request) -> Response:
        concern = request.query_params.get("concern", "")
        concern = concern if concern in wording.CONCERNS else ""
        with self._database.reading() as connection:
            return self.show(
                "alerts.html", "预警", "/alerts",
                alerts=reading.alerts(connection, concern=concern),
                counts=reading.alert_counts(connection),
                concern=concern,
            )  # fmt: skip

    def feed(self, _: Request) -> Response:
        with self._database.reading() as connection:
            refusals = [
                (row, from_store(row["at"]))
                for row in connection.execute("SELECT * FROM refusals ORDER BY id DESC LIMIT 20")
            ]
            sign_ins = connection.execute("SELECT * FROM sign_ins ORDER BY day DESC LIMIT 7").fetchall()
            return self.show(
                "feed.html", "上报情况", "/feed",
                totals=_in_order(figures.totals(connection)),
                profiles=wording.PROFILES,
                quotas={method.name: method.quota for method in tianjin().methods.values()},
                chain=chain_figures(connection),
                gaps=hospital_gaps(connection, 20),
                lag=figures.lag(connection),
                refusals=refusals,
                sign_ins=sign_ins,
                hospital=self._settings.hospital,
                unit_id=self._settings.access.unit_id,
            )  # fmt: skip

    async def login_form(self, request: Request) -> Response:
        if self._sessions.is_open(request.cookies.get(COOKIE)):
            return RedirectResponse("/", status_code=303)
        return self.show("login.html", "登录", "/login", problem="", login="")

    async def login(self, request: Request) -> Response:
        form = await request.form()
        login, password = (str(form.get(name, "")) for name in ("login", "password"))
        try:
            token = self._sessions.sign_in(login, password)
            problem, status = "账号或密码不正确，请重新输入。", 403
        except LockedError:
            token, problem, status = None, "密码多次输入错误，请五分钟后再试。", 429
        if token is None:
            return self.show("login.html", "登录", "/login", problem=problem, login=login[:50], status=status)
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(
            COOKIE, token, max_age=LIFE_SECONDS, httponly=True, samesite="strict", secure=self._settings.secure_cookie
        )  # fmt: skip
        return answer

    async def logout(self, request: Request) -> Response:
        self._sessions.end(request.cookies.get(COOKIE))
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    def show(self, template: str, title: str, active: str, *, status: int = 200, **values: Any) -> Response:
        text = self._templates.get_template(template).render(
            title=title, active=active, supervisor=self._settings.supervisor, hospital_name=self._settings.hospital.name,
            **values,
        )  # fmt: skip
        return HTMLResponse(text, status_code=status)

    def _missing(self, sentence: str) -> Response:
        advice = "请检查编号，或从列表重新进入。"
        return self.show("missing.html", "没有找到", "", sentence=sentence, advice=advice, status=404)

    def note(self, page: str, subject: str) -> None:
        self._database.note_view(self._clock.now(), self._settings.supervisor.login, page, subject)


def _in_order(totals: dict[str, dict[str, dict[str, int]]]) -> dict[str, dict[str, dict[str, int]]]:
    """Methods as the documents have them."""
    places = {name: place for place, name in enumerate(wording.METHODS)}
    return {
        profile: dict(sorted(methods.items(), key=lambda one: places.get(one[0], len(places))))
        for profile, methods in totals.items()
    }


def _time(moment: datetime) -> str:
    return wording.minute(moment)


def _seconds(value: float | None) -> str:
    if value is None:
        return "—"
    return f"-{wording.span(-value)}" if value < 0 else wording.span(value)


def _day(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) if 1970 < day.year < 9000 else None


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
