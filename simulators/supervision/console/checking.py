"""Samples for inspection, reveals by four eyes, evidence bundles, and the trail of all that."""

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from simulators.supervision.console import reading, wording
from simulators.supervision.console.scope import scope_of
from simulators.supervision.console.sessions import asking
from simulators.supervision.console.shell import LARGEST_ID, Shell, number_of, words_of
from simulators.supervision.console.unmasked import persons
from simulators.supervision.oversight import bundle, matters, reveals, sampling, trail
from simulators.supervision.oversight.evidence_key import evidence_key, public_text
from simulators.supervision.times import from_store, utc_text

SEED_LENGTH = 64
LINES = 100
PAGE = 30
CHECKED = 1000
"""Lines whose chain is checked each time the trail is opened; all of them on demand."""


class Checking:
    """What supervisors do themselves; each deed is a line of the trail."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def routes(self) -> list[Route]:
        own, form = self._shell.guarded, self._shell.signed_in
        return [
            Route("/samples", own(self.samples), methods=["GET"]),
            Route("/samples", form(self.draw), methods=["POST"]),
            Route("/samples/{number:int}", own(self.sample)),
            Route("/samples/{number:int}.json", own(self.sample_json)),
            Route("/samples/{number:int}/population.txt", own(self.population)),
            Route("/samples/{number:int}/results", form(self.judge), methods=["POST"]),
            Route("/reveals", own(self.reveals)),
            Route("/visits/{visit_no}/reveals", form(self.ask), methods=["POST"]),
            Route("/reveals/{number:int}", own(self.reveal)),
            Route("/reveals/{number:int}/decision", form(self.decide), methods=["POST"]),
            Route("/reveals/{number:int}/look", form(self.look), methods=["POST"]),
            Route("/visits/{visit_no}/evidence", form(self.export), methods=["POST"]),
            Route("/trail", own(self.trail)),
            Route("/trail.json", own(self.trail_json)),
        ]

    # ---- samples ---------------------------------------------------------------------------------------------------

    def samples(self, request: Request) -> Response:
        scope, before = self._shell.scope(request), number_of(request.query_params.get("before", ""))
        with self._shell.database.reading() as connection:
            found = sampling.latest(connection, before, PAGE + 1)
            return self._shell.show(
                "samples.html", "抽查", "/samples",
                samples=found[:PAGE], more=scope.query(before=str(found[PAGE - 1].id)) if len(found) > PAGE else "", kinds=sampling.KINDS, most=sampling.MOST,
                seed=secrets.token_hex(8), narrow=self._shell.filter(connection, scope, "/samples"), scope=scope,
            )  # fmt: skip

    async def draw(self, request: Request) -> Response:
        given = await words_of(request, "kind", "wanted", "seed", "reason", "scope")
        wanted = number_of(given["wanted"]) or 0
        if given["kind"] not in sampling.KINDS or not 1 <= wanted <= sampling.MOST:
            return self._shell.refused(f"请选择抽查对象，数量为1至{sampling.MOST}", "/samples", 422)
        if not 4 <= len(given["seed"]) <= SEED_LENGTH or not 4 <= len(given["reason"]) <= 300:
            return self._shell.refused("请填写随机种子（4至64字）和抽查依据（4至300字）", "/samples", 422)

        def drawn() -> int:
            scope = scope_of(dict(parse_qsl(given["scope"].removeprefix("?"))))
            with self._shell.database.reading() as connection:
                up_to = sampling.newest(connection)
                where, values = scope.records(up_to=up_to)
                numbers = sampling.population(connection, given["kind"], where, values, up_to)
            with self._shell.database.writing() as connection:  # short: records come in meanwhile
                number = sampling.draw(
                    connection, asking(), self._shell.clock.now(), kind=given["kind"], scope=scope.query(),
                    reason=given["reason"], seed=given["seed"], wanted=wanted, numbers=numbers, up_to=up_to,
                )  # fmt: skip
            _, done = self._drawn(number) or (None, None)
            if done is not None:
                with self._shell.database.writing() as connection:
                    sampling.keep(connection, number, done.chosen)
            return number

        return RedirectResponse(f"/samples/{await run_in_threadpool(drawn)}", status_code=303)

    def _drawn(self, number: int) -> tuple[sampling.Sample, sampling.Draw] | None:
        """The sample with what came out."""
        with self._shell.database.reading() as connection:
            sample = sampling.get(connection, number) if number < LARGEST_ID else None
            if sample is None:
                return None
            done = sampling.drawn(connection, sample)
        if done is None:  # of before populations were kept
            numbers = self._population_now(sample)
            done = sampling.Draw("", numbers, sampling.pick(sample.seed, numbers, sample.wanted))
        return sample, done

    def _population_now(self, sample: sampling.Sample) -> list[str]:
        """The population, made again from the feed."""
        scope = scope_of(dict(parse_qsl(sample.scope.removeprefix("?"))))
        where, values = scope.records(up_to=sample.up_to)
        with self._shell.database.reading() as connection:
            return sampling.population(connection, sample.kind, where, values, sample.up_to)

    def _unchanged(self, sample: sampling.Sample) -> bool:
        return sampling.digest(self._population_now(sample)) == sample.population_digest

    def sample(self, request: Request) -> Response:
        found = self._drawn(request.path_params["number"])
        if found is None:
            return self._shell.missing("没有这次抽查")
        sample, done = found
        self._shell.note("sample.view", f"sample {sample.id}")
        with self._shell.database.reading() as connection:
            results = sampling.results(connection, sample.id)
        return self._shell.show(
            "sample.html", f"抽查 {sample.id}", "/samples",
            sample=sample, head=done.head, chosen=done.chosen, results=results, same=self._unchanged(sample),
        )  # fmt: skip

    def sample_json(self, request: Request) -> Response:
        found = self._drawn(request.path_params["number"])
        if found is None:
            return self._shell.missing("没有这次抽查")
        sample, done = found
        return JSONResponse({
            "id": sample.id, "at": utc_text(sample.at), "by": sample.name, "kind": sample.kind, "scope": sample.scope,
            "reason": sample.reason, "seed": sample.seed, "wanted": sample.wanted, "up_to": sample.up_to,
            "population": sample.population, "population_digest": sample.population_digest,
            "population_unchanged": self._unchanged(sample), "trail_number": sample.trail_number,
            "trail_head": done.head, "chosen": done.chosen,
        })  # fmt: skip

    def population(self, request: Request) -> Response:
        """The list that was drawn from, as its digest has it."""
        found = self._drawn(request.path_params["number"])
        if found is None:
            return self._shell.missing("没有这次抽查")
        return PlainTextResponse(sampling.listed(found[1].numbers))

    async def judge(self, request: Request) -> Response:
        number = request.path_params["number"]
        given = await words_of(request, "number", "verdict", "note")
        found = await run_in_threadpool(self._drawn, number)
        if found is None or given["number"] not in found[1].chosen or given["verdict"] not in ("good", "bad"):
            return self._shell.missing("这次抽查里没有这一件")
        if given["verdict"] == "bad" and len(given["note"]) < 4:
            return self._shell.refused("发现问题时请写明情况（至少4字）", "/samples", 422)
        sample = found[0]

        def judged() -> None:
            at, who = self._shell.clock.now(), asking()
            with self._shell.database.reading() as connection:
                row = connection.execute(sampling.record_of(sample.kind), (given["number"],)).fetchone()
            with self._shell.database.writing() as connection:
                fresh = sampling.judge(
                    connection, number, given["number"], who, at,
                    good=given["verdict"] == "good", note=given["note"][:300],
                )  # fmt: skip
                if fresh and given["verdict"] == "bad":
                    matters.take_up(connection, matters.Subject(
                        "finding", f"sample {number} {given['number']}", f"抽查发现问题（{sample.says}）",
                        given["note"][:300], row["visit_no"], row["id"], utc_text(at),
                    ))  # fmt: skip

        await run_in_threadpool(judged)
        return RedirectResponse(f"/samples/{number}", status_code=303)

    # ---- reveals ---------------------------------------------------------------------------------------------------

    def reveals(self, _: Request) -> Response:
        with self._shell.database.reading() as connection:
            found = reveals.latest(connection)
        return self._shell.show(
            "reveals.html",
            "查看许可",
            "/reveals",
            reveals=found,
            now=self._shell.clock.now(),
            says=reveals.SAYS,
        )

    async def ask(self, request: Request) -> Response:
        visit_no, given = request.path_params["visit_no"], await words_of(request, "authority", "reason")
        with self._shell.database.reading() as connection:
            if not reading.visit(connection, visit_no):
                return self._shell.missing("没有这次就诊的记录")
        return await self._deed(
            lambda connection: reveals.ask(
                connection, asking(), self._shell.clock.now(), visit_no, given["authority"], given["reason"]
            ),
            lambda number: f"/reveals/{number}", f"visit {visit_no}",
        )  # fmt: skip

    def reveal(self, request: Request) -> Response:
        number = request.path_params["number"]
        with self._shell.database.reading() as connection:
            found = reveals.get(connection, number) if number < LARGEST_ID else None
            looks = connection.execute(
                "SELECT * FROM trail WHERE action LIKE 'reveal.%' AND json_extract(detail, '$.reveal') = ? ORDER BY number",
                (str(number),),
            ).fetchall()
        if found is None:
            return self._shell.missing("没有这项申请")
        return self._shell.show(
            "reveal.html", "查看许可", "/reveals", reveal=found, now=self._shell.clock.now(), says=reveals.SAYS,
            looks=[(trail.line_of(row), from_store(row["at"])) for row in looks], actions=wording.ACTIONS,
            others=len(self._shell.settings.supervisors) > 1,
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
            shown = persons(reading.visit(connection, reveal.visit_no))
        return self._shell.show("unmasked.html", "未脱敏信息", "/reveals", reveal=reveal, persons=shown)

    async def _deed(self, deed: Callable[[Any], Any], where: Callable[[Any], str], subject: str) -> Response:
        """In a transaction; what is refused is written down in one of its own."""

        def done() -> Any:
            with self._shell.database.writing() as connection:
                return deed(connection)

        try:
            return RedirectResponse(where(await run_in_threadpool(done)), status_code=303)
        except reveals.RefusedError as refusal:
            await run_in_threadpool(self._shell.note, "reveal.refused", subject, why=str(refusal))
            return self._shell.refused(str(refusal), "/reveals", 403)

    # ---- evidence and trail ----------------------------------------------------------------------------------------

    async def export(self, request: Request) -> Response:
        visit_no = request.path_params["visit_no"]
        given = await words_of(request, "authority", "reason", "clear")
        if not 4 <= len(given["authority"]) <= 80 or not 4 <= len(given["reason"]) <= 300:
            return self._shell.refused("请填写检查文书号（4至80字）和原因（4至300字）", "/visits", 422)
        now, who, settings = self._shell.clock.now(), asking(), self._shell.settings

        def made() -> bundle.Made | None:
            with self._shell.database.writing() as connection:
                if not reading.visit(connection, visit_no):
                    return None
                open_now = any(
                    reveals.may_look(one, who, now) for one in reveals.of_visit(connection, visit_no)
                )
                clear = given["clear"] == "1" and open_now
                order = bundle.Order(
                    visit_no, who, given["authority"], given["reason"], settings.hospital.name, clear
                )
                return bundle.make(connection, order, now, evidence_key(settings.data))

        done = await run_in_threadpool(made)
        if done is None:
            return self._shell.missing("没有这次就诊的记录")
        name = f"evidence-{quote(visit_no, safe='')}.zip"
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{name}",
            "x-manifest-sha256": done.manifest_digest, "x-public-key": done.public_key,
        }  # fmt: skip
        return Response(done.data, headers=headers, media_type="application/zip")

    def _lines(self, request: Request) -> dict[str, Any]:
        scope, query = self._shell.scope(request), request.query_params
        where, values = scope.days("at")
        for name in ("login", "subject", "action"):
            if given := query.get(name, "").strip()[:100]:
                where += f" AND {name} = ?"
                values.append(given)
        if before := number_of(query.get("before", "")):
            where += " AND number < ?"
            values.append(str(before))
        with self._shell.database.reading() as connection:
            rows = connection.execute(
                f"SELECT * FROM trail WHERE {where} ORDER BY number DESC LIMIT ?", (*values, LINES + 1)
            ).fetchall()
            whole = query.get("whole") == "1"
            checked = trail.check(connection, latest=None if whole else CHECKED)
        lines = [trail.line_of(row) for row in rows[:LINES]]
        return {"scope": scope, "lines": lines, "checked": checked, "older": len(rows) > LINES}

    def trail(self, request: Request) -> Response:
        found = self._lines(request)
        older = found["scope"].query(before=str(found["lines"][-1].number)) if found["older"] else ""
        return self._shell.show(
            "trail.html", "监管端留痕", "/trail",
            lines=[(line, from_store(line.at)) for line in found["lines"]], checked=found["checked"], more=older,
            scope=found["scope"], actions=wording.ACTIONS, labels=wording.DETAILS, subject_of=wording.subject_of,
            public_key=public_text(evidence_key(self._shell.settings.data)),
            supervisors=self._shell.settings.supervisors, login=request.query_params.get("login", ""),
        )  # fmt: skip

    def trail_json(self, request: Request) -> Response:
        found = self._lines(request)
        checked = found["checked"]
        return JSONResponse({
            "lines": [line.said | {"entry": line.entry, "head": line.head} for line in found["lines"]],
            "checked": {"first": checked.first, "lines": checked.lines, "head": checked.head, "broken": checked.broken},
        })  # fmt: skip
