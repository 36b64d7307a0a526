"""每日对账: what the platform has of each day, as a hospital compares it with its own count; and what was refused."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulators.supervision.console import day_counts as counts
from simulators.supervision.console import wording
from simulators.supervision.console.scope import Scope, day_of
from simulators.supervision.console.shell import Shell, number_of
from simulators.supervision.times import from_store

PAGE = 30
DAYS = 14


class Daily:
    """A day is Shanghai's, by the time of what is told; a refusal belongs to the day it was spoken."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def routes(self) -> list[Route]:
        own = self._shell.guarded
        return [
            Route("/days", own(self.days)),
            Route("/days/{day}", own(self.day)),
            Route("/refusals", own(self.refusals)),
        ]

    def days(self, request: Request) -> Response:
        """Two weeks a page; `before` is a day."""
        today = self._shell.clock.today()
        newest = (day_of(request.query_params.get("before", "")) or today + timedelta(days=1)) - timedelta(
            days=1
        )
        shown = [newest - timedelta(days=back) for back in range(DAYS)]
        with self._shell.database.reading() as connection:
            first = counts.first_day(connection)
            rows = [
                (day, counts.of_profiles(connection, day), counts.statements(connection, day))
                for day in shown
                if first is not None and day >= first
            ]
        more = shown[-1].isoformat() if first is not None and shown[-1] > first else ""
        return self._shell.show(
            "days.html", "每日对账", "/feed", rows=rows, today=today, more=more, profiles=wording.PROFILES,
        )  # fmt: skip

    def day(self, request: Request) -> Response:
        day = day_of(request.path_params["day"])
        if day is None:
            return self._shell.missing("没有这一天")
        with self._shell.database.reading() as connection:
            lines = counts.of_methods(connection, day)
            totals = counts.of_profiles(connection, day)
            stated = counts.statements(connection, day)
            signed_in = connection.execute(
                "SELECT at FROM sign_ins WHERE day = ?", (day.isoformat(),)
            ).fetchone()
        scope = Scope(day, day)
        return self._shell.show(
            "day.html", f"{day} 对账", "/feed",
            day=day, over=day < self._shell.clock.today(), lines=lines, totals=totals, stated=stated, scope=scope,
            profiles=wording.PROFILES, exchanged=counts.EXCHANGED,
            signed_in=from_store(signed_in["at"]) if signed_in else None,
            earlier=(day - timedelta(days=1)).isoformat(), later=(day + timedelta(days=1)).isoformat(),
        )  # fmt: skip

    def refusals(self, request: Request) -> Response:
        scope, query = self._shell.scope(request), request.query_params
        days = Scope(scope.since, scope.until)
        kept = {
            "profile": query.get("profile", "") if query.get("profile", "") in wording.PROFILES else "",
            "method": query.get("method", "")
            if query.get("method", "") in {*wording.METHODS, counts.SENDER}
            else "",
        }
        before = number_of(query.get("before", ""))
        with self._shell.database.reading() as connection:
            found = counts.refusals(connection, days, **kept, before=before, limit=PAGE + 1)
            total = counts.refusals_counted(connection, days, **kept)
        older = found[PAGE - 1]["id"] if len(found) > PAGE else None
        return self._shell.show(
            "refusals.html", "退回的记录", "/feed",
            refusals=[(row, from_store(row["at"])) for row in found[:PAGE]], total=total, scope=days,
            kept=kept, profiles=wording.PROFILES,
            more=days.query(**kept, before=str(older)) if older else "",
        )  # fmt: skip
