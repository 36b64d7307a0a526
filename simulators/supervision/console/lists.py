"""Records, visits and people, and a visit replayed."""

import json
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from simulators.supervision.console import findings, reading, staffing, wording
from simulators.supervision.console.masking import mask_record, words_about
from simulators.supervision.console.replay import frames
from simulators.supervision.console.shell import LARGEST_ID, Shell, number_of
from simulators.supervision.console.visiting import visit_page

SOON_DAYS = 30


def _called(kind: str) -> str:
    return wording.EVENTS.get(kind) or wording.title_of(kind, None)


class Lists:
    """What lies behind the figures."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def routes(self) -> list[Route]:
        own = self._shell.guarded
        return [
            Route("/records", own(self.records)),
            Route("/records/{number:int}", own(self.record)),
            Route("/visits", own(self.visits)),
            Route("/visits/{visit_no}/replay", own(self.replay)),
            Route("/visits/{visit_no:path}", own(self.visit)),
            Route("/staff", own(self.staff)),
        ]

    def records(self, request: Request) -> Response:
        query, scope = request.query_params, self._shell.scope(request)
        method = query.get("method", "") if query.get("method", "") in wording.METHODS else ""
        kinds = tuple(kind for kind in query.get("kind", "").split(",")[:10] if kind)
        number = query.get("number", "").strip()[:100]
        once, twice = query.get("once") == "1", query.get("twice") == "1"
        wanted = reading.Wanted(scope, method, kinds, number, once, twice)
        with self._shell.database.reading() as connection:
            found, following = reading.records_before(connection, number_of(query.get("before", "")), wanted)
            kept = {"kind": ",".join(kinds), "once": "1" if once else "", "twice": "1" if twice else ""}
            return self._shell.show(
                "records.html", "上报记录", "/records",
                items=found, total=reading.records_counted(connection, wanted),
                chosen={"method": method, "number": number},
                said="、".join(dict.fromkeys(_called(kind.partition("@")[0]) for kind in kinds)),
                narrow=self._shell.filter(connection, scope, "/records", **kept),
                more=scope.query(method=method, number=number, **kept, before=str(following)) if following else "",
            )  # fmt: skip

    def record(self, request: Request) -> Response:
        number = request.path_params["number"]
        with self._shell.database.reading() as connection:
            found = reading.one_record(connection, number) if number < LARGEST_ID else None
            around = reading.visit(connection, found.visit_no) if found and found.visit_no else []
        if found is None:
            return self._shell.missing("没有这条记录")
        self._shell.note("record.view", f"record {number}", method=found.method)
        persons = words_about((one.method, one.body) for one in around)
        return self._shell.show(
            "record.html", found.title, "/records",
            item=found,
            details=wording.details(found.method, found.body, persons),
            lists=wording.lists(found.method, found.body, persons),
            raw=json.dumps(mask_record(found.method, found.body, persons), ensure_ascii=False, indent=2),
        )  # fmt: skip

    def visits(self, request: Request) -> Response:
        number = request.query_params.get("number", "").strip()[:100]
        if number:
            return RedirectResponse(f"/visits/{quote(number, safe='')}", status_code=303)
        scope, live = self._shell.scope(request), request.query_params.get("live") == "1"
        kept, before = "1" if live else "", number_of(request.query_params.get("before", ""))
        with self._shell.database.reading() as connection:
            found = reading.latest_visits(connection, scope, live=live, before=before, limit=reading.PAGE + 1)
            older = found[reading.PAGE - 1].last.id if len(found) > reading.PAGE else None
            return self._shell.show(
                "visits.html", "正在问诊" if live else "就诊", "/visits",
                visits=found[: reading.PAGE], live=live,
                total=reading.live_count(connection, scope) if live else None,
                narrow=self._shell.filter(connection, scope, "/visits", live=kept),
                query=scope.query(), more=scope.query(live=kept, before=str(older)) if older else "",
            )  # fmt: skip

    def visit(self, request: Request) -> Response:
        return visit_page(self._shell, request.path_params["visit_no"])

    def replay(self, request: Request) -> Response:
        visit_no, arrival = request.path_params["visit_no"], request.query_params.get("by", "") == "arrival"
        with self._shell.database.reading() as connection:
            steps = reading.visit(connection, visit_no)
            raised = findings.alerts(connection, visit_no=visit_no)
            if arrival:  # what stood then, though it was taken back later
                raised += findings.explained(connection, records=[step.id for step in steps])
        if not steps:
            return self._shell.missing("没有这次就诊的记录")
        self._shell.note("visit.replay", f"visit {visit_no}")
        found = frames(steps, by_arrival=arrival)
        place = min(max(number_of(request.query_params.get("step", "")) or 1, 1), len(found))
        persons = words_about((one.method, one.body) for one in steps)
        frame, seen = found[place - 1], {one.step.id for one in found[:place]}
        return self._shell.show(
            "replay.html", "回放", "/visits",
            visit_no=visit_no, frames=found, frame=frame, place=place, by="arrival" if arrival else "",
            details=wording.details(frame.step.method, frame.step.body, persons),
            lists=wording.lists(frame.step.method, frame.step.body, persons),
            alerts=[
                one for one in raised
                if one.record_id in seen and (one.explained is None or one.explained.record_id > max(seen))
            ],
        )  # fmt: skip

    def staff(self, request: Request) -> Response:
        scope, only = self._shell.scope(request), request.query_params.get("only", "")
        soon = wording.days_ahead(self._shell.clock.today(), SOON_DAYS)
        with self._shell.database.reading() as connection:
            people = staffing.staff(connection, scope)
            kept: dict[str, Any] = {
                "active": [one for one in people if one.active],
                "expiring": [one for one in people if one.until and one.until <= soon],
            }
            return self._shell.show(
                "staff.html", "备案人员", "/concerns",
                people=kept.get(only, people), only=only, soon=soon, scope=scope,
                narrow=self._shell.filter(connection, scope, "/staff", only=only),
            )  # fmt: skip
