"""Alerts, complaints, adverse events and findings: who looked, who asked the hospital, what it answered, how it ended."""

import sqlite3
from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from simulators.supervision.alerts import RULES
from simulators.supervision.console import findings, wording
from simulators.supervision.console.people import People
from simulators.supervision.console.scope import Scope
from simulators.supervision.console.sessions import asking
from simulators.supervision.console.shell import LARGEST_ID, Shell, number_of, words_of
from simulators.supervision.console.typed import NOTHING, Typed
from simulators.supervision.hospital_door import HospitalDoor
from simulators.supervision.oversight import matters, questions
from simulators.supervision.oversight.matters import Matter, NotAllowedError, Standing, Subject
from simulators.supervision.times import wire_text

LINES = 100
OWN_VERBS = ("look", "withdraw", "close", "reopen")


class Following:
    """A matter is made when somebody first does something about it."""

    def __init__(self, shell: Shell, door: HospitalDoor) -> None:
        self._shell, self._door = shell, door

    def routes(self) -> list[Route]:
        own, form = self._shell.guarded, self._shell.signed_in
        return [
            Route("/alerts", own(self.alerts)),
            Route("/alerts.json", own(self.alerts_json)),
            Route("/alerts/explained", own(self.explained)),
            Route("/alerts/{number:int}", form(self.alert), methods=["POST"]),
            Route("/complaints", own(self.complaints)),
            Route("/complaints/{number:int}", form(self.complaint), methods=["POST"]),
            Route("/matters", own(self.list)),
            Route("/matters/{number:int}", own(self.matter)),
            Route("/matters/{number:int}/ask", form(self.ask), methods=["POST"]),
            Route("/matters/{number:int}/answers", form(self.answers), methods=["POST"]),
            Route("/matters/{number:int}/{verb}", form(self.step), methods=["POST"]),
        ]

    def _wanted(self, request: Request) -> dict[str, str]:
        """Concern, rule and standing of the address, where they are some."""
        known = {"concern": set(wording.CONCERNS), "rule": set(RULES), "standing": {*Standing, "open"}}
        given = {name: request.query_params.get(name, "") for name in known}
        return {name: value if value in known[name] else "" for name, value in given.items()}

    def alerts(self, request: Request) -> Response:
        wanted, scope = self._wanted(request), self._shell.scope(request)
        before = number_of(request.query_params.get("before", ""))
        with self._shell.database.reading() as connection:
            found = findings.alerts(connection, scope, **wanted, before=before, limit=findings.PAGE + 1)
            older = found[findings.PAGE - 1].id if len(found) > findings.PAGE else None
            return self._shell.show(
                "alerts.html", "预警", "/alerts",
                alerts=found[: findings.PAGE], concern=wanted["concern"], standing=wanted["standing"],
                rule=RULES[wanted["rule"]].title if wanted["rule"] else "",
                counts=findings.alert_counts(connection, scope),
                states=findings.standing_counts(connection, scope, wanted["concern"]),
                narrow=self._shell.filter(connection, scope, "/alerts", **wanted), scope=scope,
                more=scope.query(**wanted, before=str(older)) if older else "",
                explained=findings.explained_count(connection, scope),
            )  # fmt: skip

    def explained(self, request: Request) -> Response:
        """What was taken back, and by which record."""
        scope, before = self._shell.scope(request), number_of(request.query_params.get("before", ""))
        with self._shell.database.reading() as connection:
            found = findings.explained(connection, scope, before=before, limit=findings.PAGE + 1)
            older = found[findings.PAGE - 1].id if len(found) > findings.PAGE else None
            return self._shell.show(
                "explained.html", "已说明的预警", "/alerts",
                alerts=found[: findings.PAGE], total=findings.explained_count(connection, scope),
                narrow=self._shell.filter(connection, scope, "/alerts/explained"),
                back=scope.query(), more=scope.query(before=str(older)) if older else "",
            )  # fmt: skip

    def alerts_json(self, request: Request) -> Response:
        """The same list, a hundred at a time; `before` is the id of the last one seen."""
        with self._shell.database.reading() as connection:
            found = findings.alerts(
                connection, self._shell.scope(request), **self._wanted(request), limit=LINES,
                before=number_of(request.query_params.get("before", "")),
            )  # fmt: skip
        return JSONResponse({"alerts": [
            {
                "id": one.id, "rule": one.rule, "title": one.title, "basis": one.basis, "detail": one.detail,
                "at": wire_text(one.at), "visit_no": one.visit_no, "record_id": one.record_id,
                "standing": one.standing, "matter": one.matter,
            }
            for one in found
        ]})  # fmt: skip

    def complaints(self, request: Request) -> Response:
        scope, standing = self._shell.scope(request), self._wanted(request)["standing"]
        before = number_of(request.query_params.get("before", ""))
        with self._shell.database.reading() as connection:
            states = findings.grievance_counts(connection, scope)
            found = findings.grievances(
                connection, scope, standing=standing, before=before, limit=findings.PAGE + 1
            )
            older = found[findings.PAGE - 1].record_id if len(found) > findings.PAGE else None
            return self._shell.show(
                "complaints.html", "投诉与不良事件", "/complaints",
                grievances=found[: findings.PAGE], states=states | _sums(states), standing=standing,
                now=self._shell.clock.now(), scope=scope,
                narrow=self._shell.filter(connection, scope, "/complaints", standing=standing),
                more=scope.query(standing=standing, before=str(older)) if older else "",
            )  # fmt: skip

    async def alert(self, request: Request) -> Response:
        """Take an alert up: from here on it is a matter."""
        number = request.path_params["number"]

        def about() -> Subject | None:
            with self._shell.database.reading() as connection:
                found = findings.one_alert(connection, number) if number < LARGEST_ID else None
            return found.about if found else None

        return await self._take_up(about, "没有这条预警，可能已由后续记录说明")

    async def complaint(self, request: Request) -> Response:
        number = request.path_params["number"]

        def about() -> Subject | None:
            with self._shell.database.reading() as connection:
                found = findings.one_grievance(connection, number) if number < LARGEST_ID else None
            return found.about if found else None

        return await self._take_up(about, "没有这件投诉或不良事件")

    async def _take_up(self, about: Callable[[], Subject | None], missing: str) -> Response:
        def made() -> int | None:
            subject = about()
            if subject is None:
                return None
            with self._shell.database.writing() as connection:
                return matters.take_up(connection, subject, asking(), self._shell.clock.now()).id

        number = await run_in_threadpool(made)
        if number is None:
            return self._shell.missing(missing)
        return RedirectResponse(f"/matters/{number}", status_code=303)

    def list(self, request: Request) -> Response:
        standing, before = (
            self._wanted(request)["standing"],
            number_of(request.query_params.get("before", "")),
        )
        with self._shell.database.reading() as connection:
            states = matters.counts(connection)
            found = matters.page(connection, standing, before, findings.PAGE + 1)
            people = People(connection)
            details = {one.id: people.of_matter(one.subject).mask(one.subject.detail) for one in found}
        older = found[findings.PAGE - 1].id if len(found) > findings.PAGE else None
        return self._shell.show(
            "matters.html", "办理中的事项", "/alerts",
            matters=found[: findings.PAGE], details=details, states=states | _sums(states), standing=standing,
            more=Scope().query(standing=standing, before=str(older)) if older else "",
        )  # fmt: skip

    def matter(self, request: Request) -> Response:
        return self._matter(request.path_params["number"])

    def _matter(self, number: int, typed: Typed = NOTHING, status: int = 200) -> Response:
        with self._shell.database.reading() as connection:
            found = matters.get(connection, number) if number < LARGEST_ID else None
            if found is None:
                return self._shell.missing("没有这件事项")
            return self._shell.show(
                "matter.html", found.subject.title, "/complaints" if found.subject.kind in ("complaint", "event") else "/alerts",
                status=status, typed=typed,
                matter=found, steps=matters.steps(connection, number), questions=questions.of_matter(connection, number),
                own_verbs=[verb for verb in found.verbs if verb in OWN_VERBS], needs_note=matters.NEEDS_NOTE,
                may_ask="ask" in found.verbs, door=self._door.there, now=self._shell.clock.now(),
                say=People(connection).of_matter(found.subject).mask,
            )  # fmt: skip

    async def step(self, request: Request) -> Response:
        number, verb = request.path_params["number"], request.path_params["verb"]
        if verb not in OWN_VERBS:
            return self._shell.missing("没有这一步")
        given = await words_of(request, "note")

        def taken(connection: sqlite3.Connection, found: Matter) -> None:
            now = self._shell.clock.now()
            if verb == "withdraw":
                questions.withdraw(connection, found, asking(), now, given["note"])
            else:
                matters.move(connection, found, verb, asking(), now, given["note"])

        return await self._done(number, "step", given, taken)

    async def ask(self, request: Request) -> Response:
        """A question: written down, then asked at once; when the hospital is away it is asked again later."""
        number, given = request.path_params["number"], await words_of(request, "authority", "words")
        if not self._door.there:
            typed = Typed("ask", "这个平台没有设置通向医院的前置机地址", given)
            return await run_in_threadpool(self._matter, number, typed, 409)

        def written(connection: sqlite3.Connection, found: Matter) -> None:
            now = self._shell.clock.now()
            questions.write(connection, found, asking(), now, given["authority"], given["words"])

        answer = await self._done(number, "ask", given, written)
        if answer.status_code == 303:
            await questions.sweep(self._shell.database, self._door, self._shell.clock, number)
        return answer

    async def answers(self, request: Request) -> Response:
        """Look for answers now instead of with the next sweep."""
        number = request.path_params["number"]
        if number < LARGEST_ID:
            await questions.sweep(self._shell.database, self._door, self._shell.clock, number)
        return RedirectResponse(f"/matters/{number}", status_code=303)

    async def _done(
        self, number: int, form: str, given: Mapping[str, str], deed: Callable[[sqlite3.Connection, Matter], None]
    ) -> Response:  # fmt: skip
        """The deed in a transaction, then its matter; what is refused is shown with what was typed."""

        def done() -> Response:
            with self._shell.database.reading() as connection:
                found = matters.get(connection, number) if number < LARGEST_ID else None
            if found is None:
                return self._shell.missing("没有这件事项")
            try:
                with self._shell.database.writing() as connection:
                    deed(connection, found)
            except NotAllowedError as refusal:
                return self._matter(number, Typed(form, str(refusal), given), 409)
            return RedirectResponse(f"/matters/{number}", status_code=303)

        return await run_in_threadpool(done)


def _sums(states: Mapping[str, int]) -> dict[str, int]:
    """All of them, and those that are not closed."""
    total = sum(states.values())
    return {"": total, "open": total - states[Standing.CLOSED]}
