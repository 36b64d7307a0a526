"""The board: what happened today and how it came in, live; the five concerns; the state of the feed."""

import sqlite3
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.supervision.chain import chain_figures, hospital_gaps
from simulators.supervision.console import concerns, figures, findings, reading, wording
from simulators.supervision.console.figures import Counts, Figure
from simulators.supervision.console.recent import Recent
from simulators.supervision.console.scope import Scope
from simulators.supervision.console.shell import Shell
from simulators.supervision.tables import tianjin
from simulators.supervision.times import from_store

SLOW_SECONDS = 60


class Board:
    """Pages of figures."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._recent = Recent(shell.settings.board_seconds)

    def routes(self) -> list[Route]:
        own = self._shell.guarded
        return [
            Route("/", own(self.board)),
            Route("/live.json", own(self.live)),
            Route("/concerns", own(self.concerns)),
            Route("/feed", own(self.feed)),
        ]

    def board(self, request: Request) -> Response:
        scope, now = self._shell.scope(request, today=True), self._shell.clock.local()
        with self._shell.database.reading() as connection:
            groups = _groups(connection, scope)
            live = _live(connection, scope, now, groups)
            return self._shell.show(
                "board.html", "监管看板", "/",
                now=now, groups=groups, live=live,
                last_at=figures.lag(connection).last_at,
                alerts=findings.alerts(connection, standing="open", limit=4),
                narrow=self._shell.filter(connection, scope, "/"),
                query=scope.query(), is_today=(scope.since, scope.until) == (now.date(), now.date()),
            )  # fmt: skip

    def live(self, request: Request) -> Response:
        """What the board asks for every few seconds."""
        scope, now = self._shell.scope(request, today=True), self._shell.clock.local()

        def made() -> dict[str, Any]:
            with self._shell.database.reading() as connection:
                return _live(connection, scope, now, _groups(connection, scope))

        return JSONResponse(self._recent.get(scope.query(), made))

    def concerns(self, request: Request) -> Response:
        scope = self._shell.scope(request, today=True)
        with self._shell.database.reading() as connection:
            found = concerns.concerns(connection, self._shell.clock.local(), scope)
            latest = {one.key: findings.alerts(connection, scope, concern=one.key, limit=2) for one in found}
            return self._shell.show(
                "concerns.html", "五类关注", "/concerns", concerns=found, latest=latest,
                narrow=self._shell.filter(connection, scope, "/concerns"),
            )  # fmt: skip

    def feed(self, _: Request) -> Response:
        with self._shell.database.reading() as connection:
            refusals = [
                (row, from_store(row["at"]))
                for row in connection.execute("SELECT * FROM refusals ORDER BY id DESC LIMIT 20")
            ]
            sign_ins = connection.execute("SELECT * FROM sign_ins ORDER BY day DESC LIMIT 7").fetchall()
            return self._shell.show(
                "feed.html", "上报情况", "/feed",
                totals=_in_order(figures.totals(connection)),
                profiles=wording.PROFILES,
                quotas={method.name: method.quota for method in tianjin().methods.values()},
                chain=chain_figures(connection),
                gaps=hospital_gaps(connection, 20),
                refusals=refusals,
                sign_ins=sign_ins,
                duplicates=figures.outcome_sum(connection, "duplicates"),
                rejected=figures.outcome_sum(connection, "rejected"),
            )  # fmt: skip


Groups = list[tuple[str, list[Figure]]]


def _live(connection: sqlite3.Connection, scope: Scope, now: datetime, groups: Groups) -> dict[str, Any]:
    hours, minutes = figures.by_hour(connection, now, scope), figures.by_minute(connection, now)
    shown = [one for _, group in groups for one in group]
    return {
        "at": wording.minute(now),
        "figures": {one.key: {"value": one.value, "bad": one.bad, "href": one.href} for one in shown},
        "hours": {"at": [int(one.timestamp()) for one in hours.starts], "series": hours.series,
                  "labels": [figures.local_label(one, "%H时") for one in hours.starts]},
        "minutes": {"at": [int(one.timestamp()) for one in minutes.starts], "arrived": minutes.arrived,
                    "median": minutes.median, "slow": minutes.slow,
                    "labels": [figures.local_label(one, "%H:%M") for one in minutes.starts]},
    }  # fmt: skip


def _groups(connection: sqlite3.Connection, scope: Scope) -> Groups:
    day = figures.counts(connection, scope)
    return [("业务", _business(day)), ("上报通道", _channel(connection))]


def _business(day: Counts) -> list[Figure]:
    return [
        day.act("booked", "预约"),
        day.act("cancelled", "取消预约"),
        day.act("started", "接诊"),
        day.act("declined", "未接诊"),
        day.act("prescribed", "处方开具"),
        day.act("returned", "处方退回"),
        Figure("paid", "收款", wording.yuan(day.paid_fen), day.list_of("payment.confirmed@shanghai")),
        Figure("refunded", "退款", wording.yuan(day.refunded_fen), day.list_of("refund.succeeded@shanghai")),
    ]


def _channel(connection: sqlite3.Connection) -> list[Figure]:
    lag, chain = figures.lag(connection), chain_figures(connection)

    def seconds(key: str, label: str, value: float | None) -> Figure:
        text = "—" if value is None else ("-" if value < 0 else "") + wording.span(abs(value))
        return Figure(key, label, text, "/feed", bad=value is not None and value > SLOW_SECONDS)

    open_alerts = sum(findings.standing_counts(connection, Scope()).values())
    open_alerts -= findings.standing_counts(connection, Scope())["closed"]
    return [
        seconds("median", "时延（中位）", lag.median),
        seconds("slow", "时延（99%）", lag.slow),
        Figure("missing", "缺号", str(chain["missing"]), "/feed#gaps", bad=chain["missing"] > 0),
        Figure("broken", "链值不符", str(chain["broken"]), "/alerts?rule=chain_broken", bad=chain["broken"] > 0),
        Figure("duplicates", "重复上报", str(figures.outcome_sum(connection, "duplicates")), "/feed"),
        Figure("rejected", "退回", str(figures.outcome_sum(connection, "rejected")), "/feed#refusals"),
        Figure("live", "正在问诊", str(reading.live_count(connection)), "/visits?live=1"),
        Figure("open", "未办结预警", str(open_alerts), "/alerts?standing=open", bad=open_alerts > 0),
    ]  # fmt: skip


def _in_order(totals: dict[str, dict[str, dict[str, int]]]) -> dict[str, dict[str, dict[str, int]]]:
    """Methods as the documents have them."""
    places = {name: place for place, name in enumerate(wording.METHODS)}
    return {
        profile: dict(sorted(methods.items(), key=lambda one: places.get(one[0], len(places))))
        for profile, methods in totals.items()
    }
