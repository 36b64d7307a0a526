"""Reveals by four eyes, evidence bundles, and the trail of all that."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from simulators.supervision.console import reading, wording
from simulators.supervision.console.masking import NO_WORDS
from simulators.supervision.console.people import People
from simulators.supervision.console.sessions import asking
from simulators.supervision.console.shell import LARGEST_ID, Shell, number_of, words_of
from simulators.supervision.console.typed import Typed
from simulators.supervision.console.unmasked import persons, texts
from simulators.supervision.console.visiting import visit_page
from simulators.supervision.oversight import bundle, reveals, trail
from simulators.supervision.oversight.evidence_key import evidence_key, public_text
from simulators.supervision.times import from_store

LINES = 100
CHECKED = 1000
"""Lines whose chain is checked each time the trail is opened; all of them on demand."""


class Checking:
    """What supervisors do themselves; each deed is a line of the trail."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def routes(self) -> list[Route]:
        own, form = self._shell.guarded, self._shell.signed_in
        return [
            Route("/reveals", own(self.reveals)),
            Route("/visits/{visit_no}/reveals", form(self.ask), methods=["POST"]),
            Route("/reveals/{number:int}", own(self.reveal)),
            Route("/reveals/{number:int}/decision", form(self.decide), methods=["POST"]),
            Route("/reveals/{number:int}/look", form(self.look), methods=["POST"]),
            Route("/reveals/{number:int}/evidence", form(self.export_clear), methods=["POST"]),
            Route("/visits/{visit_no}/evidence", form(self.export), methods=["POST"]),
            Route("/trail", own(self.trail)),
            Route("/trail.json", own(self.trail_json)),
        ]

    # ---- reveals ---------------------------------------------------------------------------------------------------

    def reveals(self, _: Request) -> Response:
        with self._shell.database.reading() as connection:
            found, people = reveals.latest(connection), People(connection)
            return self._shell.show(
                "reveals.html", "查看许可", "/reveals", reveals=found, now=self._shell.clock.now(), says=reveals.SAYS,
                says_of={one.id: people.of_visit(one.visit_no).mask for one in found},
            )  # fmt: skip

    async def ask(self, request: Request) -> Response:
        visit_no, given = (
            request.path_params["visit_no"],
            await words_of(request, "authority", "reason", "export"),
        )
        with self._shell.database.reading() as connection:
            if not reading.visit(connection, visit_no):
                return self._shell.missing("没有这次就诊的记录")
        return await self._deed(
            lambda connection: reveals.ask(
                connection, asking(), self._shell.clock.now(), visit_no, given["authority"], given["reason"],
                export=given["export"] == "1",
            ),
            lambda number: f"/reveals/{number}", f"visit {visit_no}",
            lambda problem: visit_page(self._shell, visit_no, Typed("reveal", problem, given), 422),
        )  # fmt: skip

    def reveal(self, request: Request) -> Response:
        number = request.path_params["number"]
        with self._shell.database.reading() as connection:
            found = reveals.get(connection, number) if number < LARGEST_ID else None
            looks = connection.execute(
                "SELECT * FROM trail WHERE action LIKE 'reveal.%' AND json_extract(detail, '$.reveal') = ? ORDER BY number",
                (str(number),),
            ).fetchall()
            words = People(connection).of_visit(found.visit_no) if found else NO_WORDS
        if found is None:
            return self._shell.missing("没有这项申请")
        return self._shell.show(
            "reveal.html", "查看许可", "/reveals", reveal=found, now=self._shell.clock.now(), says=reveals.SAYS,
            looks=[(trail.line_of(row), from_store(row["at"])) for row in looks], actions=wording.ACTIONS,
            others=len(self._shell.settings.supervisors) > 1,
            say=words.mask,
        )  # fmt: skip

    async def decide(self, request: Request) -> Response:
        number, given = request.path_params["number"], await words_of(request, "decision", "note")
        if given["decision"] not in ("grant", "refuse"):
            return self._shell.missing("没有这一步")
        return await self._deed(
            lambda connection: reveals.decide(
                connection, number, asking(), self._shell.clock.now(),
                granted=given["decision"] == "grant", note=given["note"],
            ),
            lambda _: f"/reveals/{number}", f"reveal {number}",
        )  # fmt: skip

    async def look(self, request: Request) -> Response:
        """By POST: a look is a deed, and no prefetch of a browser may make one."""
        number, now, who = request.path_params["number"], self._shell.clock.now(), asking()

        def looked() -> reveals.Reveal:
            with self._shell.database.writing() as connection:
                return reveals.look(connection, number, who, now)

        try:
            reveal = await run_in_threadpool(looked)
        except reveals.RefusedError as refusal:
            return self._shell.refused(str(refusal), "/reveals", 404)
        if not reveals.may_look(reveal, who, now):
            return self._shell.refused(
                f"不能查看：许可{reveals.SAYS[reveal.stands(now)]}，或不是你的申请", "/reveals", 403
            )
        with self._shell.database.reading() as connection:
            steps = reading.visit(connection, reveal.visit_no)
            written = texts(connection, reveal.visit_no, steps)
        return self._shell.show(
            "unmasked.html", "未脱敏信息", "/reveals", reveal=reveal, persons=persons(steps), texts=written
        )

    async def _deed(
        self, deed: Callable[[Any], Any], where: Callable[[Any], str], subject: str,
        again: Callable[[str], Response] | None = None,
    ) -> Response:  # fmt: skip
        """In a transaction; what is refused is written down in one of its own. `again` shows the form once more."""

        def done() -> Any:
            with self._shell.database.writing() as connection:
                return deed(connection)

        try:
            return RedirectResponse(where(await run_in_threadpool(done)), status_code=303)
        except reveals.RefusedError as refusal:
            await run_in_threadpool(self._shell.note, "reveal.refused", subject, why=str(refusal))
            if again is not None:
                return await run_in_threadpool(again, str(refusal))
            return self._shell.refused(str(refusal), "/reveals", 403)

    # ---- evidence and trail ----------------------------------------------------------------------------------------

    async def export(self, request: Request) -> Response:
        visit_no = request.path_params["visit_no"]
        given = await words_of(request, "authority", "reason")
        if not 4 <= len(given["authority"]) <= 80 or not 4 <= len(given["reason"]) <= 300:
            typed = Typed("evidence", reveals.WANTED, given)
            return await run_in_threadpool(visit_page, self._shell, visit_no, typed, 422)
        now, who, settings = self._shell.clock.now(), asking(), self._shell.settings

        def made() -> bundle.Made | None:
            with self._shell.database.writing() as connection:
                if not reading.visit(connection, visit_no):
                    return None
                order = bundle.Order(
                    visit_no, who, given["authority"], given["reason"], settings.hospital.name
                )
                return bundle.make(connection, order, now, evidence_key(settings.data))

        done = await run_in_threadpool(made)
        if done is None:
            return self._shell.missing("没有这次就诊的记录")
        return _download(visit_no, done)

    async def export_clear(self, request: Request) -> Response:
        """Under the order of the reveal, which names it: what was granted is what is carried away."""
        number, now, who = request.path_params["number"], self._shell.clock.now(), asking()
        settings = self._shell.settings

        def made() -> tuple[reveals.Reveal | None, bundle.Made | None]:
            with self._shell.database.writing() as connection:
                reveal = reveals.get(connection, number) if number < LARGEST_ID else None
                if reveal is None:
                    return None, None
                if not reveals.may_export(reveal, who, now):
                    about = f"visit {reveal.visit_no}"
                    trail.write(connection, now, who, "reveal.export_refused", about, reveal=str(number))
                    return reveal, None
                order = bundle.Order(
                    reveal.visit_no, who, reveal.authority, reveal.reason, settings.hospital.name, reveal
                )
                return reveal, bundle.make(connection, order, now, evidence_key(settings.data))

        reveal, done = await run_in_threadpool(made)
        if reveal is None:
            return self._shell.missing("没有这项申请")
        if done is None:
            why = f"许可{reveals.SAYS[reveal.stands(now)]}，没有包含导出，或不是你的申请"
            return self._shell.refused(f"不能导出未脱敏的证据包：{why}", "/reveals", 403)
        return _download(reveal.visit_no, done)

    def _lines(self, request: Request) -> dict[str, Any]:
        scope, query = self._shell.scope(request), request.query_params
        where, values = scope.days("at")
        kept = {name: query.get(name, "").strip()[:100] for name in ("login", "subject", "action")}
        for name, given in kept.items():
            if given:
                several = given.split(",") if name == "action" else [given]
                where += f" AND {name} IN ({','.join('?' * len(several))})"
                values += several
        if before := number_of(query.get("before", "")):
            where += " AND number < ?"
            values.append(str(before))
        with self._shell.database.reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM trail WHERE {where} ORDER BY number DESC LIMIT ?", (*values, LINES + 1)
            ).fetchall()
            whole = query.get("whole") == "1"
            checked = trail.check(connection, latest=None if whole else CHECKED)
            people, lines = People(connection), [trail.line_of(row) for row in rows[:LINES]]
            said = [people.said(line) for line in lines]
        older = scope.query(**kept, before=str(lines[-1].number)) if len(rows) > LINES else ""
        return {
            "scope": scope,
            "kept": kept,
            "lines": lines,
            "said": said,
            "checked": checked,
            "older": older,
        }

    def trail(self, request: Request) -> Response:
        found = self._lines(request)
        shown = zip(found["lines"], found["said"], strict=True)
        return self._shell.show(
            "trail.html", "监管端留痕", "/trail",
            lines=[(line, said, from_store(line.at)) for line, said in shown], checked=found["checked"],
            more=found["older"], kept=found["kept"], scope=found["scope"], actions=wording.ACTIONS, labels=wording.DETAILS, subject_of=wording.subject_of,
            public_key=public_text(evidence_key(self._shell.settings.data)),
            supervisors=self._shell.settings.supervisors,
        )  # fmt: skip

    def trail_json(self, request: Request) -> Response:
        """A line whose words name a person has them masked: its `entry` is then of words that are not here."""
        found = self._lines(request)
        checked, lines = found["checked"], []
        for line, said in zip(found["lines"], found["said"], strict=True):
            words = line.said if said == line.words else line.said | {"detail": said, "masked": True}
            lines.append(words | {"entry": line.entry, "head": line.head})
        return JSONResponse({
            "lines": lines,
            "checked": {"first": checked.first, "lines": checked.lines, "head": checked.head, "broken": checked.broken},
        })  # fmt: skip


def _download(visit_no: str, made: bundle.Made) -> Response:
    name = f"evidence-{quote(visit_no, safe='')}.zip"
    headers = {
        "content-disposition": f"attachment; filename*=UTF-8''{name}",
        "x-manifest-sha256": made.manifest_digest, "x-public-key": made.public_key,
    }  # fmt: skip
    return Response(made.data, headers=headers, media_type="application/zip")
